"""How everything is kept and asked: schema, migrations, the writer, search."""
