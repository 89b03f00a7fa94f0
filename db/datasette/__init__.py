"""The pages on which people ask: Datasette 0.65 with our search, our pages in Chinese and English, exports and feeds.

`build(config)` gives a Datasette over the database, read only; `serve(...)` runs it. Nothing here writes.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from db.datasette.server import build, serve

__all__ = ["build", "serve"]


def __getattr__(name: str) -> Any:
    """Import on first use: importing Datasette costs a second."""
    if name not in __all__:
        raise AttributeError(f"module 'db.datasette' has no attribute {name!r}")
    return getattr(import_module("db.datasette.server"), name)
