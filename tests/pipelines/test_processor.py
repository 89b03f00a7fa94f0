"""The processor: order, limits, killed readers, one at a time, clean ends."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import pytest
from sqlite_utils import Database

import db
from db import compare, journal
from db.tables import sync
from pipelines.processor import ProcessorBusy, Summary, lock, process
from pipelines.worker import WorkerError
from tests.db.helpers import exchange
from tests.pipelines import readers

READERS = "tests.pipelines.readers:setup"


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """A folder with a database whose tables know the configuration."""
    database = db.connect(tmp_path / "x.db")
    sync(database, readers.config())
    database.close()
    return tmp_path


def fill(place: Path, events: list[journal.Event]) -> None:
    database = db.connect(place / "x.db")
    journal.apply(database, events)
    database.close()


def run(place: Path, **more: Any) -> Summary:
    values: dict[str, Any] = {"workers": 2, "setup_name": READERS, "adopt": False, "limit_s": 20.0}
    return process(readers.config(str(place)), place / "x.db", place, **(values | more))


def read(place: Path, statement: str) -> list[tuple[Any, ...]]:
    database = db.connect(place / "x.db", readonly=True)
    try:
        return database.conn.execute(statement).fetchall()
    finally:
        database.close()


def test_everything_pending_is_read_in_fetch_order(place: Path) -> None:
    fill(place, [exchange(n, entry=f"e{n}", said={"do": "slow" if n % 7 == 1 else "ok"}) for n in range(1, 301)])
    seen: list[int] = []
    summary = run(place, progress=lambda s, left: seen.append(left), after_store=[])
    assert (summary.read, summary.new, summary.failed) == (300, 300, [])
    assert seen[-1] == 0
    assert seen == sorted(seen, reverse=True)
    assert read(place, "select count(*), count(distinct id) from documents") == [(300, 300)]
    assert read(place, "select distinct state from entries") == [("done",)]
    assert {"extract", "store"} <= set(summary.cpu)
    assert run(place).read == 0


def test_batches_are_written_in_fetch_order(place: Path) -> None:
    fill(place, [exchange(n, entry=f"e{n}", said={"do": "slow" if n % 5 == 1 else "ok"}) for n in range(1, 251)])
    order: list[int] = []
    run(place, after_store=[lambda conn, documents: order.extend(d.pk for d in documents)])
    assert order == list(range(1, 251))


def test_faults_of_a_reader_cost_that_document_only(place: Path) -> None:
    deeds = {3: "raise", 5: "die", 7: "refuse", 9: "lie", 11: "die once"}
    fill(place, [exchange(n, entry=f"e{n}", said={"do": deeds.get(n, "ok")}) for n in range(1, 41)])
    summary = run(place)
    reasons = {f["fetch"]: f["reason"] for f in summary.failed}
    assert sorted(reasons) == [3, 5, 7, 9]
    assert reasons[3] == "RuntimeError: broken reader"
    assert "lost 2 times" in reasons[5]
    assert "SIGKILL" in reasons[5]
    assert reasons[7] == "the page says that it does not exist"
    assert reasons[9].startswith("refused: ")
    assert read(place, "select count(*) from documents") == [(36,)]
    assert dict(read(place, "select key, reason from entries where state = 'failed'"))["e5"] == reasons[5]


@pytest.mark.parametrize("deed", ["hang", "spin"])
def test_a_reader_that_stands_still_is_ended(place: Path, deed: str) -> None:
    fill(place, [exchange(n, entry=f"e{n}", said={"do": deed if n == 2 else "ok"}) for n in range(1, 11)])
    summary = run(place, limit_s=0.4)
    assert [f["fetch"] for f in summary.failed] == [2]
    assert read(place, "select count(*) from documents") == [(9,)]


def test_workers_that_cannot_start_say_why(place: Path) -> None:
    fill(place, [exchange(1, entry="e1")])
    with pytest.raises(WorkerError, match="the model file is missing"):
        run(place, setup_name="tests.pipelines.readers:broken_setup")
    assert read(place, "select state from fetches") == [("pending",)]


def test_pages_and_attachments_go_with_their_document_and_a_late_one_reads_it_again(place: Path) -> None:
    part = {"parent": 1, "entry": "e1", "kind": "attachment"}
    fill(place, [exchange(1, entry="e1"), exchange(2, url="https://s/a.pdf", **part)])
    run(place)
    assert read(place, "select text from documents")[0][0].endswith("https://s/a.pdf")
    fill(place, [exchange(3, "timeout", url="https://s/b.pdf", **part), exchange(4, url="https://s/c.pdf", **part)])
    assert run(place).read == 1
    assert read(place, "select text from documents")[0][0].endswith("https://s/a.pdfhttps://s/b.pdfhttps://s/c.pdf")
    assert read(place, "select count(*) from fetches where state = 'pending'") == [(0,)]


def test_a_page_without_its_document_fails_with_the_reason_and_does_not_stop_the_others(place: Path) -> None:
    fill(place, [exchange(2, kind="page", parent=1, entry="e1"), exchange(3, entry="e3")])
    summary = run(place)
    assert [f["reason"] for f in summary.failed] == ["its document was not received"]
    assert read(place, "select id, state from fetches order by id") == [(2, "failed"), (3, "done")]


def test_a_second_processor_says_so_and_can_wait(place: Path) -> None:
    fill(place, [exchange(1, entry="e1")])
    done: list[Summary] = []
    with lock(place / "x.db"):
        with pytest.raises(ProcessorBusy, match=f"process {os.getpid()}"):
            run(place)
        waiting = threading.Thread(target=lambda: done.append(run(place, wait=True)))
        waiting.start()
        assert read(place, "select count(*) from documents") == [(0,)]
    waiting.join(60)
    assert done[0].new == 1


def test_drain_follows_a_crawl_and_ends_with_it(place: Path) -> None:
    drain = threading.Event()
    done: list[Summary] = []
    follower = threading.Thread(target=lambda: done.append(run(place, drain=drain)))
    follower.start()
    for n in range(1, 6):
        fill(place, [exchange(n, entry=f"e{n}")])
        time.sleep(0.05)
    drain.set()
    follower.join(60)
    assert done[0].read == 5


def test_parts_that_arrive_while_their_document_is_read_are_not_left_over(place: Path) -> None:
    fill(place, [exchange(n, entry=f"e{n}", said={"do": "slow"}) for n in range(1, 61)])
    late = [exchange(100 + n, kind="page", parent=n, entry=f"e{n}", url=f"https://s/p{n}") for n in range(1, 61)]
    arrived: list[int] = []

    def deliver(summary: Summary, left: int) -> None:
        if not arrived:
            arrived.append(left)
            fill(place, list(late))

    run(place, progress=deliver)
    assert arrived
    texts = read(place, "select count(*) from documents where text like '%https://s/p%'")
    assert texts == [(60,)]
    assert read(place, "select count(*) from fetches where state = 'pending'") == [(0,)]


def test_sigterm_ends_a_following_processor_cleanly(place: Path) -> None:
    fill(place, [exchange(n, entry=f"e{n}", said={"do": "slow"}) for n in range(1, 401)])
    script = (
        "from tests.pipelines import readers; from pipelines.processor import process; import sys; from pathlib import Path\n"
        "if __name__ == '__main__':\n"
        "    p = Path(sys.argv[1])\n"
        "    s = process(readers.config(str(p)), p / 'x.db', p, follow=True, adopt=False, workers=2,\n"
        f"        setup_name={READERS!r}, progress=lambda s, left: print(s.read, flush=True))\n"
        "    print('stopped', s.stopped, flush=True)\n"
    )
    file = place / "follow.py"
    file.write_text(script)
    root = Path(__file__).parents[2]
    child = subprocess.Popen(
        [sys.executable, str(file), str(place)],
        stdout=subprocess.PIPE,
        text=True,
        cwd=root,
        env={**os.environ, "PYTHONPATH": str(root)},
    )
    assert child.stdout
    first = int(child.stdout.readline())
    child.send_signal(signal.SIGTERM)
    rest = child.stdout.read().split("\n")
    assert child.wait(30) == 0
    assert "stopped True" in rest
    assert first <= read(place, "select count(*) from documents")[0][0] <= 400
    run(place)
    assert read(place, "select count(*), count(distinct url) from documents") == [(400, 400)]


def test_many_pendings_are_the_same_whatever_the_number_of_workers(
    place: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    events: list[journal.Event] = [exchange(n, entry=f"e{n % 40}", url=f"https://s/{n % 40}") for n in range(1, 121)]
    fill(place, events)
    run(place, workers=2)
    other = tmp_path_factory.mktemp("other")
    sync(db.connect(other / "x.db"), readers.config())
    for n in range(0, 120, 30):
        fill(other, events[n : n + 30])
        run(other, workers=1)
    one, two = (Database(db.connect(p / "x.db").conn) for p in (place, other))
    assert compare.differences(one, two) == []
