"""Writes a message: subject, text and HTML, from what is stored now. Title, evidence sentence and link; never the whole text.

Titles and quotations come from hostile pages: HTML is escaped, control and direction marks are taken out, lengths are
bounded, and only http and https addresses become links.
"""

from __future__ import annotations

import json
import re
import unicodedata
from dataclasses import dataclass, field
from html import escape
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from db.ledger import coverage, field_text, sentence_around
from db.outbox import Message

if TYPE_CHECKING:
    from sqlite_utils import Database

MOST_DOCUMENTS = 50
LONGEST_TITLE, LONGEST_SENTENCE = 200, 220
PRODUCT = "circularwatch"


@dataclass(slots=True)
class Evidence:
    """A task that a document carries and the sentence that proves it."""

    zh: str
    en: str
    before: str
    quote: str
    after: str


@dataclass(slots=True)
class Item:
    """A document as a message shows it."""

    title: str
    url: str
    outlet: str
    date: str
    clauses: list[str] = field(default_factory=list)
    evidence: list[Evidence] = field(default_factory=list)


@dataclass(slots=True)
class Rendered:
    """A message ready to be sent."""

    subject: str
    text: str
    html: str
    data: dict[str, Any]


def plain(text: str, longest: int = LONGEST_TITLE) -> str:
    """One line without control or direction marks, cut with …"""
    kept = "".join(
        " " if c.isspace() else c for c in text if c.isspace() or unicodedata.category(c) not in ("Cc", "Cf", "Cs")
    )
    kept = re.sub(" +", " ", kept).strip()
    return kept if len(kept) <= longest else kept[: longest - 1] + "…"


def link(url: str) -> str:
    """The address if it is one that may be clicked, else nothing."""
    parts = urlsplit(url) if not re.search(r"[\s<>\"\\]", url) else None
    return url if parts and parts.scheme in ("http", "https") and parts.netloc else ""


def items(database: Database, sequences: list[int]) -> list[Item]:
    """The documents of these matches that are still stored, newest first."""
    found = []
    for sequence in sequences[:MOST_DOCUMENTS]:
        row = database.conn.execute(
            "select d.pk, d.title, d.url, d.outlet, d.source, d.published_on, d.classifier, m.clauses "
            "from alert_matches m join documents d on d.id = m.document where m.sequence = ?",
            (sequence,),
        ).fetchone()
        if row:
            pk, title, url, outlet, source, date, classifier, clauses = row
            evidence = evidences(database, pk, classifier)
            shown = [plain(c) for c in json.loads(clauses)]
            found.append(
                Item(plain(title) or "(no title)", link(url), plain(outlet or source, 60), date or "", shown, evidence)
            )
    return sorted(found, key=lambda item: item.date, reverse=True)


def evidences(database: Database, pk: int, classifier: str) -> list[Evidence]:
    """Each task of a document with the sentence around its strongest words."""
    rows = database.conn.execute(
        "select distinct t.task, k.zh, k.en from document_tasks t join tasks k on k.id = t.task "
        "where t.document = ? and t.classifier = ? order by t.is_primary desc, t.score desc, t.task",
        (pk, classifier),
    ).fetchall()
    out = []
    for task, zh, en in dict.fromkeys(rows):
        span = database.conn.execute(
            "select field, start, end from document_spans where document = ? and kind = 'task' and ref = ? and classifier = ? "
            "order by weight desc, field = 'title', start limit 1",
            (pk, task, classifier),
        ).fetchone()
        if span:
            sentence, start, end = sentence_around(
                field_text(database, pk, span[0]), span[1], span[2], LONGEST_SENTENCE
            )
            parts = [plain(part, LONGEST_SENTENCE) for part in (sentence[:start], sentence[start:end], sentence[end:])]
            spaces = [
                " " if sentence[start - 1 : start].isspace() else "",
                " " if sentence[end : end + 1].isspace() else "",
            ]
            out.append(Evidence(zh, en, parts[0] + spaces[0], parts[1], spaces[1] + parts[2]))
    return out


def render(database: Database, message: Message, rule_name: str, zone: str) -> Rendered:
    """The message as it is sent now; `zone` is the operator's, in which days are named."""
    if message.kind in ("silence", "test"):
        return notice(message)
    found = items(database, message.sequences)
    left = len(message.sequences) - len(found)
    gaps = uncovered(database, zone) if message.kind in ("digest", "summary") else []
    data = {
        "key": message.id, "kind": message.kind, "rule": message.rule, "name": rule_name,
        "documents": [document_data(item) for item in found], "left_out": left, "not_covered": gaps,
    }  # fmt: skip
    head = subject(message, rule_name, found)
    return Rendered(
        head, as_text(message, rule_name, found, left, gaps), as_html(message, rule_name, found, left, gaps), data
    )


