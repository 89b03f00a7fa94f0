"""Datasette's metadata describes every table and column that the migrations make, and nothing that does not exist."""

import sqlite3
from pathlib import Path

import pytest

import config
from config.yaml_lines import load

ROOT = Path(config.__file__).parent
MIGRATIONS = sorted((ROOT.parent / "db" / "migrations").glob("m*.sql"))


def schema() -> dict[str, list[str]]:
    """Tables and views with their columns, as the migrations leave them; without the full-text index's own tables."""
    connection = sqlite3.connect(":memory:")
    connection.create_function("cw_bigrams", 1, lambda text: text, deterministic=True)
    for path in MIGRATIONS:
        connection.executescript(path.read_text(encoding="utf-8"))
    names = [
        name
        for (name,) in connection.execute("select name from sqlite_master where type in ('table', 'view')")
        if not name.startswith("sqlite_") and "_fts" not in name
    ]
    return {name: [row[1] for row in connection.execute(f"pragma table_xinfo([{name}])")] for name in names}


SCHEMA = schema()
TABLES = load(ROOT / "metadata.yaml")["databases"]["circularwatch"]["tables"]


def test_the_schema_was_built() -> None:
    assert len(MIGRATIONS) >= 1
    assert {"documents", "fetches", "tasks"} <= SCHEMA.keys()


@pytest.mark.parametrize("table", sorted(SCHEMA))
def test_every_table_and_column_is_described(table: str) -> None:
    entry = TABLES.get(table, {})
    assert str(entry.get("description", "")).strip(), f"describe the table {table} in config/metadata.yaml"
    missing = [c for c in SCHEMA[table] if not str(entry.get("columns", {}).get(c, "")).strip()]
    assert not missing, f"describe these columns of {table} in config/metadata.yaml: {missing}"


@pytest.mark.parametrize("table", sorted(TABLES))
def test_nothing_is_described_that_does_not_exist(table: str) -> None:
    assert table in SCHEMA, f"config/metadata.yaml describes {table}, which no migration makes"
    assert set(TABLES[table]["columns"]) <= set(SCHEMA[table])
    sort = TABLES[table].get("sort_desc")
    assert sort is None or sort in SCHEMA[table]


def test_the_file_says_what_the_collection_is() -> None:
    metadata = load(ROOT / "metadata.yaml")
    assert metadata["title"]
    assert metadata["description"]
