"""The documents of the imitation web: data in documents/*.yaml, read into one shape with every date settled."""

from __future__ import annotations

import datetime as dt
import hashlib
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import yaml

CHINA = ZoneInfo("Asia/Shanghai")
FOLDER = Path(__file__).parent / "documents"
KINDS = ("pdf", "ofd", "docx", "doc", "xlsx", "xls")
_Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class DocumentError(ValueError):
    """A document that cannot be shown, with the reason in one sentence."""


@dataclass(frozen=True)
class Attachment:
    """A file that is made from `text` when it is asked for."""

    name: str
    kind: str
    text: str

    @property
    def filename(self) -> str:
        return self.name if self.name.lower().endswith("." + self.kind) else f"{self.name}.{self.kind}"


@dataclass(frozen=True)
class Entry:
    """One place where a document stands; `options` are what only that site's module understands."""

    source: str
    section: str
    options: dict[str, Any]


@dataclass(frozen=True)
class Doc:
    """A document with its dates settled; `published` in Beijing time, `blocks` the body in pieces."""

    key: str
    entries: tuple[Entry, ...]
    language: str
    title: str
    published: dt.datetime
    written: dt.date | None = None
    doc_number: str = ""
    index_number: str = ""
    issuers: tuple[str, ...] = ()
    outlet: str = ""
    author: str = ""
    summary: str = ""
    body: str = ""
    attachments: tuple[Attachment, ...] = ()
    stub: bool = False
    related: tuple[str, ...] = ()
    gold: dict[str, Any] = field(default_factory=dict)
    lookalike: bool = False
    filler: bool = False

    @property
    def lead(self) -> str:
        """The summary, else the head of the first paragraph."""
        first = next((text for kind, text in self.blocks if kind == "p"), self.title)
        return self.summary or (first[:120] if self.language == "zh" else first[:240])

    @property
    def blocks(self) -> list[tuple[str, Any]]:
        """("h", text) | ("p", text) | ("table", rows) in order."""
        return list(blocks(self.body))


def blocks(text: str) -> Iterator[tuple[str, Any]]:
    """Split a body: blank lines part paragraphs, "## " is a heading, "| a | b |" lines are a table."""
    for piece in re.split(r"\n\s*\n", text.strip()):
        rows: list[list[str]] = []
        for line in piece.splitlines():
            line = line.strip()
            if line.startswith("|") and line.endswith("|") and len(line) > 2:
                cells = [cell.strip() for cell in line[1:-1].split("|")]
                if not all(re.fullmatch(r":?-{3,}:?", cell) for cell in cells):
                    rows.append(cells)
                continue
            if rows:
                yield "table", rows
                rows = []
            if line.startswith("## "):
                yield "h", line[3:].strip()
            elif line:
                yield "p", line
        if rows:
            yield "table", rows


FIELDS = frozenset(
    [
        "key",
        "sites",
        "language",
        "title",
        "published",
        "days_ago",
        "time",
        "written",
        "doc_number",
        "index_number",
        "issuers",
        "outlet",
        "author",
        "summary",
        "body",
        "attachments",
        "stub",
        "related",
        "gold",
        "lookalike",
        "filler",
        "note",
    ]
)

#: what a place under `sites` may say beyond source and section; README.md beside this file explains each
OPTIONS = frozenset(
    [
        "title",
        "link",
        "linked",
        "pdf_row",
        "number",
        "encoding",
        "pages",
        "caption",
        "paywall",
        "brief",
        "video",
        "department",
    ]
)


def build(raw: dict[str, Any], today: dt.date, now: dt.datetime) -> Doc:
    """One document from its data; `days_ago` counts back from `today`, and nothing relative lies after `now`."""
    key = str(raw.get("key") or "")
    if not key:
        raise DocumentError(f"a document without a key: {str(raw.get('title'))[:40]!r}")
    unknown = sorted(set(raw) - FIELDS)
    if unknown:
        raise DocumentError(f"document {key!r}: unknown field {unknown[0]!r}; known are {', '.join(sorted(FIELDS))}")
    for name in ("title", "language", "sites"):
        if not raw.get(name):
            raise DocumentError(f"document {key!r}: {name} is missing")
    body = str(raw.get("body") or "")
    published = settle(raw, key, today, now)
    return Doc(
        key=key,
        entries=tuple(_entry(key, site) for site in raw["sites"]),
        language=raw["language"],
        title=str(raw["title"]).strip(),
        published=published,
        written=_written(raw.get("written"), key, today, published),
        doc_number=str(raw.get("doc_number") or ""),
        index_number=str(raw.get("index_number") or ""),
        issuers=tuple(raw.get("issuers") or ()),
        outlet=str(raw.get("outlet") or ""),
        author=str(raw.get("author") or ""),
        summary=str(raw.get("summary") or "").strip(),
        body=body,
        attachments=tuple(_attachment(key, one, body) for one in raw.get("attachments") or ()),
        stub=bool(raw.get("stub")),
        related=tuple(raw.get("related") or ()),
        gold=dict(raw.get("gold") or {}),
        lookalike=bool(raw.get("lookalike")),
        filler=bool(raw.get("filler")),
    )


