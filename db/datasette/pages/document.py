"""A document: facts, text with the evidence marked task by task, attachments, every address, and why it has its tasks."""

from __future__ import annotations

import json
import sqlite3
from dataclasses import dataclass
from typing import Any

from datasette.utils.asgi import Response

from db.datasette import judging, text
from db.datasette.ask import Ask, Refused, house
from db.datasette.text import Mark
from db.lookup import find_pk, known_of

# characters of a text on one page; a text of a megabyte has several, all of it can be read
PART = 60_000
# characters of an attachment shown within its document's page
WITHIN = 12_000
FINDINGS = "findings"


@dataclass(slots=True)
class Label:
    """A task of the document: its number in the legend, its measures, whether its words are marked now."""

    number: int
    id: str
    names: tuple[str, str]
    measures: list[str]
    score: float
    primary: bool
    spans: int
    shown: bool
    toggle: str
    why: dict[str, Any]
    provisional: bool


def build(conn: sqlite3.Connection, ask: Ask) -> dict[str, Any] | Response:
    """The page's values; an earlier id, a number or an address leads to the id of today."""
    row = _row(conn, ask)
    if isinstance(row, Response):
        return row
    pk = row["pk"]
    explanation = _json(row["explanation"], {})
    labels = _labels(conn, ask, row, explanation)
    marks = _marks(conn, row, labels, FINDINGS in _wanted(ask))
    parts = max(1, -(-len(row["text"]) // PART))
    part = min(ask.page("part"), parts)
    shown = text.pieces(row["text"], marks.get("text", []), (part - 1) * PART, part * PART)
    title = text.title(row["title"]) or "—"
    heading = row["title"] if title == row["title"] else title
    return {
        "title": title,
        "row": row,
        "heading": text.pieces(heading, [m for m in marks.get("title", []) if m.end <= len(heading)]),
        "long_title": len(row["title"]) if title.endswith("…") and len(row["title"]) > len(title) else 0,
        "labels": labels,
        "findings": _findings(conn, ask, pk),
        "findings_shown": FINDINGS in _wanted(ask),
        "findings_toggle": _toggle(ask, labels, FINDINGS),
        "paragraphs": text.paragraphs(shown),
        "part": part, "parts_count": parts,
        "files": _files(conn, pk, marks),
        "urls": _urls(conn, pk),
        "issuers": _json(row["issuers"], []),
        "remarks": _json(row["remarks"], []),
        "facets": _facets(conn, ask, pk),
        "why": explanation,
        "ranked": _ranked(conn, ask, row, explanation),
        "missed": _missed(ask, explanation),
        "nearest": _nearest(ask, explanation),
        "gates": explanation.get("gates") or {},
        "aliases": [r[0] for r in conn.execute(
            "select distinct a.id from document_aliases a join document_urls u using (canonical_url) "
            "where u.document = ? and a.id <> ? order by a.id", (pk, row["id"]))],
        **judging.shown(conn, ask, pk, row["id"], [label.id for label in labels]),
        "all_marks": ask.here(task=None), "no_marks": ask.here(task="none"),
    }  # fmt: skip


def build_file(conn: sqlite3.Connection, ask: Ask) -> dict[str, Any] | Response:
    """One attachment on a page of its own, in parts."""
    row = _row(conn, ask)
    if isinstance(row, Response):
        return row
    position = int(ask.var("file"))
    file = conn.execute(
        "select * from attachments where document = ? and position = ?", (row["pk"], position)
    ).fetchone()
    if file is None:
        raise Refused(404, "no_file", file=position)
    labels = _labels(conn, ask, row, _json(row["explanation"], {}))
    marks = _marks(conn, row, labels, FINDINGS in _wanted(ask))
    body = file["text"] or ""
    parts = max(1, -(-len(body) // PART))
    part = min(ask.page("part"), parts)
    shown = text.pieces(body, marks.get(f"attachment:{position}", []), (part - 1) * PART, part * PART)
    return {
        "title": text.title(file["filename"]) or ask.t("file"),
        "row": row, "file": file, "labels": labels, "part": part, "parts_count": parts,
        "heading": text.title(row["title"]), "paragraphs": text.paragraphs(shown),
    }  # fmt: skip


def _row(conn: sqlite3.Connection, ask: Ask) -> Any:
    key = ask.var("document") or ask.arg("key")
    pk = find_pk(house(conn), key)
    if pk is None:
        known = known_of(house(conn), key)
        reason = next((str(k.get("reason") or k.get("error") or k.get("state")) for k in known), "")
        if reason:
            raise Refused(404, "known_not_document", key=text.clip(key, 120), reason=text.clip(reason, 200))
        raise Refused(404, "no_document", key=text.clip(key, 120))
    row = conn.execute("select * from documents where pk = ?", (pk,)).fetchone()
    if row["id"] != key:
        pairs = [(k, v) for k in ask.request.args if k != "key" for v in ask.request.args.getlist(k)]
        return Response.redirect(ask.url(f"/document/{row['id']}", *pairs))
    return row


def _json(value: str | None, default: Any) -> Any:
    try:
        found = json.loads(value or "")
    except ValueError:
        return default
    return found if isinstance(found, type(default)) else default


def _wanted(ask: Ask) -> list[str]:
    """What is to be marked: values of `task`; [] = every task."""
    return ask.args("task")


def _labels(conn: sqlite3.Connection, ask: Ask, row: Any, explanation: dict[str, Any]) -> list[Label]:
    rows = conn.execute(
        "select t.task, max(t.score) as score, max(t.is_primary) as main, group_concat(nullif(t.measure, ''), ' ') as measures, "
        "(select provisional from tasks where id = t.task) as provisional, "
        "(select count(*) from document_spans s where s.document = t.document and s.kind = 'task' and s.ref = t.task "
        "and s.classifier = t.classifier) as spans "
        "from document_tasks t where t.document = ? and t.classifier = ? group by t.task "
        "order by main desc, score desc, t.task",
        (row["pk"], row["classifier"]),
    ).fetchall()
    wanted = [w for w in _wanted(ask) if w != FINDINGS]
    why = explanation.get("tasks") or {}
    labels = [
        Label(
            number, r["task"], ask.both(*ask.site.names["task"].get(r["task"], (r["task"],) * 2)),
            [ask.name("measure", m) for m in sorted(set((r["measures"] or "").split()))], r["score"], bool(r["main"]),
            r["spans"], not wanted or r["task"] in wanted, "", clause(why.get(r["task"])), bool(r["provisional"]),
        )
        for number, r in enumerate(rows, 1)
    ]  # fmt: skip
    for label in labels:
        label.toggle = _toggle(ask, labels, label.id)
    return labels


def _toggle(ask: Ask, labels: list[Label], id_: str) -> str:
    """The page with one kind of mark switched on or off."""
    shown = {label.id for label in labels if label.shown} | ({FINDINGS} & set(_wanted(ask)))
    shown ^= {id_}
    tasks = [label.id for label in labels if label.id in shown]
    if len(tasks) == len(labels) and labels and FINDINGS not in shown:
        return ask.here(task=None)
    return ask.here(task=(tasks or ["none"]) + ([FINDINGS] if FINDINGS in shown else []))


def _marks(conn: sqlite3.Connection, row: Any, labels: list[Label], findings: bool) -> dict[str, list[Mark]]:
    """field -> what is marked in it."""
    numbers = {label.id: str(label.number) for label in labels if label.shown}
    out: dict[str, list[Mark]] = {}
    for ref, field, start, end, reader in conn.execute(
        "select ref, field, start, end, reader from document_spans where document = ? and kind = 'task' "
        "and classifier = ? order by start, end",
        (row["pk"], row["classifier"]),
    ):
        if ref in numbers:
            # what the trained reader points at is a passage, what the terms point at are words
            label = numbers[ref] if reader != "model" else f"p{numbers[ref]}"
            out.setdefault(field, []).append(Mark(start, end, (label,)))
    if findings:
        for field, start, end in conn.execute(
            "select field, start, end from document_findings where document = ?", (row["pk"],)
        ):
            out.setdefault(field, []).append(Mark(start, end, ("f",)))
    return out


def _findings(conn: sqlite3.Connection, ask: Ask, pk: int) -> list[dict[str, str]]:
    out = []
    for name, value, quote, field in conn.execute(
        "select name, value, quote, field from document_findings where document = ? order by name, field, start", (pk,)
    ):
        parsed = _json(value, {}) if value[:1] == "{" else {}
        shown = text.money(parsed) if "amount" in parsed else text.clip(value, 80)
        out.append({"name": ask.v("finding", name), "value": shown, "quote": text.clip(quote, 120), "field": field})
    return out


def _files(conn: sqlite3.Connection, pk: int, marks: dict[str, list[Mark]]) -> list[dict[str, Any]]:
    out = []
    for row in conn.execute("select * from attachments where document = ? order by position", (pk,)).fetchall():
        body = row["text"] or ""
        marked = marks.get(f"attachment:{row['position']}", [])
        out.append({
            "row": row, "length": len(body), "marked": len(marked), "whole": len(body) <= WITHIN,
            "paragraphs": text.paragraphs(text.pieces(body, marked, 0, WITHIN)),
        })  # fmt: skip
    return out


def _urls(conn: sqlite3.Connection, pk: int) -> list[Any]:
    """Every address, the issuer's own first."""
    return conn.execute(
        "select * from document_urls where document = ? order by firsthand desc, "
        "coalesce(published_at, published_on, first_seen_at), canonical_url",
        (pk,),
    ).fetchall()


def _facets(conn: sqlite3.Connection, ask: Ask, pk: int) -> dict[str, list[tuple[str, str]]]:
    out: dict[str, list[tuple[str, str]]] = {}
    for facet, value in conn.execute(
        "select facet, value from document_facets where document = ? order by facet, value", (pk,)
    ):
        out.setdefault(facet, []).append((value, ask.name(facet, value)))
    return out


def _ranked(
    conn: sqlite3.Connection, ask: Ask, row: Any, explanation: dict[str, Any]
) -> list[tuple[str, list[tuple[str, float]]]]:
    """The sentences that say most, strongest first: (words, [(name of a task, how much it says for it)])."""
    out = []
    for stored in explanation.get("sentences") or []:
        field, file = str(stored["field"]), str(stored["field"]).removeprefix("attachment:")
        if field in ("title", "text"):
            whole = row[field]
        else:
            found = conn.execute(
                "select text from attachments where document = ? and position = ?", (row["pk"], file)
            ).fetchone()
            whole = found[0] if found else ""
        words = (whole or "")[int(stored["start"]) : int(stored["end"])].strip()
        if words:
            tasks = sorted(stored["tasks"].items(), key=lambda x: (-x[1], x[0]))
            out.append((words, [(ask.name("task", t), float(w)) for t, w in tasks]))
    return out


def _missed(ask: Ask, explanation: dict[str, Any]) -> list[tuple[str, str, dict[str, Any]]]:
    """Tasks that were thought of and not carried, nearest first: (id, name, clause)."""
    tasks = explanation.get("tasks") or {}
    rest = [(id_, ask.name("task", id_), clause(stored)) for id_, stored in tasks.items() if not stored.get("carried")]
    return sorted(rest, key=lambda r: (r[2]["threshold"] - r[2]["score"], r[0]))


def clause(stored: dict[str, Any] | None) -> dict[str, Any]:
    """What the classifier stored about one task, with every part that the page asks for."""
    parts = {
        "score": 0.0,
        "threshold": 0.0,
        "terms": [],
        "model": None,
        "term_reader": None,
        "gates": {},
        "discounted": [],
        "missing": "",
    }
    return {**parts, **(stored or {}), "known": bool(stored)}


def _nearest(ask: Ask, explanation: dict[str, Any]) -> tuple[str, str] | None:
    """(name of the task that came nearest, what kept it out)."""
    id_, colon, reason = str(explanation.get("nearest_miss") or "").partition(": ")
    return (ask.name("task", id_), reason) if colon else None
