"""The state of the imitation web: its documents, its day, its options; everything a site renders from."""

from __future__ import annotations

import datetime as dt
import hashlib
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from . import documents as texts
from .documents import CHINA, Doc

if TYPE_CHECKING:
    from .sites.base import Site


class World:
    """Documents by key with the sites that show them.

    `version` grows with every change, so that whoever keeps something rendered knows when it is old.
    """

    def __init__(self, today: dt.date | None = None, folder: Path | None = texts.FOLDER) -> None:
        from .sites import make_sites

        self.version = 0
        self.options: dict[str, Any] = {}
        self.problems: list[str] = []
        self._raw: dict[str, dict[str, Any]] = {}
        self._docs: dict[str, Doc] = {}
        self._numbers: dict[tuple[str, str], int] = {}
        self._taken: dict[str, set[int]] = {}
        self._set_day(today)
        self.sites: list[Site] = make_sites(self)
        self.hosts: dict[str, Site] = {host: site for site in self.sites for host in site.hosts}
        self.sections = {source: names for site in self.sites for source, names in site.sources.items()}
        if folder is not None:
            raws, self.problems = texts.load(folder)
            for raw in raws:
                self._put_tolerantly(raw)

    def _put_tolerantly(self, raw: dict[str, Any]) -> None:
        """From a file: one wrong entry must not take the rest of the web away, but it is told."""
        try:
            self._put(raw)
        except texts.DocumentError as error:
            self.problems.append(f"{error}; left out")
            kept = [one for one in raw.get("sites") or [] if isinstance(one, dict) and self._shown(one)]
            if kept and len(kept) < len(raw["sites"]):
                self._put_tolerantly({**raw, "sites": kept})

    def _shown(self, site: dict[str, Any]) -> bool:
        sections = self.sections.get(str(site.get("source")), ())
        return bool(sections) and (not site.get("section") or site["section"] in sections)

    def complain(self) -> None:
        for problem in self.problems:
            print(f"imitation web: {problem}", file=sys.stderr)

    # ---- the day

    def _set_day(self, today: dt.date | None) -> None:
        real = dt.datetime.now(CHINA)
        self.today = today or real.date()
        self.now = real if self.today == real.date() else dt.datetime.combine(self.today, dt.time(18, 0), CHINA)

    def set_today(self, today: dt.date | None) -> None:
        self._set_day(today)
        self._docs = {key: texts.build(raw, self.today, self.now) for key, raw in self._raw.items()}
        self.version += 1

    # ---- documents

    def _put(self, raw: dict[str, Any]) -> Doc:
        doc = texts.build(raw, self.today, self.now)
        for entry in doc.entries:
            if entry.source not in self.sections:
                raise texts.DocumentError(f"document {doc.key!r}: no site plays the source {entry.source!r}")
            if entry.section and entry.section not in self.sections[entry.source]:
                names = ", ".join(self.sections[entry.source])
                raise texts.DocumentError(
                    f"document {doc.key!r}: {entry.source} has no section {entry.section!r}; it has {names}"
                )
        self._raw[doc.key] = raw
        self._docs[doc.key] = doc
        self.version += 1
        return doc

    def add(self, raw: dict[str, Any]) -> Doc:
        if raw.get("key") in self._raw:
            raise texts.DocumentError(f"there is a document {raw['key']!r} already; change it instead")
        return self._put(raw)

    def add_many(self, raws: Iterable[dict[str, Any]]) -> int:
        """Add those that are not there yet; how many were added."""
        new = [self.add(raw) for raw in raws if raw["key"] not in self._raw]
        return len(new)

    def change(self, key: str, changes: dict[str, Any]) -> Doc:
        return self._put({**self._known(key), **changes})

    def remove(self, key: str) -> None:
        self._known(key)
        del self._raw[key], self._docs[key]
        self.version += 1

    def _known(self, key: str) -> dict[str, Any]:
        if key not in self._raw:
            raise texts.DocumentError(f"there is no document {key!r}")
        return self._raw[key]

    @property
    def docs(self) -> dict[str, Doc]:
        return self._docs

    def describe(self) -> list[dict[str, Any]]:
        """Every document with its addresses, for tests and for the demo's ledger."""
        urls: dict[str, list[dict[str, str]]] = {}
        for site in self.sites:
            for placed in site.index.placed:
                for entry in placed.entries:
                    urls.setdefault(placed.doc.key, []).append(
                        {"source": entry.source, "section": entry.section, "url": placed.row_url(entry)}
                    )
        return [
            {
                "key": doc.key,
                "title": doc.title,
                "language": doc.language,
                "published": doc.published.isoformat(),
                "written": doc.written.isoformat() if doc.written else None,
                "doc_number": doc.doc_number,
                "issuers": list(doc.issuers),
                "urls": urls.get(doc.key, []),
                "gold": doc.gold,
                "lookalike": doc.lookalike,
                "filler": doc.filler,
                "stub": doc.stub,
            }
            for doc in texts.newest_first(self._docs.values())
        ]

    def elsewhere(self, doc: Doc, but: Site) -> str | None:
        """The address of a document on the first other site that shows it."""
        for entry in doc.entries:
            for site in self.sites:
                if entry.source in site.sources and site is not but:
                    found = site.index.by_key.get(doc.key)
                    return found.url if found else None
        return None

    # ---- numbers

    def number(self, space: str, key: str, low: int, high: int) -> int:
        """A number for `key` in low..high that no other key of that space has; the same in every run."""
        if (space, key) not in self._numbers:
            taken = self._taken.setdefault(space, set())
            number = low + int(hashlib.sha1(f"{space}/{key}".encode()).hexdigest()[:12], 16) % (high - low + 1)
            while number in taken:
                number = low + (number - low + 1) % (high - low + 1)
            taken.add(number)
            self._numbers[space, key] = number
        return self._numbers[space, key]


def hexadecimal(space: str, key: str, length: int = 32) -> str:
    """The kind of id that half of the sites put into their addresses."""
    return hashlib.sha1(f"{space}:{key}".encode()).hexdigest()[:length].ljust(length, "0")
