"""Real processes, really killed: nothing is lost, nothing is there twice, nobody has to repair anything."""

from __future__ import annotations

import contextlib
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

import db
from db import compare, journal
from db.search.index import faults
from db.tables import sync
from tests.db.helpers import add_tasks, exchange, listing
from tests.pipelines import readers, warcs

ROOT = Path(__file__).parents[2]
KILLS = 12


def child(*arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "tests.db.crash_child", *arguments], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )


def make_place(place: Path, documents: int = 500) -> None:
    """An archive of three runs, of which the database knows only the first: the crawl was killed as well."""
    place.mkdir(exist_ok=True)
    for run in range(3):
        ids = range(1 + run * documents, 1 + (run + 1) * documents, 3)
        events: list[journal.Event] = [
            listing(ids[0], [f"e{n}" for n in ids[1:]], url=f"https://l{run}.example/", etag="v")
        ]
        events += [
            exchange(
                n, entry=f"e{n}", url=f"https://s/{n % 97}", run=f"r{run}", said={"do": "slow" if n % 4 else "refuse"}
            )
            for n in ids[1:]
        ]
        placed = warcs.write(place / "archive", f"2026/01/2026010{run + 1}T000000Z-s.warc.gz", events)
        if run == 0:
            with contextlib.closing(db.connect(place / "x.db")) as database:
                sync(database, readers.config())
                journal.apply(database, placed)


@pytest.mark.slow
def test_kills_at_random_moments_leave_the_same_documents(tmp_path: Path) -> None:
    calm, rough = tmp_path / "calm", tmp_path / "rough"
    make_place(calm)
    calm_run = child("process", str(calm))
    rng = random.Random(7)
    rough.mkdir()
    subprocess.run(["cp", "-r", f"{calm}/archive", str(rough)], check=True)
    with contextlib.closing(db.connect(calm / "x.db")) as database:
        database.conn.execute("vacuum into ?", (str(rough / "x.db"),))
    # whatever the calm run has done by now, the rough one begins with nothing of it
    (rough / "x.db").unlink()
    killed = 0
    for _ in range(KILLS):
        process = child("process", str(rough))
        time.sleep(0.45 + rng.random() * 0.9)
        killed += process.poll() is None
        process.send_signal(signal.SIGKILL)
        process.wait()
    assert killed >= KILLS // 3, "the processor was too quick to be killed; make the test larger"
    assert child("process", str(rough)).wait(120) == 0
    assert calm_run.wait(120) == 0
    one, two = db.connect(calm / "x.db", readonly=True), db.connect(rough / "x.db", readonly=True)
    assert compare.differences(one, two) == []
    assert one.conn.execute("select count(*) from documents").fetchone()[0] == 97
    assert one.conn.execute("select count(*) from fetches where state = 'pending'").fetchone()[0] == 0
    for database in (db.connect(calm / "x.db"), db.connect(rough / "x.db")):
        assert faults(database.conn) == []


@pytest.mark.slow
def test_readers_end_when_their_processor_is_killed(tmp_path: Path) -> None:
    make_place(tmp_path / "p")
    process = child("process", str(tmp_path / "p"))
    family: list[psutil.Process] = []
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline and len(family) < 4:  # fork server, resource tracker, two readers
        family = psutil.Process(process.pid).children(recursive=True)
        time.sleep(0.05)
    process.send_signal(signal.SIGKILL)
    process.wait()
    gone, alive = psutil.wait_procs(family, timeout=30)
    assert (len(gone) > 2, alive) == (True, [])


@pytest.mark.slow
def test_four_processes_writing_at_once_lose_nothing(tmp_path: Path) -> None:
    with contextlib.closing(db.connect(tmp_path / "x.db")) as database:
        add_tasks(database)
    rounds = 60
    children = [child("write", str(tmp_path), str(n), str(rounds)) for n in range(4)]
    said = [int(line) for c in children for line in c.communicate(timeout=120)[0].split()]
    assert [c.returncode for c in children] == [0] * 4
    with contextlib.closing(db.connect(tmp_path / "x.db")) as database:
        conn = database.conn
        stored = [r[0] for r in conn.execute("select id from fetches where state = 'done' order by id")]
        assert stored == sorted(said)
        assert len(said) == len(set(said)) == 4 * rounds
        assert conn.execute("select count(*) from observations").fetchone()[0] == 4 * rounds
        numbered = conn.execute(
            "select count(*) from document_urls u join documents d on d.pk = u.document where d.doc_number != ''"
        )
        assert numbered.fetchone()[0] == sum((n - 1) % 5 == 0 for n in said)
        assert conn.execute("select count(*) from documents where doc_number != ''").fetchone()[0] == 1
        assert conn.execute("select count(*) from entries where state = 'done'").fetchone()[0] == 4 * rounds
        assert faults(conn) == []


@pytest.mark.slow
def test_a_killed_writer_leaves_whole_transactions(tmp_path: Path) -> None:
    with contextlib.closing(db.connect(tmp_path / "x.db")) as database:
        add_tasks(database)
    said: list[int] = []
    for attempt in range(4):
        process = child("write", str(tmp_path), str(attempt), "100000")
        assert process.stdout
        for _ in range(random.randint(1, 40)):
            said.append(int(process.stdout.readline()))
        os.kill(process.pid, signal.SIGKILL)
        said += [int(line) for line in process.stdout.read().split()]
        process.wait()
    with contextlib.closing(db.connect(tmp_path / "x.db")) as database:
        conn = database.conn
        done = {r[0] for r in conn.execute("select id from fetches where state = 'done'")}
        assert set(said) <= done
        assert len(done) - len(said) <= 4, "at most the one that was committed and not yet said, per kill"
        whole = "select count(*) from fetches f where state = 'done' and not exists (select 1 from observations where fetch = f.id)"
        assert conn.execute(whole).fetchone()[0] == 0
        assert conn.execute("pragma integrity_check").fetchone()[0] == "ok"
