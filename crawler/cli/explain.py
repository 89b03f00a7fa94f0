"""`circularwatch explain`: why a document carries a task, and why not another, with the words marked in their sentences."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from crawler.cli.common import CommandError, Failed, common_options, json_option, load_config, open_database, print_json

if TYPE_CHECKING:
    import sqlite_utils

    from db.documents import Document, Span
    from db.lookup import Found

MOST_SENTENCES = 5


@click.command("explain")
@click.argument("key", metavar="URL|ID")
@click.option("--task", help="Only this task: why it is carried, or why not.")
@common_options
@json_option
def command(key: str, task: str | None, db_path: Path | None, config_dir: Path | None, as_json: bool) -> None:
    """Why the document carries the tasks it carries, and why not others.

    URL|ID is one of the document's URLs, its id (or an earlier one), or its document number. What is shown was stored
    when the document was classified; nothing is computed anew. A URL that is no document is explained by what is known
    of it: listed, waiting, refused, failed, and the reason.
    """
    from db.lookup import find_pk, known_of, whole

    config = load_config(config_dir, db_path)
    database = open_database(config.settings.database, readonly=True)
    try:
        pk = find_pk(database, key)
        found = whole(database, pk) if pk is not None else None
        if found is None:
            not_a_document(key, known_of(database, key), as_json)
            return
        if task is not None:
            check_task(database, task)
        said = opinions_of(database, found.document, task)
        graded = {r[0] for r in database.conn.execute("select id from tasks where provisional and parent is null")}
        if as_json:
            print_json(as_values(found, task, graded) | said)
        else:
            for line in [*lines(found.document, task, graded), *opinion_lines(said)]:
                click.echo(line)
    finally:
        database.close()


def check_task(database: sqlite_utils.Database, task: str) -> None:
    """Refuse a task that the taxonomy doesn't have, with the nearest name."""
    from difflib import get_close_matches

    names = [r[0] for r in database.conn.execute("select id from tasks order by position")]
    if task not in names:
        near = get_close_matches(task, names, n=1)
        raise CommandError(f"there is no task {task!r}" + (f"; did you mean {near[0]!r}?" if near else ""))


def opinions_of(database: sqlite_utils.Database, document: Document, task: str | None) -> dict[str, Any]:
    """What people and the third reader say beside the verdict."""
    from db.judgements import of_document
    from db.opinions import opinions

    judged = [j for j in of_document(database, document) if task in (None, j.task)]
    return {
        "judgements": [j.as_json() | {"agrees": j.agrees(document)} for j in judged],
        "third_reader": opinions(database, document.id),
    }


def opinion_lines(said: dict[str, Any]) -> list[str]:
    """The same for people."""
    out = []
    for j in said["judgements"]:
        agrees = "as the verdict says" if j["agrees"] else "against the verdict, which it does not change"
        older = "" if j["current"] else "; the text has changed since"
        note = f": {j['note']}" if j["note"] else ""
        out.append(
            f"judged: {j['task']} {j['verdict']}, by {j['who'] or 'nobody'} on {j['judged_at'][:10]} ({agrees}{older}){note}"
        )
    for opinion in said["third_reader"]:
        tasks = ", ".join(x["task"] for x in opinion["labels"]) or "no task"
        out.append(
            f"third reader {opinion['model']}, {opinion['asked_at'][:10]}: "
            + (f"no answer ({opinion['error']})" if opinion["error"] else tasks)
        )
        out += [f"  {x['task']}: {s['quote']!r}" for x in opinion["labels"] for s in x["spans"]]
    return ["", *out] if out else []


def not_a_document(key: str, known: list[dict[str, Any]], as_json: bool) -> None:
    """Say what is known of a URL that is no document, and end with status 1."""
    if as_json:
        print_json({"key": key, "document": None, "known": known})
    else:
        for row in known:
            click.echo(journal_line(row))
    if not known:
        raise Failed(
            f"{key} is neither a document nor was it ever listed or fetched; circularwatch search finds documents"
        )
    raise Failed(f"{key} is no document; what is known of it stands above")


def journal_line(row: dict[str, Any]) -> str:
    """An entry or a fetch in words."""
    if row["what"] == "entry":
        states = {"new": "listed, not fetched yet", "fetched": "fetched, not read yet", "failed": "failed"}
        said = states.get(row["state"], row["state"])
        return f"listed by {row['source']}: {said}" + (f": {row['reason']}" if row["reason"] else "")
    ended = row["error"] or row["reason"] or row["outcome"]
    return f"fetch {row['fetch']} of {row['source']} ({row['kind']}, {row['fetched_at']}): {row['status']} {ended}"


