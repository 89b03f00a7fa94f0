"""A table for people on standard output: folded to the terminal, wide lines in a pipe."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any


def print_table(
    rows: Iterable[Mapping[str, Any]], columns: Sequence[str], title: str, *, right: Sequence[str] = ()
) -> None:
    """Rows by column name; what a row does not have is left empty."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(title=title, title_justify="left")
    for name in columns:
        table.add_column(name, overflow="fold", justify="right" if name in right else "left")
    for row in rows:
        table.add_row(*(Text("" if row.get(name) is None else str(row[name])) for name in columns))
    console = Console()
    if not console.is_terminal:
        console = Console(width=200)
    console.print(table)
