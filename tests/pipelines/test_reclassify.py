"""Labels again: the matrix names exactly what moved, one switch, nothing disturbed, nothing lost when killed."""

from __future__ import annotations

import contextlib
import json
import signal
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlite_utils import Database

import db
from crawler.cli.reclassify import next_step
from db import compare, journal, observations, verdicts
from db.documents import Document, Processed
from db.search.index import faults
from db.tables import sync
from db.verdicts import NotReady, Reading
from db.writer import Writer
from pipelines import explain
from pipelines.reclassify import ReclassifyBusy, Summary, lock, reclassify
from tests.db.helpers import exchange, listing
from tests.pipelines import readers
from tests.pipelines.relabel import Toy

ROOT = Path(__file__).parents[2]
WORDS = ["甲", "乙", "丙", "丁", "trouble"]
OLD, NEW = {"t1": "甲", "t2": "乙"}, {"t1": "甲", "t2": "丙"}


def toy(place: Path, words: dict[str, str], do: str = "") -> Toy:
    (place / "toy.json").write_text(json.dumps({"words": words, "do": do}), "utf-8")
    return Toy(place / "toy.json")


def document(number: int, words: str, host: str = "h", identity: str = "") -> Document:
    url = f"https://{host}/{number}"
    return Document(
        url=url, canonical_url=url, title=f"T{number}", text=f"{words} {number}", source="s", language="zh",
        identity=identity, published_on="2026-01-02",
    )  # fmt: skip


def fill(place: Path, classifier: Toy, documents: list[Document], first: int = 2) -> None:
    """Store documents as a processor with this classifier would."""
    with contextlib.closing(db.connect(place / "x.db")) as database:
        sync(database, readers.config())
        fetches = range(first, first + len(documents))
        journal.apply(
            database, [listing(1, [f"e{n}" for n in fetches]), *(exchange(n, entry=f"e{n}") for n in fetches)]
        )
        items = [
            Processed(n, "s", f"e{n}", explain.stage(classifier.classify(d)))
            for n, d in zip(fetches, documents, strict=True)
        ]
        failed = Writer(database).store(items).failed
        assert failed == []


def run(place: Path, **more: Any) -> Summary:
    """A pass with the toy in the folder; with `switch`, to the end."""
    values: dict[str, Any] = {"workers": 1, "setup_name": "tests.pipelines.relabel:setup"}
    values["classifier"] = Toy(place / "toy.json").id
    return reclassify(readers.config(str(place)), place / "x.db", **(values | more))


def at_once(database: Database, classifier: Toy, scope: str = "all") -> None:
    """The same without processes."""
    verdicts.begin(database, classifier.id, scope)
    for fetch in verdicts.unread(database, classifier.id, scope, 0, 10**6):
        whole = verdicts.document_of(database, fetch)
        assert whole is not None
        seen = verdicts.digest(whole)
        said = explain.stage(classifier.classify(whole))
        assert verdicts.stage(database, classifier.id, [Reading(fetch, said, seen)]) == (1, [])
    verdicts.finish(database, classifier.id)


def labels(database: Database) -> dict[str, set[str]]:
    """URL of each document -> the tasks that count."""
    found: dict[str, set[str]] = {r[0]: set() for r in database.conn.execute("select url from documents")}
    for url, task in database.conn.execute(
        "select d.url, t.task from documents d join document_tasks t on t.document = d.pk and t.classifier = d.classifier"
    ):
        found[url].add(task)
    return found


def tagged(database: Database, task: str) -> set[str]:
    """URLs that a search for the task finds, by the index alone."""
    from db.search.index import tag_token

    sql = (
        "select d.url from documents_fts f join search_rows s on s.id = f.rowid join documents d on d.pk = s.document "
    )
    return {r[0] for r in database.conn.execute(sql + "where documents_fts match ?", (tag_token("task", task),))}


