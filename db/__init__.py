"""How everything is kept and asked: schema, migrations, the writer, search."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from db.bundles import pending
    from db.connection import connect, immediate
    from db.documents import Document, Processed, SpanError
    from db.errors import DatabaseError
    from db.tables import sync

__all__ = ["DatabaseError", "Document", "Processed", "SpanError", "connect", "immediate", "pending", "sync"]

_WHERE = {"DatabaseError": "errors", "Document": "documents", "Processed": "documents", "SpanError": "documents"}
_WHERE |= {"connect": "connection", "immediate": "connection", "pending": "bundles", "sync": "tables"}


def __getattr__(name: str) -> Any:
    """Import on first use: stages and commands that only want the shape of a document need not wait for sqlite-utils."""
    if name not in _WHERE:
        raise AttributeError(f"module 'db' has no attribute {name!r}")
    return getattr(import_module(f"db.{_WHERE[name]}"), name)
