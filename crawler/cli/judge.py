"""`circularwatch judge`: what a person says of a label; training learns from it, and no label is changed by it."""

from __future__ import annotations

import contextlib
import getpass
import os
from pathlib import Path
from typing import TYPE_CHECKING

import click

from crawler.cli.common import (
    CommandError,
    Failed,
    common_options,
    json_option,
    load_config,
    open_database,
    print_json,
    say,
)

if TYPE_CHECKING:
    from sqlite_utils import Database


@click.command("judge")
@click.argument("key", metavar="[ID|URL]", required=False)
@click.argument("verdict", type=click.Choice(["yes", "no", "withdrawn"]), required=False)
@click.option("--task", help="The task that is judged; `relevant` = does the document bear on the circular at all.")
@click.option("--note", default="", help="Why, in your words.")
@click.option("--who", default="", help="Who judges.  [default: your login name]")
@click.option(
    "--list", "listing", is_flag=True, help="Show judgements, newest first (of one document or task if named)."
)
@common_options
@json_option
def command(
    key: str | None,
    verdict: str | None,
    task: str | None,
    note: str,
    who: str,
    listing: bool,
    db_path: Path | None,
    config_dir: Path | None,
    as_json: bool,
) -> None:
    """Say whether a document bears on a task.

    The judgement is kept with who said it, when, and of which text; explain and the document's page show it beside the
    label, which it never changes. `circularwatch train --db …` learns from judgements; `circularwatch review` lists
    documents that are worth one. A second judgement of the same person replaces the first; `withdrawn` takes it back.

    \b
    circularwatch judge d5f0c2 --task foreign-trade no --note "export of farm goods"
    circularwatch judge https://example.org/1.html --task relevant yes
    circularwatch judge --list
    """
    config = load_config(config_dir, db_path)
    with contextlib.closing(open_database(config.settings.database)) as database:
        if listing:
            show(database, key, task, as_json)
            return
        if key is None or verdict is None or task is None:
            raise CommandError("a judgement is ID|URL --task TASK yes|no; `--list` shows those that were made")
        from db.judgements import JudgementError, record
        from db.tables import sync

        sync(database, config)
        pk = find(database, key)
        try:
            made = record(database, pk, task, verdict, note, who or login())
        except JudgementError as e:
            raise CommandError(str(e)) from e
        if as_json:
            print_json(made.as_json())
            return
        carries = "it carries the label" if made.carried else "it does not carry the label"
        carries = (
            ("it is held for relevant" if made.carried else "it is held for not relevant")
            if task == "relevant"
            else carries
        )
        say(f"{made.document}: {task} {verdict}, said {made.who or 'nobody'} ({carries}; training will learn from it)")


def find(database: Database, key: str) -> int:
    """The row of a document; raises Failed."""
    from db.lookup import find_pk

    pk = find_pk(database, key)
    if pk is None:
        raise Failed(f"{key} is no document: name its id or one of its URLs; circularwatch search finds documents")
    return pk


def login() -> str:
    """The name of whoever is at the keyboard, if the system knows one."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return os.environ.get("USER", "")


def show(database: Database, key: str | None, task: str | None, as_json: bool) -> None:
    """The judgements that were made."""
    from crawler.cli.tables import print_table
    from db import judgements

    conn = database.conn
    id_ = None
    if key is not None:
        row = conn.execute("select id from documents where pk = ?", (find(database, key),)).fetchone()
        id_ = row[0]
    rows = judgements.listing(database, task, id_)
    if as_json:
        for row in rows:
            print_json(row)
        return
    shown = [row | {"carries": {True: "yes", False: "no", None: ""}[row["carries"]]} for row in rows]
    columns = ("id", "judged_at", "document", "task", "verdict", "carries", "who", "note", "title")
    print_table(shown, columns, f"{len(rows)} judgements (carries: what the label says today)")