def test_the_matrix_names_exactly_what_moved_and_nothing_counts_before_the_switch(tmp_path: Path) -> None:
    old = toy(tmp_path, OLD)
    fill(
        tmp_path,
        old,
        [document(2, "甲"), document(3, "乙"), document(4, "丙"), document(5, "甲 乙 丙"), document(6, "")],
    )
    new = toy(tmp_path, NEW)
    summary = run(tmp_path)
    assert (summary.read, summary.failed, summary.switched) == (5, [], False)
    assert summary.matrix is not None
    with contextlib.closing(db.connect(tmp_path / "x.db")) as database:
        ids = dict(database.conn.execute("select url, id from documents").fetchall())
        assert summary.matrix.tasks == {
            "t1": {"gained": 0, "lost": 0, "kept": 2},
            "t2": {"gained": 1, "lost": 1, "kept": 1},
        }
        assert summary.matrix.relevant == {"gained": 1, "lost": 1, "kept": 2}
        assert {m.id: (m.gained, m.lost, m.relevant) for m in summary.matrix.moved} == {
            ids["https://h/3"]: ([], ["t2"], (True, False)),
            ids["https://h/4"]: (["t2"], [], (False, True)),
        }
        assert tagged(database, "t2") == {"https://h/3", "https://h/5"}
        assert (
            database.conn.execute("select count(*) from documents where classifier <> ?", (old.id,)).fetchone()[0] == 0
        )
        beside = "select count(*) from document_tasks where classifier = ?"
        assert database.conn.execute(beside, (new.id,)).fetchone()[0] == 4
        verdicts.switch(database, new.id)
        assert tagged(database, "t2") == {"https://h/4", "https://h/5"}
        assert labels(database)["https://h/3"] == set()
        assert database.conn.execute(beside, (old.id,)).fetchone()[0] == 4, "former labels can be queried until pruned"
        assert database.conn.execute(
            "select documents from task_days where task = 't2' and measure = ''"
        ).fetchone() == (2,)
        assert faults(database.conn) == []
        assert verdicts.former(database) == {old.id: 4}
        assert sum(verdicts.prune(database, new.id)) == 5
        assert verdicts.former(database) == {}
        assert database.conn.execute("select count(*) from verdicts").fetchone()[0] == 0


def test_a_second_pass_has_nothing_to_do(tmp_path: Path) -> None:
    fill(tmp_path, toy(tmp_path, OLD), [document(2, "甲")])
    toy(tmp_path, NEW)
    assert run(tmp_path).total == 1
    assert run(tmp_path).total == 0
    assert run(tmp_path, switch=True).switched
    after = run(tmp_path, switch=True)
    assert after.matrix is not None
    assert (after.total, after.matrix.documents) == (0, 0)


# documents of a store: words, and of which circular the page is a copy (0: of none)
PAGES = st.lists(st.tuples(st.sets(st.sampled_from(WORDS)), st.integers(0, 2)), min_size=1, max_size=8)
RULES = st.fixed_dictionaries({"t1": st.sampled_from(WORDS), "t2": st.sampled_from(WORDS)})


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(pages=PAGES, first=RULES, second=RULES)
def test_switched_and_pruned_it_is_what_a_new_store_would_be(
    pages: list[tuple[set[str], int]], first: dict[str, str], second: dict[str, str]
) -> None:
    """Table by table, the bodies of observations included, also those that do not speak for their document."""

    def documents() -> list[Document]:
        return [
            document(n, " ".join(sorted(words)), f"h{n}", f"circular:{copy}" if copy else "")
            for n, (words, copy) in enumerate(pages, 2)
        ]

    with tempfile.TemporaryDirectory() as folder:
        one, two = Path(folder, "one"), Path(folder, "two")
        for place in (one, two):
            place.mkdir()
        fill(one, toy(one, first), documents())
        fill(two, toy(two, second), documents())
        new = toy(one, second)
        with (
            contextlib.closing(db.connect(one / "x.db")) as database,
            contextlib.closing(db.connect(two / "x.db")) as fresh,
        ):
            before = labels(database)
            at_once(database, new)
            assert labels(database) == before
            found = verdicts.switch(database, new.id)
            after = labels(database)
            urls = dict(database.conn.execute("select id, url from documents").fetchall())
            assert {urls[m.id] for m in found.moved} == {u for u in after if before[u] != after[u]}
            list(verdicts.prune(database, new.id))
            same = [t for t in compare.tables(fresh) if t not in ("reclassifications", "fetches", "documents_fts_data")]
            assert compare.differences(database, fresh, only=same) == []
            assert faults(database.conn) == []


