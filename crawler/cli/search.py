"""`circularwatch search`: the query language over the database; a table on a terminal, `--json` for programs."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import click

from crawler.cli.common import CommandError, common_options, json_option, load_config, open_database, print_json

COLUMNS = "d.pk, d.id, d.title, d.outlet, d.published_on, d.source, d.kind, d.language, d.relevance, d.url"
_TASKS = "select distinct task from document_tasks t join documents d on d.pk = t.document and d.classifier = t.classifier where t.document = ? order by task"


@click.command("search")
@click.argument("query", nargs=-1, required=True)
@click.option("--by-relevance", is_flag=True, help="Best match first.  [default: newest first]")
@click.option("--limit", type=click.IntRange(min=0), default=20, show_default=True, help="How many; 0 = all.")
@click.option("--offset", type=click.IntRange(min=0), default=0, help="Leave out the first ones.")
@common_options
@json_option
def command(
    query: tuple[str, ...],
    by_relevance: bool,
    limit: int,
    offset: int,
    db_path: Path | None,
    config_dir: Path | None,
    as_json: bool,
) -> None:
    """Find documents: words, "phrases", AND OR NOT, brackets, loan*, and fields.

    \b
    circularwatch search 设备更新 贷款
    circularwatch search 'task:foreign-trade AND ("export credit" OR 出口信用保险)'
    circularwatch search 'source:nfra published:2026-10..2026-11 NOT title:任职资格'

    Fields: title text task measure source kind lang issuer level region industry instrument institution doc_number
    published relevance firsthand. An alert rule with the same query fires for the same documents.
    """
    from db.search import QueryError, compile_query, parse
    from db.search.names import allowed

    config = load_config(config_dir, db_path)
    text = " ".join(query)
    try:
        parsed = parse(text, allowed(config))
    except QueryError as error:
        raise CommandError(
            f"the query cannot be run: {error}\n  {text}\n  {' ' * width(text[: error.position])}^"
        ) from error
    compiled = compile_query(parsed)
    database = open_database(config.settings.database, readonly=True)
    try:
        total = database.conn.execute(compiled.count(), compiled.values).fetchone()[0]
        order = "relevance" if by_relevance else "newest"
        values = [*compiled.values, limit or -1, offset]
        rows = [record(database.conn, row) for row in database.conn.execute(compiled.statement(COLUMNS, order), values)]
    finally:
        database.close()
    if as_json:
        print_json({"query": text, "understood": str(parsed), "total": total, "documents": rows})
    else:
        show(rows, total, str(parsed))


def record(connection: Any, row: tuple) -> dict[str, Any]:
    """One hit with the tasks it carries."""
    names = ("pk", "id", "title", "outlet", "published_on", "source", "kind", "language", "relevance", "url")
    found = dict(zip(names, row, strict=True))
    found["tasks"] = [task for (task,) in connection.execute(_TASKS, (found.pop("pk"),))]
    return found


def width(text: str) -> int:
    """Columns that a text takes on a terminal; Chinese characters take two."""
    from rich.cells import cell_len

    return cell_len(text)


def show(rows: list[dict[str, Any]], total: int, understood: str) -> None:
    """A table for people; how the query was understood and how many there are go to standard error."""
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    console = Console(width=None if sys.stdout.isatty() else 160)
    table = Table(box=None, pad_edge=False)
    for name in ("published", "outlet", "title", "tasks", "id"):
        table.add_column(name, overflow="fold", no_wrap=name in ("published", "id"))
    for row in rows:
        outlet = row["outlet"] or row["source"]
        table.add_row(
            row["published_on"] or "no date", escape(outlet), escape(row["title"]), "\n".join(row["tasks"]), row["id"]
        )
    if rows:
        console.print(table)
    shown = f"; {len(rows)} shown (--limit, --offset)" if len(rows) < total else ""
    click.echo(f"{total} found{shown}; understood as {understood}", err=True)
