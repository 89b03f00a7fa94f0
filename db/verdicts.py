"""Labels in versions: what another classifier says is kept beside what counts, compared with it, and switched to at once.

A verdict belongs to an observation (what one URL says), since any of them may come to speak for its document. Which
classifier counts is told by `documents.classifier`; see `db.observations.load`. Nothing here raises an alert.
"""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from sqlite_utils import Database

from db import observations, rows
from db.connection import immediate
from db.documents import Document, SpanError
from db.journal import dumps
from db.runs import now

# documents per transaction: a waiting processor gets its turn within a fraction of a second
BATCH = 50

# An observation is still to be read by a classifier if neither the chain nor a verdict says what that one says of it. A
# verdict that a third reader amended carries the classifier's id and a suffix, and counts as read.
_LEFT = """from observations o where o.classifier <> :id and not (o.classifier > :id || '+' and o.classifier < :id || ',')
  and not exists (select 1 from verdicts v where v.fetch = o.fetch and (v.classifier = :id
    or v.classifier > :id || '+' and v.classifier < :id || ','))"""
_RELEVANT = " and exists (select 1 from documents d where d.identity = o.identity and d.relevant = 1)"

# documents (their speaking observation) that a switch to :id would change
_MOVING = """
select d.pk, d.id, d.title, d.classifier, d.relevant, v.relevant, v.fetch
  from verdicts v cross join observations o on o.fetch = v.fetch cross join documents d on d.identity = o.identity
  where v.classifier = :id and v.error = '' and o.slim = 1 and d.classifier <> :id
    and not (d.classifier > :id || '+' and d.classifier < :id || ',')
union all
select d.pk, d.id, d.title, d.classifier, d.relevant, null, o.fetch
  from observations o cross join documents d on d.identity = o.identity
  where o.classifier = :id and o.slim = 1 and d.classifier <> :id
    and not (d.classifier > :id || '+' and d.classifier < :id || ',')
    and not exists (select 1 from verdicts v where v.fetch = o.fetch and v.classifier = :id)
order by 1
"""


class NotReady(Exception):
    """Documents are left that the classifier has not read; `left` says how many."""

    def __init__(self, left: int) -> None:
        super().__init__(f"{left} documents are not read yet")
        self.left = left


@dataclass(slots=True)
class Reading:
    """What a classifier said of an observation. `digest` is that of the texts it saw; `error` says why it said nothing."""

    fetch: int
    document: Document | None
    digest: str = ""
    error: str = ""


@dataclass(slots=True)
class Moved:
    """A document whose labels or relevance differ between two classifiers. Measures are written `task/measure`."""

    id: str
    title: str
    gained: list[str]
    lost: list[str]
    relevant: tuple[bool, bool]

    def as_json(self) -> dict[str, Any]:
        """Plain values; `relevant` only where it changed."""
        out: dict[str, Any] = {"id": self.id, "title": self.title, "gained": self.gained, "lost": self.lost}
        return out | ({"relevant": self.relevant[1]} if self.relevant[0] != self.relevant[1] else {})


@dataclass(slots=True)
class Matrix:
    """Labels that moved. `tasks`: task -> {gained, lost, kept}; `relevant` the same for whole documents."""

    classifier: str
    documents: int = 0
    tasks: dict[str, dict[str, int]] = field(default_factory=dict)
    relevant: dict[str, int] = field(default_factory=lambda: {"gained": 0, "lost": 0, "kept": 0})
    moved: list[Moved] = field(default_factory=list)

    def as_json(self) -> dict[str, Any]:
        """Plain values."""
        values = {name: getattr(self, name) for name in ("classifier", "documents", "tasks", "relevant")}
        return values | {"moved": [m.as_json() for m in self.moved]}


def digest(document: Document) -> str:
    """Checksum of all texts that a classifier reads."""
    parts = [document.title, document.text, *(a.text or "" for a in document.attachments)]
    return hashlib.sha256(dumps(parts).encode()).hexdigest()


def left(database: Database, classifier: str, scope: str = "all") -> int:
    """How many observations this classifier has not read yet; scope `relevant` counts those of relevant documents only."""
    more = _RELEVANT if scope == "relevant" else ""
    return int(database.conn.execute(f"select count(*) {_LEFT}{more}", {"id": classifier}).fetchone()[0])


def unread(database: Database, classifier: str, scope: str, after: int, limit: int) -> list[int]:
    """The next observations (numbers of their fetches) to read."""
    more = _RELEVANT if scope == "relevant" else ""
    found = database.conn.execute(
        f"select o.fetch {_LEFT}{more} and o.fetch > :after order by o.fetch limit :limit",
        {"id": classifier, "after": after, "limit": limit},
    )
    return [row[0] for row in found]


