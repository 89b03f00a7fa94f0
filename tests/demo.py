"""`make demo`: the whole job once, with the production configuration, on the imitation web; no internet.

Starts the imitation web, crawls every enabled source at its real address through it, and prints the task ledger:
which tasks have evidence, the newest sentence of it, from whom and when. The texts are invented; the structure of the
sites, the crawl, the archive and the database are the real thing.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
from pathlib import Path

from rich.console import Console
from rich.table import Table
from rich.text import Text

ROOT = Path(__file__).resolve().parent.parent


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make demo", description=__doc__.split("\n")[0])
    parser.add_argument(
        "--folder", type=Path, default=Path("data/demo"), help="where database and archive go (emptied first)"
    )
    return parser.parse_args()


def environment(folder: Path, proxy: str, ca_file: str) -> dict[str, str]:
    """The only things that differ from production: the proxy, its certificate authority, a contact, no delays."""
    return os.environ | {
        "CIRCULARWATCH_DB": str(folder / "circularwatch.db"),
        "CIRCULARWATCH_ARCHIVE": str(folder / "archive"),
        "CIRCULARWATCH_PROXY": proxy,
        "CIRCULARWATCH_CA_FILE": ca_file,
        "CIRCULARWATCH_CONTACT": "demo@example.org",
        "CIRCULARWATCH_DELAY": "0",
    }


def circularwatch(env: dict[str, str], *args: str) -> int:
    return subprocess.run([sys.executable, "-m", "crawler", *args], env=env, cwd=ROOT).returncode


def print_ledger(console: Console, database: Path) -> int:
    """The task ledger as a table; returns how many documents are relevant."""
    import db
    from db import ledger

    opened = db.connect(database, readonly=True)
    table = Table(title="Evidence for each task of the April 2024 circular", title_justify="left", show_lines=True)
    for name, justify in (("task", "left"), ("docs", "right"), ("newest evidence", "left"), ("from, on", "left")):
        table.add_column(name, justify=justify, overflow="fold")  # type: ignore[arg-type]
    missing = []
    for row in ledger.tasks(opened):
        if row.parent:
            continue
        if row.newest is None:
            missing.append(row.id)
            continue
        found = row.newest
        sentence = Text(found.sentence)
        sentence.stylize("bold", found.start, found.end)
        table.add_row(f"{row.zh}\n[dim]{row.en}[/dim]", str(row.documents), sentence, f"{found.outlet}\n{found.date}")
    console.print(table)
    console.print("No evidence: " + (", ".join(missing) if missing else "none of the tasks; all have some."))
    return int(opened.execute("select count(*) from documents where relevant").fetchone()[0])


_FIELDS = """
select e.source, count(*), sum(d.title = ''), sum(d.published_on is null), sum(d.text = ''), sum(d.outlet = ''),
  sum(d.kind in ('circular', 'local rule') and d.issuers = '[]')
from entries e join documents d on d.pk = e.document group by e.source"""


def print_sources(console: Console, database: Path) -> None:
    """Each source that was crawled: rows of its lists, documents, and which fields are missing in how many of them."""
    import db

    opened = db.connect(database, readonly=True)
    fields = {row[0]: row[1:] for row in opened.execute(_FIELDS).fetchall()}
    table = Table(
        "source",
        "list rows",
        "documents",
        "missing fields",
        "outcome",
        title="What each source gave",
        title_justify="left",
    )
    for source, rows, outcome, reason in opened.execute(
        "select source, list_rows, outcome, reason from source_runs order by source"
    ).fetchall():
        documents, *missing = fields.get(source, (0, 0, 0, 0, 0, 0))
        names = ("title", "date", "text", "outlet", "issuer")
        words = ", ".join(f"{name} in {count}" for name, count in zip(names, missing, strict=True) if count)
        table.add_row(source, str(rows), str(documents), words or "none", reason or outcome or "ok")
    console.print(table)


def main() -> int:
    from tests.web import ImitationWeb

    options = arguments()
    folder = options.folder.absolute()
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    console = Console(width=None if sys.stdout.isatty() else 120)
    console.print("demo: starting the imitation web (every text in it is invented; nothing leaves this machine)")
    with ImitationWeb(filler=True) as web:
        env = environment(folder, web.proxy, str(web.ca_file))
        console.print("demo: crawling every enabled source of config/sources.yaml at its real address, through it")
        status = circularwatch(env, "crawl")
    print_sources(console, folder / "circularwatch.db")
    relevant = print_ledger(console, folder / "circularwatch.db")
    console.print(f"\n{relevant} documents bear on manufacturing finance. All texts are invented for this demo.")
    console.print(f"The database is {folder / 'circularwatch.db'}, the archive {folder / 'archive'}.", soft_wrap=True)
    return status


if __name__ == "__main__":
    sys.exit(main())
