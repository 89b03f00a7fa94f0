"""The dry run behind `sources check`: a crawl into a folder that is thrown away, saved lists, or one saved page."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from crawler.cli.common import CommandError, say
from pipelines.lists import ListPage, Row, read_list
from pipelines.outcomes import judge_list

if TYPE_CHECKING:
    from config.options import ListEntry
    from config.sources import Source

# what a document should have; others (doc_number …) are there only where there is one
NEEDED = ("title", "text", "published_on", "language")
DOCUMENT_FIELDS = (
    "url", "published_on", "published_at", "published_precision", "written_on", "effective_on", "doc_number", "index_number", "issuers", "outlet",
    "author", "kind", "language", "firsthand", "body_is_stub", "text", "attachments", "remarks",
)  # fmt: skip
ROW_FIELDS_HIDDEN = ("position",)


@dataclass
class Checked:
    """What was found of one source. `entries` are its first entries, field by field."""

    source: str
    rows: int = 0
    newest: str = ""
    documents: int = 0
    tried: int = 0
    missing: list[str] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)
    entries: list[dict[str, Any]] = field(default_factory=list)

    @property
    def verdict(self) -> str:
        """good, or look where anything is missing or failed."""
        return "look" if self.faults or self.missing else "good"

    @property
    def advice(self) -> str:
        """What to do, in one or two sentences."""
        told = list(self.faults)
        if self.missing:
            told.append(f"missing: {', '.join(self.missing)}; look at the selectors of `list` and `article`")
        return "; ".join(dict.fromkeys(told))

    def as_row(self) -> dict[str, Any]:
        """A line of the table."""
        documents = f"{self.documents} of {self.tried}" if self.tried else ""
        row = {"source": self.source, "rows": self.rows, "newest": self.newest, "documents": documents}
        return row | {"missing": ", ".join(self.missing), "verdict": self.verdict, "what to do": self.advice}

    def as_json(self) -> dict[str, Any]:
        """A line of `--json`."""
        names = ("source", "rows", "newest", "documents", "tried", "missing", "faults", "remarks", "entries")
        return {name: getattr(self, name) for name in names} | {"verdict": self.verdict}


def _add_rows(checked: Checked, rows: Iterable[Row]) -> None:
    rows = list(rows)
    checked.rows += len(rows)
    checked.newest = max([checked.newest, *(str(r.said.get("published_on", "")) for r in rows)])
    untitled = sum(not r.said.get("title") for r in rows)
    if untitled:
        checked.missing.append(f"title of {untitled} rows")


def _row_entry(row: Row) -> dict[str, Any]:
    shown = {"title": row.said.get("title", ""), "fetched from": row.url}
    shown |= {f"list: {k}": v for k, v in row.said.items() if k not in ("title", *ROW_FIELDS_HIDDEN)}
    return shown | ({"carries its document": True} if row.inline is not None else {})


# ------------------------------------------------------------------ saved lists


def fixture_folder(given: str) -> Path:
    """The folder with the fixtures: the one given, else the project's own."""
    folder = Path(given) if given else Path(__file__).parents[2] / "tests" / "pipelines" / "fixtures" / "lists"
    if not folder.is_dir():
        raise CommandError(f"there are no fixtures at {folder}; name their folder: --fixtures DIR")
    return folder


def find_entry(source: Source, section: Any) -> ListEntry:
    """The list of a source by position or section's name; the first where nothing is said."""
    if isinstance(section, int):
        return source.lists[section]
    if not section:
        return source.lists[0]
    found = next((e for e in source.lists if e.section == section), None)
    if found is None:
        from config.errors import hint

        names = list(dict.fromkeys(e.section for e in source.lists))
        raise CommandError(f"{source.id} has no list {section!r}{hint(section, names)}")
    return found


def check_fixtures(sources: list[Source], folder: Path) -> list[Checked]:
    """Every source against its saved lists: are they read as they should be?"""
    results = {s.id: Checked(s.id) for s in sources}
    by_id = {s.id: s for s in sources}
    seen = set()
    for case in sorted(p for p in folder.iterdir() if (p / "expected.json").is_file()):
        wanted = json.loads((case / "expected.json").read_text("utf-8"))
        source = by_id.get(wanted["source"])
        if source is None:
            continue
        seen.add(source.id)
        entry = find_entry(source, wanted.get("section"))
        body = next(case.glob("input.*")).read_bytes()
        listed = read_list(
            body, wanted["url"], source, entry, wanted["now"],
            headers=wanted.get("headers"), page=wanted.get("page", 1), first_url=wanted.get("first_url", ""),
        )  # fmt: skip
        checked = results[source.id]
        _add_rows(checked, listed.rows)
        checked.entries += [_row_entry(r) for r in listed.rows[:1]]
        checked.faults += [f"{case.name}: {d}" for d in differences(listed, wanted)]
    for name, checked in results.items():
        if name not in seen:
            checked.faults.append("no fixture: save a list page as input.* with its expected.json")
    return list(results.values())