def test_whoever_speaks_next_for_a_document_says_it_in_the_new_words(tmp_path: Path) -> None:
    """The page that supplied the fields becomes another document: the copy takes over, and had been read as well."""
    old = toy(tmp_path, OLD)
    copies = [document(2, "甲 丙 and longer", "a", "circular:1"), document(3, "丙", "b", "circular:1")]
    fill(tmp_path, old, copies)
    new = toy(tmp_path, NEW)
    run(tmp_path, switch=True)
    with contextlib.closing(db.connect(tmp_path / "x.db")) as database:
        moved = document(2, "甲", "a", "circular:2")
        journal.apply(database, [exchange(9, entry="e2")])
        Writer(database).store([Processed(9, "s", "e2", new.classify(moved))])
        assert labels(database) == {"https://a/2": {"t1"}, "https://b/3": {"t2"}}
        assert {r[0] for r in database.conn.execute("select classifier from documents")} == {new.id}


def test_what_comes_in_meanwhile_is_read_before_the_switch(tmp_path: Path) -> None:
    old = toy(tmp_path, OLD)
    fill(tmp_path, old, [document(2, "丙")])
    new = toy(tmp_path, NEW)
    run(tmp_path)
    fill(tmp_path, old, [document(20, "丙 乙")], first=20)
    with contextlib.closing(db.connect(tmp_path / "x.db")) as database:
        with pytest.raises(NotReady, match="1 documents"):
            verdicts.switch(database, new.id)
        assert labels(database) == {"https://h/2": set(), "https://h/20": {"t2"}}
    assert run(tmp_path, switch=True).read == 1
    with contextlib.closing(db.connect(tmp_path / "x.db")) as database:
        assert labels(database) == {"https://h/2": {"t2"}, "https://h/20": {"t2"}}


def test_a_verdict_on_texts_that_changed_meanwhile_is_left_out(tmp_path: Path) -> None:
    old = toy(tmp_path, OLD)
    fill(tmp_path, old, [document(2, "丙")])
    new = toy(tmp_path, NEW)
    with contextlib.closing(db.connect(tmp_path / "x.db")) as database:
        whole = verdicts.document_of(database, 2)
        assert whole is not None
        seen, said = verdicts.digest(whole), new.classify(whole)
        changed = Processed(2, "s", "e2", old.classify(document(2, "nothing of it any more")), extra_fetch_ids=[2])
        Writer(database).store([changed])
        assert verdicts.stage(database, new.id, [Reading(2, said, seen)]) == (0, [])
        assert verdicts.left(database, new.id) == 1


def test_back_to_the_former_classifier(tmp_path: Path) -> None:
    old = toy(tmp_path, OLD)
    fill(tmp_path, old, [document(2, "甲 乙"), document(3, "丙")])
    with contextlib.closing(db.connect(tmp_path / "x.db")) as database:
        database.conn.execute("vacuum into ?", (str(tmp_path / "before.db"),))
    toy(tmp_path, NEW)
    run(tmp_path, switch=True)
    toy(tmp_path, OLD)
    back = run(tmp_path, switch=True)
    assert back.matrix is not None
    assert (back.read, len(back.matrix.moved), back.switched) == (0, 2, True)
    with contextlib.closing(db.connect(tmp_path / "x.db")) as database:
        list(verdicts.prune(database, old.id))
        same = [t for t in compare.tables(database) if t not in ("reclassifications", "documents_fts_data")]
        with contextlib.closing(db.connect(tmp_path / "before.db")) as before:
            assert compare.differences(database, before, only=same) == []


def test_only_relevant_ones(tmp_path: Path) -> None:
    fill(tmp_path, toy(tmp_path, OLD), [document(2, "甲"), document(3, "乙"), document(4, "丙")])
    toy(tmp_path, NEW)
    done = run(tmp_path, scope="relevant", switch=True)
    assert (done.total, done.read, done.switched) == (2, 2, True)
    with contextlib.closing(db.connect(tmp_path / "x.db")) as database:
        assert labels(database) == {"https://h/2": {"t1"}, "https://h/3": set(), "https://h/4": set()}
    rest = run(tmp_path, switch=True)
    with contextlib.closing(db.connect(tmp_path / "x.db")) as database:
        assert (rest.read, labels(database)["https://h/4"]) == (1, {"t2"})