def as_values(found: Found, task: str | None, graded: set[str]) -> dict[str, Any]:
    """The explanation as plain values: labels with spans and sentences, and the stored explanation.

    `graded` are the tasks that are known at second hand only.
    """
    from pipelines.explain import in_words

    document = found.document
    labels = [
        {
            "id": t.id,
            "measure": t.measure,
            "score": t.score,
            "primary": t.primary,
            "provisional": t.id in graded,
            "explanation": t.explanation,
            "spans": [span_values(document, s) for s in t.spans],
        }
        for t in document.tasks
        if task in (None, t.id)
    ]
    stored = document.explanation if task is None else document.explanation.get("tasks", {}).get(task, {})
    head = {k: getattr(document, k) for k in ("id", "url", "urls", "title", "outlet", "published_on", "doc_number")}
    verdict = {k: getattr(document, k) for k in ("relevant", "relevance", "relation", "classifier")}
    why = in_words(document, task)
    ranked = [values | {"quote": quote} for quote, values in ranked_sentences(document, task)]
    values = {**head, **verdict, "tasks": labels, "explanation": stored, "words": why, "sentences": ranked}
    return values | {"remarks": document.remarks}


def ranked_sentences(document: Document, task: str | None) -> list[tuple[str, dict[str, Any]]]:
    """The stored sentences that say most, strongest first, with their words."""
    stored = document.explanation.get("sentences") or []
    return [
        (document.field_text(s["field"])[s["start"] : s["end"]].strip(), s)
        for s in stored
        if task is None or task in s["tasks"]
    ]


def span_values(document: Document, span: Span) -> dict[str, Any]:
    """A span with the sentence it stands in and its place there."""
    from db.ledger import sentence_around

    sentence, start, end = sentence_around(document.field_text(span.field), span.start, span.end)
    values = {k: getattr(span, k) for k in ("field", "start", "end", "quote", "reader", "weight")}
    return {**values, "sentence": sentence, "sentence_start": start, "sentence_end": end}


def lines(document: Document, task: str | None, graded: set[str]) -> list[str]:
    """What a person reads: head, the stored reasons, the sentences that say most, and those with the words marked."""
    from pipelines.explain import in_words

    out = [click.style(document.title or "(no title)", bold=True)]
    facts = [document.outlet or document.source, document.published_on or "no date", document.doc_number, document.kind]
    out += ["  ".join(f for f in facts if f), *(document.urls or [document.url]), f"id {document.id}", ""]
    out += in_words(document, task)
    for name in sorted(graded & ({t.id for t in document.tasks} if task is None else {task})):
        out.append(f"{name} is provisional: what the circular says of it is known at second hand only")
    ranked = ranked_sentences(document, task)
    out += ["", "sentences that say most, strongest first"] if ranked else []
    for n, (quote, said) in enumerate(ranked, 1):
        tasks = ", ".join(f"{t} {w:.2f}" for t, w in sorted(said["tasks"].items(), key=lambda x: -x[1]))
        out.append(f"  {n}. {quote[:160]}{'…' if len(quote) > 160 else ''} ({tasks})")
    for label in document.tasks:
        if task in (None, label.id) and label.spans:
            out += ["", f"{label.id}{' / ' + label.measure if label.measure else ''}"]
            out += [f"  {s}" for s in marked_sentences(document, label.spans)]
    out += [f"remark: {r}" for r in document.remarks]
    return out


def marked_sentences(document: Document, spans: list[Span]) -> list[str]:
    """The sentences around spans, each once, with all of its marked words."""
    from db.ledger import sentence_around

    shown: dict[tuple[str, int], tuple[str, list[tuple[int, int]]]] = {}
    for span in sorted(spans, key=lambda s: -s.weight):
        text = document.field_text(span.field)
        sentence, start, end = sentence_around(text, span.start, span.end)
        place = (span.field, span.start - start)
        shown.setdefault(place, (sentence, []))[1].append((start, end))
    return [mark(sentence, marks) for sentence, marks in list(shown.values())[:MOST_SENTENCES]]


def mark(sentence: str, marks: list[tuple[int, int]]) -> str:
    """Put 【…】 around the words, overlapping ones as one; brackets survive a pipe, colours don't."""
    merged: list[list[int]] = []
    for start, end in sorted(marks):
        if merged and start <= merged[-1][1]:
            merged[-1][1] = max(merged[-1][1], end)
        else:
            merged.append([start, end])
    for start, end in reversed(merged):
        sentence = f"{sentence[:start]}【{sentence[start:end]}】{sentence[end:]}"
    return sentence