def differences(listed: ListPage, wanted: dict[str, Any]) -> list[str]:
    """In what a reading is not as `expected.json` says."""
    out = []
    if listed.outcome != wanted.get("outcome", "ok"):
        out.append(f"outcome {listed.outcome} ({listed.reason})")
    if len(listed.rows) != wanted["count"]:
        out.append(f"{len(listed.rows)} rows, {wanted['count']} expected")
    for end, row in (("first", listed.rows[:1]), ("last", listed.rows[-1:])):
        for name, value in wanted[end].items():
            got = (row[0].url if name == "url" else row[0].said.get(name)) if row else None
            if got != value:
                out.append(f"{end} {name} is {got!r}, {value!r} expected")
    return out


def check_file(source: Source, file: Path, url: str, section: str) -> Checked:
    """One saved list page of a source, as of now."""
    now = datetime.now(UTC)
    listed = read_list(file.read_bytes(), url, source, find_entry(source, section), now)
    checked = Checked(source.id, remarks=listed.remarks)
    _add_rows(checked, listed.rows)
    checked.entries = [_row_entry(r) for r in listed.rows]
    if listed.outcome != "ok":
        checked.faults.append(listed.reason)
    undated = sum(not r.said.get("published_on") for r in listed.rows)
    if undated and source.list.published:
        checked.missing.append(f"date of {undated} rows")
    return checked


# ------------------------------------------------------------------ the web


def check_live(sources: list[Source], entries: int, directory: Path) -> list[Checked]:
    """Crawl the first page of every list and a few documents into a temporary folder, and read them there."""
    with tempfile.TemporaryDirectory(prefix="circularwatch-check-") as folder:
        database, archive = Path(folder) / "check.db", Path(folder) / "archive"
        crawl_sample(sources, entries, database, archive, directory)
        return read_sample(sources, database, archive, directory)


def crawl_sample(sources: list[Source], entries: int, database: Path, archive: Path, directory: Path) -> None:
    """The crawl itself, in this process."""
    os.environ |= {
        "CIRCULARWATCH_DB": str(database),
        "CIRCULARWATCH_ARCHIVE": str(archive),
        "CIRCULARWATCH_CONFIG": str(directory),
    }
    from scrapy.settings import Settings

    from crawler.house import NO_CONTACT
    from crawler.run import crawl

    settings = Settings()
    settings.setmodule("crawler.settings", priority="project")
    if not settings["CIRCULARWATCH_CONTACT"] and not settings.getbool("CIRCULARWATCH_IMITATION"):
        raise CommandError(NO_CONTACT)
    ours = {
        "CIRCULARWATCH_MANAGED": True,
        "CIRCULARWATCH_TRIGGER": "check",
        "CIRCULARWATCH_SAMPLE": entries,
        "LOG_LEVEL": "ERROR",
    }
    for name, value in ours.items():
        settings.set(name, value, priority="cmdline")
    say(
        f"reading the lists of {len(sources)} source{'s' * (len(sources) != 1)} and up to {entries} documents of each list"
    )
    crawl(settings, [s.id for s in sources])


def read_sample(sources: list[Source], database: Path, archive: Path, directory: Path) -> list[Checked]:
    """What the crawl found, read as the processor would."""
    import db
    from db import runs
    from db.bundles import pending
    from pipelines.worker import setup

    results = {s.id: Checked(s.id) for s in sources}
    opened = db.connect(database)
    for row in opened.query("select source, url, said from entries order by source, first_listed_at, key"):
        said = json.loads(row["said"])
        checked = results[row["source"]]
        checked.rows += 1
        checked.newest = max(checked.newest, str(said.get("published_on", "")))
    for run in runs.list_runs(opened):
        results[run.source].faults += [f"{f['outcome']}: {f['reason']}" for f in run.failures]
    read = setup(str(directory), str(archive))
    for bundle in pending(opened, 10_000):
        _add_document(results[bundle.source], bundle, read(bundle))
    opened.close()
    for source in sources:
        _judge(results[source.id], source)
    return list(results.values())


def _add_document(checked: Checked, bundle: Any, result: Any) -> None:
    """One document that was tried."""
    checked.tried += 1
    said = dict(bundle.main.said)
    shown: dict[str, Any] = {"title": said.get("title", ""), "fetched from": bundle.main.url}
    shown |= {f"list: {k}": v for k, v in said.items() if k not in ("title", *ROW_FIELDS_HIDDEN)}
    document = result.document
    if document is None:
        checked.faults.append(f"{result.outcome}: {result.reason}")
        checked.entries.append(shown | {"outcome": result.outcome, "reason": result.reason})
        return
    checked.documents += 1
    shown["title"] = document.title or shown["title"]
    plain = document.as_json()
    shown |= {name: plain[name] for name in DOCUMENT_FIELDS if plain.get(name) not in (None, "", [], False)}
    checked.entries.append(shown)
    needed = [n for n in NEEDED if not getattr(document, n) and not (n == "text" and document.body_is_stub)]
    checked.missing += [n for n in needed if n not in checked.missing]


def _judge(checked: Checked, source: Source) -> None:
    if not checked.rows and not checked.faults:
        checked.faults.append("no rows and no reason: run the crawl with CIRCULARWATCH_DEBUG=1")
    if checked.rows and not checked.faults and source.spider_class != "EpaperSpider":  # judged by its spider
        outcome, reason = judge_list(checked.rows, checked.newest, source, datetime.now(UTC))
        checked.faults += [f"{outcome}: {reason}"] if outcome != "ok" else []