def document_of(database: Database, fetch: int) -> Document | None:
    """The whole document of an observation."""
    row = observations.of_fetch(database.conn, fetch)
    return observations.load(database.conn, row) if row else None


def begin(database: Database, classifier: str, scope: str) -> None:
    """Note that a pass begins or goes on; what could not be read before is tried again."""
    with immediate(database) as conn:
        conn.execute("delete from verdicts where classifier = ? and error <> ''", (classifier,))
        conn.execute(
            "insert into reclassifications (classifier, scope, started_at) values (?, ?, ?) "
            "on conflict (classifier) do update set finished_at = null, scope = excluded.scope",
            (classifier, scope, now()),
        )


def stage(database: Database, classifier: str, readings: Iterable[Reading]) -> tuple[int, list[tuple[int, str]]]:
    """Store verdicts beside the active ones in one transaction: (how many, what could not be read and why).

    One that was made of texts which have changed since is left out: its observation stays unread.
    """
    stored, failed = 0, []
    with immediate(database) as conn:
        for reading in readings:
            row = observations.of_fetch(conn, reading.fetch)
            if row is None:
                continue
            error = reading.error
            if reading.document is not None:
                whole = observations.as_read(conn, row)
                if digest(whole) != reading.digest:
                    continue
                error = _put(conn, row, whole, reading.document, classifier)
            if error:
                failed.append((reading.fetch, error))
                conn.execute(
                    "insert or replace into verdicts (fetch, classifier, error, body) values (?, ?, ?, x'')",
                    (reading.fetch, classifier, error),
                )
            else:
                stored += 1
    return stored, failed


def _put(
    conn: sqlite3.Connection, row: observations.Observation, whole: Document, said: Document, classifier: str
) -> str:
    """Write one verdict, and its labels if the observation speaks for its document; gives what is wrong with it."""
    body = observations.pack_verdict(said)
    try:
        observations.unpack_verdict(whole, body).check_spans()
        if whole.classifier != classifier:
            return f"it was read by {whole.classifier}: the configuration changed meanwhile"
        conn.execute("savepoint verdict")
        conn.execute(
            "insert or replace into verdicts (fetch, classifier, relevant, relevance, relation, body) "
            "values (?, ?, ?, ?, ?, ?)",
            (row.fetch, classifier, int(whole.relevant), whole.relevance, whole.relation, body),
        )
        if row.slim:
            (pk,) = conn.execute("select pk from documents where identity = ?", (row.identity,)).fetchone()
            _forget(conn, pk, "classifier = ?", classifier)
            rows.write_labels(conn, pk, whole)
        conn.execute("release verdict")
    except SpanError as e:
        return str(e)
    except sqlite3.IntegrityError as e:
        conn.execute("rollback to verdict")
        conn.execute("release verdict")
        return f"refused: {e}"
    return ""


def _forget(conn: sqlite3.Connection, pk: int, which: str, classifier: str) -> None:
    for table in ("document_tasks", "document_spans"):
        conn.execute(f"delete from {table} where document = ? and {which}", (pk, classifier))


def matrix(conn: sqlite3.Connection, classifier: str) -> Matrix:
    """What a switch to this classifier would move."""
    found = Matrix(classifier)
    for pk, id_, title, old, was, becomes, fetch in conn.execute(_MOVING, {"id": classifier}).fetchall():
        if becomes is None:
            becomes = _said(conn, fetch, classifier)[0].relevant
        before, after = _labels(conn, pk, old), _labels(conn, pk, classifier)
        _count(found, before, after, bool(was), bool(becomes))
        if before != after or bool(was) != bool(becomes):
            gained, lost = sorted(after - before), sorted(before - after)
            found.moved.append(Moved(id_, title, gained, lost, (bool(was), bool(becomes))))
    found.tasks = dict(sorted(found.tasks.items()))
    return found


def _labels(conn: sqlite3.Connection, pk: int, classifier: str) -> set[str]:
    """Tasks, and `task/measure`."""
    out: set[str] = set()
    for task, measure in conn.execute(
        "select task, measure from document_tasks where document = ? and classifier = ?", (pk, classifier)
    ):
        out |= {task, f"{task}/{measure}"} if measure else {task}
    return out


def _count(found: Matrix, before: set[str], after: set[str], was: bool, becomes: bool) -> None:
    found.documents += 1
    for task in (t for t in before | after if "/" not in t):
        line = found.tasks.setdefault(task, {"gained": 0, "lost": 0, "kept": 0})
        line["kept" if task in before and task in after else "gained" if task in after else "lost"] += 1
    if was or becomes:
        found.relevant["kept" if was and becomes else "gained" if becomes else "lost"] += 1