def subject(message: Message, rule_name: str, found: list[Item]) -> str:
    """What the list of mails shows."""
    if message.kind == "alert" and len(found) == 1:
        return plain(f"{rule_name}: {found[0].title}", 150)
    what = {"alert": "new", "digest": "in today's digest", "summary": "found late or in a back-fill"}[message.kind]
    return plain(f"{rule_name}: {len(message.sequences)} {what}", 150)


def uncovered(database: Database, zone: str) -> list[str]:
    """Enabled sources that were not reached in their last run, in words: no news from them means nothing."""
    out = []
    for source in coverage(database):
        if source.enabled and source.reason:
            since = f"not covered since {day(source.last_reached, zone)}" if source.last_reached else "never covered"
            out.append(plain(f"{source.name}: {since} ({source.reason})", 300))
    return out


def day(instant: str, zone: str) -> str:
    """A stored instant (UTC) as a local day and minute."""
    from datetime import datetime

    return datetime.fromisoformat(instant).astimezone(ZoneInfo(zone)).strftime("%Y-%m-%d %H:%M")


def notice(message: Message) -> Rendered:
    """A message that is words already: a source that fell silent, a test."""
    head = plain(str(message.payload.get("subject", PRODUCT)), 150)
    lines = [plain(str(line), 1000) for line in message.payload.get("lines", [])]
    html = page(head, "".join(f"<p>{escape(line)}</p>" for line in lines), message)
    data = {"key": message.id, "kind": message.kind, "subject": head, "lines": lines}
    return Rendered(head, "\n\n".join([*lines, footer(message)]), html, data)


def document_data(item: Item) -> dict[str, Any]:
    tasks = [
        {"zh": e.zh, "en": e.en, "sentence": e.before + e.quote + e.after, "quote": e.quote} for e in item.evidence
    ]
    return {
        "title": item.title,
        "url": item.url,
        "outlet": item.outlet,
        "date": item.date,
        "clauses": item.clauses,
        "tasks": tasks,
    }


def footer(message: Message) -> str:
    return f"{PRODUCT}, rule {message.rule}. Key {message.id}: the same key is the same message."


def as_text(message: Message, rule_name: str, found: list[Item], left: int, gaps: list[str]) -> str:
    """The plain text of a message."""
    blocks = [rule_name]
    for item in found:
        lines = [item.title, f"{item.outlet}, {item.date or 'no date'}", item.url]
        lines += [f"- {e.zh} / {e.en}:\n  “{e.before}[{e.quote}]{e.after}”" for e in item.evidence]
        lines += [f"fired: {', '.join(item.clauses)}"] if item.clauses else []
        blocks.append("\n".join(line for line in lines if line))
    if left:
        blocks.append(f"and {left} more: circularwatch alerts log --rule {message.rule}")
    if gaps:
        blocks.append("Sources not covered (silence of these means nothing):\n" + "\n".join(f"- {gap}" for gap in gaps))
    return "\n\n".join([*blocks, footer(message)])


def as_html(message: Message, rule_name: str, found: list[Item], left: int, gaps: list[str]) -> str:
    """The same as HTML that mail programs of any age show rightly."""
    body = "".join(item_html(item) for item in found)
    if left:
        body += f"<p>and {left} more: <code>circularwatch alerts log --rule {escape(message.rule)}</code></p>"
    if gaps:
        rows = "".join(f"<li>{escape(gap)}</li>" for gap in gaps)
        body += f"<h3>Sources not covered (silence of these means nothing)</h3><ul>{rows}</ul>"
    return page(rule_name, body, message)


def item_html(item: Item) -> str:
    title = f"<bdi>{escape(item.title)}</bdi>"
    if item.url:
        title = f'<a href="{escape(item.url, quote=True)}" style="color:#0b57d0">{title}</a>'
    rows = "".join(
        f'<p style="margin:6px 0 6px 12px"><b>{escape(e.zh)}</b> <span style="color:#555">{escape(e.en)}</span><br>'
        f'<bdi>{escape(e.before)}<mark style="background:#fff1a8">{escape(e.quote)}</mark>{escape(e.after)}</bdi></p>'
        for e in item.evidence
    )
    fired = f'<p style="color:#555;font-size:13px">fired: {escape(", ".join(item.clauses))}</p>' if item.clauses else ""
    about = f"{escape(item.outlet)}, {escape(item.date or 'no date')}"
    if item.url:  # in words too: the text part of a mail is made from this and would lose the link
        about += f'<br><span style="font-size:12px;word-break:break-all">{escape(item.url)}</span>'
    return f'<div style="margin:0 0 22px"><h2 style="font-size:17px;margin:0">{title}</h2><p style="margin:2px 0;color:#555">{about}</p>{rows}{fired}</div>'


def page(head: str, body: str, message: Message) -> str:
    style = "font-family:system-ui,'Noto Sans CJK SC','PingFang SC','Microsoft YaHei',sans-serif;font-size:15px;max-width:680px"
    return (
        f'<html><body style="{style}"><h1 style="font-size:19px">{escape(head)}</h1>{body}'
        f'<p style="color:#777;font-size:12px">{escape(footer(message))}</p></body></html>'
    )
