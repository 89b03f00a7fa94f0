"""The processes that the crash tests kill: `python -m tests.db.crash_child process|write|journal FOLDER …`."""

from __future__ import annotations

import sys
from pathlib import Path

import db
from db import journal
from db.documents import Processed
from db.writer import Writer
from tests.db.helpers import exchange, listing
from tests.db.test_writer import make_document


def run_processor(place: Path) -> None:
    """Read all that is pending, slowly enough to be killed in the middle."""
    from pipelines.processor import process
    from tests.pipelines import readers

    process(
        readers.config(),
        place / "x.db",
        place / "archive",
        workers=2,
        wait=True,
        setup_name="tests.pipelines.readers:setup",
    )


def write(place: Path, number: int, rounds: int) -> None:
    """Journal and store like a crawl and a processor at once; says after each round what is committed."""
    database = db.connect(place / "x.db")
    writer = Writer(database)
    for _ in range(rounds):
        first = journal.reserve(database, 2)
        key = f"p{number}-{first}"
        page = listing(first, [key], url=f"https://l{number}.example/")
        journal.apply(database, [page, exchange(first + 1, entry=key)])
        document = make_document(f"h{first}.example", number, "" if first % 5 else "金发〔2024〕5号", "甲")
        writer.store([Processed(first + 1, "s", key, document)])
        print(first + 1, flush=True)
    database.close()


if __name__ == "__main__":
    folder = Path(sys.argv[2])
    if sys.argv[1] == "process":
        run_processor(folder)
    else:
        write(folder, int(sys.argv[3]), int(sys.argv[4]))
