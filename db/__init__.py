"""How everything is kept and asked: schema, migrations, the writer, search."""

from db.connection import connect, immediate
from db.documents import Document, Processed, SpanError
from db.errors import DatabaseError

__all__ = ["DatabaseError", "Document", "Processed", "SpanError", "connect", "immediate"]
