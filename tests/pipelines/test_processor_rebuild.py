"""Rebuild: equal table by table, what was lost is named, the old file stays until the new one is right."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import Any

import pytest

import db
from db import compare, journal
from db.errors import DatabaseError
from db.tables import sync
from pipelines import processor
from pipelines.processor import process
from pipelines.rebuild import RebuildError, Rebuilt, rebuild
from tests.db.helpers import exchange, listing
from tests.pipelines import readers, warcs

READERS = "tests.pipelines.readers:setup"
PROCESSING: dict[str, Any] = {"workers": 1, "setup_name": READERS}


def crawl_and_process(place: Path, portions: int = 3) -> None:
    """A crawl in several runs, processed after each, with failures, a changed page, parts and a stray."""
    archive = place / "archive"
    first: list[journal.Event] = [listing(1, [f"e{n}" for n in range(2, 12)], etag='"v1"', sha256="a")]
    first += [
        exchange(n, "timeout" if n == 5 else "ok", entry=f"e{n}", said={"do": "refuse" if n == 7 else "ok"})
        for n in range(2, 12)
    ]
    second: list[journal.Event] = [exchange(20, entry="e5", run="r2"), exchange(21, entry="e3", run="r2")]
    second += [exchange(22, kind="attachment", parent=21, entry="e3", run="r2", url="https://s/f.pdf")]
    third: list[journal.Event] = [
        exchange(30, "not-found", entry="e4", run="r3"),
        listing(31, ["e2", "e40"], etag='"v2"', sha256="b"),
    ]
    third += [exchange(40, entry="e40", run="r3")]
    for number, events in enumerate((first, second, third)[:portions]):
        placed = warcs.write(archive, f"2026/01/2026010{number + 1}T000000Z-s.warc.gz", events)
        with contextlib.closing(db.connect(place / "x.db")) as database:
            sync(database, readers.config())
            journal.reserve(database, 50)
            journal.apply(database, placed)
        process(readers.config(), place / "x.db", archive, **PROCESSING)


def snapshot(place: Path, name: str = "x.db") -> db.connection.Database:
    return db.connect(place / name, readonly=True)


def run(place: Path, **more: Any) -> Rebuilt:
    return rebuild(readers.config(), place / "x.db", place / "archive", **(PROCESSING | more))


def test_a_rebuilt_database_is_equal_table_by_table(tmp_path: Path) -> None:
    crawl_and_process(tmp_path)
    with contextlib.closing(snapshot(tmp_path)) as database:
        database.conn.execute("vacuum into ?", (str(tmp_path / "before.db"),))
        counter = database.conn.execute("select next from counters").fetchone()
    done = run(tmp_path)
    one, two = snapshot(tmp_path, "before.db"), snapshot(tmp_path)
    assert compare.differences(one, two) == []
    assert one.conn.execute("select count(*) from documents").fetchone()[0] == 10
    assert two.conn.execute("select next from counters").fetchone() == counter
    assert (done.documents, done.losses, done.kept.missing_documents) == (10, [], [])
    left = sorted(p.name for p in tmp_path.iterdir())
    assert not [n for n in left if "rebuild" in n], left


def test_comparison_sees_a_difference(tmp_path: Path) -> None:
    crawl_and_process(tmp_path, 1)
    with contextlib.closing(snapshot(tmp_path)) as database:
        database.conn.execute("vacuum into ?", (str(tmp_path / "other.db"),))
    with contextlib.closing(db.connect(tmp_path / "other.db")) as database, db.immediate(database) as conn:
        conn.execute("update document_tasks set score = 0.1 where document = 2")
    found = compare.differences(snapshot(tmp_path), snapshot(tmp_path, "other.db"))
    assert [f.split(":")[0] for f in found] == ["document_tasks"] * 3


def test_a_cut_archive_gives_all_that_was_whole_and_says_what_was_lost(tmp_path: Path) -> None:
    crawl_and_process(tmp_path)
    last = tmp_path / "archive/2026/01/20260103T000000Z-s.warc.gz"
    last.write_bytes(last.read_bytes()[:-40])
    with pytest.raises(RebuildError, match="lacks 1 documents"):
        run(tmp_path)
    assert snapshot(tmp_path).conn.execute("select count(*) from documents").fetchone()[0] == 10
    done = run(tmp_path, force=True)
    assert done.documents == 9
    assert len(done.losses) == 1
    assert "cut off" in done.losses[0]
    assert [url for _, url in done.kept.missing_documents] == ["https://s/e40"]
    assert (
        snapshot(tmp_path, Path(done.old_file).name).conn.execute("select count(*) from documents").fetchone()[0] == 10
    )


def test_what_no_archive_holds_is_carried_over(tmp_path: Path) -> None:
    crawl_and_process(tmp_path)
    with contextlib.closing(db.connect(tmp_path / "x.db")) as database, db.immediate(database) as conn:
        conn.execute(
            "insert into source_runs (id, source, trigger, started_at, state) values ('r1', 's', 'manual', '2026', 'done')"
        )
        conn.execute(
            "insert into alert_matches (sequence, rule, document, reason, matched_at) "
            "select 41, 'r', id, 'new', '2026' from documents where pk = 2"
        )
    done = run(tmp_path)
    assert {t: n for t, n in done.kept.rows.items() if n} == {"source_runs": 1, "alert_matches": 1}
    with contextlib.closing(db.connect(tmp_path / "x.db")) as database, db.immediate(database) as conn:
        conn.execute("insert into alert_matches (rule, document, reason, matched_at) values ('r', 'x', 'new', '2026')")
        assert conn.execute("select sequence from alert_matches").fetchall() == [(41,), (42,)], (
            "no number is used twice"
        )
    assert snapshot(tmp_path).conn.execute("select id, source, state from source_runs").fetchall() == [
        ("r1", "s", "done")
    ]


def test_a_damaged_database_is_rebuilt_and_kept_aside(tmp_path: Path) -> None:
    crawl_and_process(tmp_path)
    for ending in ("-wal", "-shm"):
        (tmp_path / f"x.db{ending}").unlink(missing_ok=True)
    (tmp_path / "x.db").write_bytes(b"this is no database" * 500)
    done = run(tmp_path)
    assert done.documents == 10
    assert Path(done.old_file).read_bytes().startswith(b"this is no database")


def test_a_rebuild_tells_nobody(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[int] = []
    monkeypatch.setattr(
        processor, "HOOKS", [lambda config, database: lambda conn, documents: told.append(len(documents))]
    )
    crawl_and_process(tmp_path)
    assert sum(told) == 8 + 2 + 1, "new and changed documents of the crawl"
    told.clear()
    run(tmp_path)
    assert told == []


def test_without_an_archive_nothing_is_touched(tmp_path: Path) -> None:
    crawl_and_process(tmp_path, 1)
    with pytest.raises(RebuildError, match="There is no archive"):
        rebuild(readers.config(), tmp_path / "x.db", tmp_path / "elsewhere", **PROCESSING)
    assert snapshot(tmp_path).conn.execute("select count(*) from documents").fetchone()[0] > 0


def test_nobody_may_write_meanwhile(tmp_path: Path) -> None:
    crawl_and_process(tmp_path, 1)
    with contextlib.closing(db.connect(tmp_path / "x.db")), pytest.raises(DatabaseError, match="is in use"):
        run(tmp_path)
    with (
        contextlib.closing(db.connection.hold(tmp_path / "x.db", exclusive=True)),
        pytest.raises(DatabaseError, match="being rebuilt"),
    ):
        db.connect(tmp_path / "x.db")
    assert run(tmp_path).documents > 0


def test_orphans_of_a_killed_crawl_are_adopted(tmp_path: Path) -> None:
    warcs.write(
        tmp_path / "archive", "2026/01/20260101T000000Z-s.warc.gz", [exchange(n, entry=f"e{n}") for n in (1, 2, 3)]
    )
    summary = process(readers.config(), tmp_path / "x.db", tmp_path / "archive", **PROCESSING)
    assert (summary.adopted, summary.new) == (3, 3)
    again = process(readers.config(), tmp_path / "x.db", tmp_path / "archive", **PROCESSING)
    assert (again.adopted, again.read) == (0, 0)


def test_the_real_readers_start_and_read_the_archive(tmp_path: Path) -> None:
    import config

    loaded = config.load()
    source = next(iter(loaded.sources))
    events = [exchange(n, entry=f"e{n}", source=source, url=f"https://{source}.example/{n}.html") for n in (1, 2)]
    warcs.write(tmp_path / "archive", "2026/01/20260101T000000Z-s.warc.gz", [events[0]])
    warcs.write(tmp_path / "archive", "2026/01/20260102T000000Z-s.warc.gz", [exchange(3, entry="x", source="nobody")])
    summary = process(loaded, tmp_path / "x.db", tmp_path / "archive", workers=1)
    assert summary.read == 2
    assert "not configured any more" in summary.failed[-1]["reason"]
    assert "archive" in summary.cpu
    assert processor.BATCH == 100