@pytest.mark.parametrize(
    ("do", "said"), [("raise", "RuntimeError: broken classifier"), ("die", "its reader was lost 2 times")]
)
def test_a_document_that_cannot_be_read_keeps_its_labels_and_is_named(tmp_path: Path, do: str, said: str) -> None:
    fill(tmp_path, toy(tmp_path, OLD), [document(2, "乙 trouble"), document(3, "乙")])
    toy(tmp_path, NEW, do)
    done = run(tmp_path, switch=True)
    assert (done.read, done.switched) == (1, True)
    assert [(f["url"], said in f["reason"]) for f in done.failed] == [("https://h/2", True)]
    with contextlib.closing(db.connect(tmp_path / "x.db")) as database:
        assert labels(database) == {"https://h/2": {"t2"}, "https://h/3": set()}
    toy(tmp_path, NEW)
    assert run(tmp_path, switch=True).read == 1, "tried again by the next pass"


def test_where_nothing_can_be_read_nothing_is_switched(tmp_path: Path) -> None:
    fill(tmp_path, toy(tmp_path, OLD), [document(2, "乙 trouble"), document(3, "甲 trouble")])
    toy(tmp_path, NEW, "raise")
    done = run(tmp_path, switch=True)
    assert (done.read, len(done.failed), done.switched) == (0, 2, False)
    assert next_step(done).startswith("no document could be read, so nothing has changed")
    with contextlib.closing(db.connect(tmp_path / "x.db")) as database:
        assert labels(database) == {"https://h/2": {"t2"}, "https://h/3": {"t1"}}


def test_two_passes_at_once_are_refused(tmp_path: Path) -> None:
    fill(tmp_path, toy(tmp_path, OLD), [document(2, "甲")])
    with lock(tmp_path / "x.db"), pytest.raises(ReclassifyBusy, match="Another circularwatch reclassify"):
        run(tmp_path)


def test_a_switch_sends_no_alert(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from pipelines import processor

    told: list[Any] = []
    monkeypatch.setattr(processor, "HOOKS", [lambda *_: lambda *a: told.append(a)])
    fill(tmp_path, toy(tmp_path, OLD), [document(2, "丙")])
    toy(tmp_path, NEW)
    run(tmp_path, switch=True)
    with contextlib.closing(db.connect(tmp_path / "x.db")) as database:
        assert labels(database) == {"https://h/2": {"t2"}}
        tables = ("alert_matches", "alert_messages", "alert_attempts")
        assert [database[t].count for t in tables] == [0, 0, 0]
    assert told == []


@pytest.mark.slow
def test_killed_at_any_moment_it_goes_on(tmp_path: Path) -> None:
    many = [document(n, WORDS[n % 4]) for n in range(2, 602)]
    fill(tmp_path, toy(tmp_path, OLD), many)
    new = toy(tmp_path, NEW, "slow")
    done, kills = 0, 0
    while True:
        child = subprocess.Popen(
            [sys.executable, "-m", "tests.pipelines.relabel_child", str(tmp_path)],
            cwd=ROOT, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        assert child.stdout is not None
        line = child.stdout.readline()
        if kills == 4 or not line:
            child.communicate()
            break
        child.send_signal(signal.SIGKILL)
        child.wait()
        kills += 1
        with contextlib.closing(db.connect(tmp_path / "x.db")) as database:
            now = 600 - verdicts.left(database, new.id)
            assert now > done, "what was done before the kill is kept"
            done = now
    assert (kills, child.returncode) == (4, 0)
    with contextlib.closing(db.connect(tmp_path / "x.db")) as database:
        found = verdicts.switch(database, new.id)
        assert (found.documents, len(found.moved)) == (600, 300)
        assert faults(database.conn) == []
        for (fetch,) in database.conn.execute("select fetch from observations").fetchall():
            row = observations.of_fetch(database.conn, fetch)
            assert row is not None
            observations.load(database.conn, row).check_spans()