def settle(raw: dict[str, Any], key: str, today: dt.date, now: dt.datetime) -> dt.datetime:
    """The moment of publication in Beijing time; a missing time of day is made from the key, in office hours."""
    seconds = int(hashlib.sha1(key.encode()).hexdigest()[:8], 16) % (9 * 3600)
    office = (dt.datetime(2000, 1, 1, 8, 30) + dt.timedelta(seconds=seconds)).time()
    if "days_ago" in raw and raw["days_ago"] is not None:
        day = today - dt.timedelta(days=int(raw["days_ago"]))
        clock = dt.time.fromisoformat(str(raw["time"]).zfill(5)) if raw.get("time") else office
        moment = dt.datetime.combine(day, clock, CHINA)
        return min(moment, (now - dt.timedelta(minutes=5)).replace(microsecond=0))
    text = str(raw.get("published") or "")
    try:
        moment = dt.datetime.fromisoformat(text)
    except ValueError:
        raise DocumentError(
            f'document {key!r}: needs published: "2024-04-16 10:30" or days_ago: 3, not {text!r}'
        ) from None
    if len(text) <= 10:
        moment = dt.datetime.combine(moment.date(), office)
    return moment.replace(tzinfo=CHINA)


def _written(value: Any, key: str, today: dt.date, published: dt.datetime) -> dt.date | None:
    if value is None or value == "":
        return None
    if isinstance(value, int):
        return min(today - dt.timedelta(days=value), published.date())
    try:
        return dt.date.fromisoformat(str(value)[:10])
    except ValueError:
        raise DocumentError(
            f"document {key!r}: written must be a date or a number of days ago, not {value!r}"
        ) from None


def _entry(key: str, site: Any) -> Entry:
    if not isinstance(site, dict) or not site.get("source"):
        raise DocumentError(f"document {key!r}: each of sites needs a source")
    options = {name: value for name, value in site.items() if name not in ("source", "section")}
    if unknown := sorted(set(options) - OPTIONS):
        known = ", ".join(sorted(OPTIONS))
        raise DocumentError(f"document {key!r}: unknown option {unknown[0]!r} of {site['source']}; known are {known}")
    return Entry(str(site["source"]), str(site.get("section") or ""), options)


def _attachment(key: str, raw: dict[str, Any], body: str) -> Attachment:
    kind = str(raw.get("kind") or "")
    if kind not in KINDS or not raw.get("name"):
        raise DocumentError(f"document {key!r}: an attachment needs a name and a kind of {', '.join(KINDS)}")
    return Attachment(str(raw["name"]), kind, str(raw.get("text") or body))


def load(folder: Path = FOLDER) -> tuple[list[dict[str, Any]], list[str]]:
    """All raw documents of a folder in order of file name, and what could not be read, in words."""
    found: dict[str, dict[str, Any]] = {}
    problems: list[str] = []
    for file in sorted(folder.glob("*.yaml")):
        try:
            content = yaml.load(file.read_text(encoding="utf-8"), Loader=_Loader)  # noqa: S506 - a safe loader
        except yaml.YAMLError as error:
            problems.append(f"{file.name}: not YAML ({str(error).splitlines()[0]}); left out")
            continue
        for raw in content or []:
            key = raw.get("key") if isinstance(raw, dict) else None
            if not key or key in found:
                problems.append(
                    f"{file.name}: {'two documents with the key' if key else 'no key in'} {key or raw!r:.60}"
                )
                continue
            found[key] = raw
    return list(found.values()), problems


DIGITS = "〇一二三四五六七八九"


def chinese_date(day: dt.date) -> str:
    """二〇二六年九月二十八日, as signatures of the central bank have it."""
    return "".join(DIGITS[int(d)] for d in str(day.year)) + f"年{_ten(day.month)}月{_ten(day.day)}日"


def _ten(number: int) -> str:
    tens, ones = divmod(number, 10)
    return ("" if tens == 0 else "十" if tens == 1 else DIGITS[tens] + "十") + (DIGITS[ones] if ones else "")


def plain_date(day: dt.date) -> str:
    return f"{day.year}年{day.month}月{day.day}日"


def newest_first(documents: Iterable[Doc]) -> list[Doc]:
    return sorted(documents, key=lambda doc: (doc.published, doc.key), reverse=True)
