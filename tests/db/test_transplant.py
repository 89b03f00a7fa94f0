"""What no archive holds goes into the rebuilt database, and follows its documents to their new rows."""

from __future__ import annotations

import contextlib
from pathlib import Path

import db
from db import journal
from db.documents import Processed
from db.transplant import DERIVED, transplant
from db.writer import Writer
from tests.db.helpers import add_tasks, exchange
from tests.db.test_writer import make_document


def make(path: Path, hosts: dict[int, tuple[str, str]]) -> None:
    """A database with a document per fetch: its host and its number."""
    with contextlib.closing(db.connect(path)) as database:
        add_tasks(database)
        journal.apply(database, [exchange(n, entry=f"e{n}") for n in hosts])
        Writer(database).store(
            [Processed(n, "s", f"e{n}", make_document(h, 1, number, "甲")) for n, (h, number) in hosts.items()]
        )
        with db.immediate(database) as conn:
            conn.execute("create table marks (document integer references documents(pk), said text not null)")
            conn.execute("create table notes (id integer primary key, said text)")


def test_references_follow_the_document_and_what_is_gone_is_counted(tmp_path: Path) -> None:
    make(tmp_path / "old.db", {1: ("a.example", ""), 2: ("b.example", ""), 3: ("c.example", "")})
    with contextlib.closing(db.connect(tmp_path / "old.db")) as old, db.immediate(old) as conn:
        conn.execute("insert into marks values (1, 'one'), (2, 'two'), (3, 'three'), (null, 'none')")
        conn.execute("insert into notes values (7, 'kept')")
    # a.example has another row now, b.example has gained a number and so another id, c.example is lost
    make(tmp_path / "new.db", {2: ("b.example", "金发〔2024〕5号"), 9: ("a.example", "")})
    with contextlib.closing(db.connect(tmp_path / "new.db")) as new:
        kept = transplant(new, tmp_path / "old.db")
        said = new.conn.execute("select document, said from marks order by said").fetchall()
        assert said == [(None, "none"), (9, "one"), (2, "two")]
        assert new.conn.execute("select * from notes").fetchall() == [(7, "kept")]
        assert kept.lost_rows == {"marks": 1}
        assert [url for _, url in kept.missing_documents] == ["https://c.example/1"]
        assert new.conn.execute("pragma foreign_key_check").fetchall() == []


def test_every_table_that_a_rebuild_makes_is_named(tmp_path: Path) -> None:
    """A table of the writer that is not named would be copied over what was made anew."""
    database = db.connect(tmp_path / "x.db")
    assert set(database.table_names()) >= DERIVED
    pointing = database.conn.execute(
        "select m.name from sqlite_master m, pragma_foreign_key_list(m.name) f where f.\"table\" = 'documents'"
    )
    assert {r[0] for r in pointing} <= DERIVED


def test_judgements_are_carried_over_and_follow_a_new_id(tmp_path: Path) -> None:
    make(tmp_path / "old.db", {1: ("a.example", ""), 2: ("b.example", ""), 3: ("c.example", "")})
    with contextlib.closing(db.connect(tmp_path / "old.db")) as old, db.immediate(old) as conn:
        conn.execute(
            "insert into judgements (document, task, verdict, judged_at, digest) "
            "select id, 't1', 'no', '2026-01-01T00:00:00Z', '' from documents order by pk"
        )
        was = dict(conn.execute("select url, id from documents").fetchall())
    make(tmp_path / "new.db", {2: ("b.example", "金发〔2024〕5号"), 9: ("a.example", "")})
    with contextlib.closing(db.connect(tmp_path / "new.db")) as new:
        kept = transplant(new, tmp_path / "old.db")
        now = dict(new.conn.execute("select url, id from documents").fetchall())
        assert now["https://b.example/1"] != was["https://b.example/1"]
        said = [r[0] for r in new.conn.execute("select document from judgements order by id")]
        assert said == [now["https://a.example/1"], now["https://b.example/1"], was["https://c.example/1"]]
        assert kept.rows["judgements"] == 3
        new.conn.execute(
            "insert into judgements (document, task, verdict, judged_at, digest) values ('x', '', 'no', '', '')"
        )
        assert new.conn.execute("select max(id) from judgements").fetchone()[0] == 4, "no number is used twice"