def _said(conn: sqlite3.Connection, fetch: int, classifier: str) -> tuple[Document, observations.Observation]:
    """The document of an observation with the verdict of this classifier."""
    row = observations.of_fetch(conn, fetch)
    assert row is not None, "verdicts go with their observation"
    document = observations.as_read(conn, row)
    body = conn.execute(
        "select body from verdicts where fetch = ? and classifier = ? and error = ''", (fetch, classifier)
    ).fetchone()
    return (observations.unpack_verdict(document, body[0]) if body else document), row


def finish(database: Database, classifier: str) -> Matrix:
    """Note that the pass is complete, with its matrix."""
    with immediate(database) as conn:
        found = matrix(conn, classifier)
        (failed,) = conn.execute(
            "select count(*) from verdicts where classifier = ? and error <> ''", (classifier,)
        ).fetchone()
        conn.execute(
            "update reclassifications set finished_at = ?, documents = ?, failed = ?, matrix = ? where classifier = ?",
            (now(), found.documents, failed, dumps(found.as_json()), classifier),
        )
    return found


def passed(database: Database, classifier: str) -> str | None:
    """The scope of the finished pass of this classifier; None if there is none."""
    row = database.conn.execute(
        "select scope from reclassifications where classifier = ? and finished_at is not null", (classifier,)
    ).fetchone()
    return row[0] if row else None


def switch(database: Database, classifier: str, scope: str = "all") -> Matrix:
    """Make this classifier's verdicts the ones that count: one transaction, all of it or nothing. Raises NotReady.

    Documents that it could not read keep the verdict they have.
    """
    with immediate(database) as conn:
        unready = left(database, classifier, scope)
        if unready:
            raise NotReady(unready)
        found = matrix(conn, classifier)
        moving = [(row[0], row[6]) for row in conn.execute(_MOVING, {"id": classifier}).fetchall()]
        for pk, fetch in moving:
            activate(conn, pk, _said(conn, fetch, classifier)[0])
        conn.execute(
            "update reclassifications set switched_at = ?, matrix = ? where classifier = ?",
            (now(), dumps(found.as_json()), classifier),
        )
    return found


def activate(conn: sqlite3.Connection, pk: int, document: Document) -> None:
    """Let a document carry the verdict that `document` holds; its labels of that classifier are there already."""
    conn.execute(
        "update documents set relevant = ?, relevance = ?, relation = ?, classifier = ?, explanation = ? where pk = ?",
        (
            *(int(document.relevant), document.relevance, document.relation, document.classifier),
            *(dumps(document.explanation), pk),
        ),
    )
    rows.write_facets(conn, pk, document)


def prune(database: Database, keep: str) -> Iterator[int]:
    """Drop the labels of classifiers that no longer count, in small transactions; gives how many documents each mended.

    What is beside the active labels under the id `keep` (a pass that was not switched to yet) stays.
    """
    last = 0
    while True:
        with immediate(database) as conn:
            part = conn.execute(
                "select pk, classifier, identity from documents where pk > ? order by pk limit ?", (last, BATCH)
            ).fetchall()
            mended = sum(_prune_one(conn, pk, active, identity, keep) for pk, active, identity in part)
        if not part:
            return
        last = part[-1][0]
        yield mended


def _prune_one(conn: sqlite3.Connection, pk: int, active: str, identity: str, keep: str) -> bool:
    before = conn.total_changes
    for table in ("document_tasks", "document_spans"):
        conn.execute(f"delete from {table} where document = ? and classifier not in (?, ?)", (pk, active, keep))
    for (fetch,) in conn.execute("select fetch from observations where identity = ?", (identity,)).fetchall():
        if conn.execute(
            "select 1 from verdicts where fetch = ? and classifier = ? and error = ''", (fetch, active)
        ).fetchone():
            document, row = _said(conn, fetch, active)
            observations.put(conn, fetch, document, bool(row.slim))
            conn.execute("delete from verdicts where fetch = ? and classifier = ?", (fetch, active))
        conn.execute("delete from verdicts where fetch = ? and classifier not in (?, ?)", (fetch, active, keep))
    return conn.total_changes > before


def former(database: Database) -> dict[str, int]:
    """Labels by classifier that don't count (any more, or yet)."""
    found = database.conn.execute(
        "select t.classifier, count(*) from document_tasks t join documents d on d.pk = t.document "
        "where t.classifier <> d.classifier group by 1 order by 1"
    )
    return dict(found.fetchall())
