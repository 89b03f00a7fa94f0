"""What every site of the imitation web shares: which documents it shows where, and how a path finds them."""

from __future__ import annotations

import functools
from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar
from urllib.parse import quote

from .. import files
from ..documents import Attachment, Doc, Entry
from ..wire import Request, Response, html, not_found
from ..world import hexadecimal

if TYPE_CHECKING:
    from ..world import World

ALLOW_ALL = "User-agent: *\nDisallow:\n"


@dataclass(frozen=True)
class Placed:
    """A document on one site; the first of its entries there gives it its address."""

    doc: Doc
    entries: tuple[Entry, ...]
    site: Site

    @property
    def entry(self) -> Entry:
        return self.entries[0]

    @functools.cached_property
    def options(self) -> dict[str, Any]:
        """What the entries say beyond source and section; `linked` becomes the address on another site."""
        found = {name: value for entry in reversed(self.entries) for name, value in entry.options.items()}
        if found.pop("linked", False) and (elsewhere := self.site.world.elsewhere(self.doc, self.site)):
            found.setdefault("link", elsewhere)
        return found

    @functools.cached_property
    def title(self) -> str:
        return str(self.options.get("title") or self.doc.title)

    @functools.cached_property
    def url(self) -> str:
        return self.site.article_url(self)

    def row_url(self, entry: Entry) -> str:
        """Where the row of an entry leads: the page, the file itself, another site, or the shell that people see."""
        if "link" in self.options:
            return str(self.options["link"])
        if self.options.get("pdf_row") and self.doc.attachments:
            return self.files()[0][1]
        return self.site.public_url(self, entry)

    @property
    def path(self) -> str:
        return "/" + self.url.split("/", 3)[3]

    @functools.cached_property
    def stamp(self) -> str:
        return self.doc.published.strftime("%Y%m%d")

    def number(self, low: int, high: int) -> int:
        if "number" in self.options:
            return int(self.options["number"])
        return self.site.world.number(type(self.site).__name__, self.doc.key, low, high)

    def hex(self, length: int = 32) -> str:
        return hexadecimal(type(self.site).__name__, self.doc.key, length)

    def speaker(self, site: str) -> str:
        """Whom the page names as its source: the outlet, else the first issuer, else the site itself."""
        return self.doc.outlet or (self.doc.issuers[0] if self.doc.issuers else site)

    def files(self) -> list[tuple[Attachment, str]]:
        """Attachments with their addresses."""
        return [(one, self.site.file_url(self, one, i)) for i, one in enumerate(self.doc.attachments)]


@dataclass
class Index:
    """Where everything of a site is, for one version of the world."""

    placed: list[Placed] = field(default_factory=list)
    pages: dict[str, Placed] = field(default_factory=dict)
    attachments: dict[str, tuple[Placed, Attachment]] = field(default_factory=dict)
    sections: dict[tuple[str, str], list[Placed]] = field(default_factory=dict)
    by_key: dict[str, Placed] = field(default_factory=dict)
    #: whatever a site works out from the index, kept as long as the index
    memo: dict[str, Any] = field(default_factory=dict)


class Site(ABC):
    """A site: `hosts` that it plays, `sources` of sources.yaml with their sections (the first is the default)."""

    hosts: ClassVar[tuple[str, ...]]
    sources: ClassVar[dict[str, tuple[str, ...]]]
    #: text of robots.txt; None means 404, which allows all
    robots: ClassVar[str | None] = ALLOW_ALL
    https_only: ClassVar[bool] = True
    compress: ClassVar[str | None] = None
    chunked: ClassVar[bool] = False
    content_type: ClassVar[str | None] = "text/html; charset=utf-8"

    def __init__(self, world: World) -> None:
        self.world = world
        self._index: tuple[int, Index] = (-1, Index())

    # ---- what a site defines

    @abstractmethod
    def lists(self, request: Request) -> Response | None:
        """A list or another fixed address; None where the path is none of these."""

    @abstractmethod
    def article_url(self, placed: Placed) -> str:
        """The address of a document of this site."""

    @abstractmethod
    def article(self, placed: Placed, request: Request) -> Response:
        """The page (or answer) of a document of this site."""

    def public_url(self, placed: Placed, entry: Entry) -> str:
        """The address that people would quote; differs from `url` where data and page have two."""
        return placed.url

    def file_url(self, placed: Placed, attachment: Attachment, position: int) -> str:
        """Beside the page, named as TRS names uploads: P0, the day, a long number."""
        number = self.world.number("upload", f"{placed.doc.key}/{position}", 10**14, 10**15 - 1)
        return f"{placed.url.rsplit('/', 1)[0]}/P0{placed.stamp}{number}.{attachment.kind}"

    # ---- what it gets

    @property
    def index(self) -> Index:
        if self._index[0] != self.world.version:
            self._index = (self.world.version, self._build())
        return self._index[1]

    def _build(self) -> Index:
        index = Index()
        for doc in self.world.docs.values():
            mine = tuple(
                entry if entry.section else Entry(entry.source, self.sources[entry.source][0], entry.options)
                for entry in doc.entries
                if entry.source in self.sources
            )
            if not mine:
                continue
            placed = Placed(doc, mine, self)
            index.placed.append(placed)
            index.by_key[doc.key] = placed
            if "link" not in placed.options:
                index.pages[address(placed.url)] = placed
                for attachment, url in placed.files():
                    index.attachments[address(url)] = (placed, attachment)
            for section in {(entry.source, entry.section) for entry in mine}:
                index.sections.setdefault(section, []).append(placed)
        index.placed.sort(key=_newest, reverse=True)
        for rows in index.sections.values():
            rows.sort(key=_newest, reverse=True)
        return index

    def rows(self, source: str, section: str | None = None) -> list[Placed]:
        """What stands in a section, newest first; all sections without one."""
        if section is not None:
            return self.index.sections.get((source, section), [])
        return [one for one in self.index.placed if any(entry.source == source for entry in one.entries)]

    def respond(self, request: Request) -> Response:
        answer = self.lists(request)
        if answer is not None:
            return answer
        where = f"{request.host}{request.path}"
        if placed := self.index.pages.get(where):
            return self.article(placed, request)
        if where in self.index.attachments:
            placed, attachment = self.index.attachments[where]
            return self.file(placed, attachment)
        return not_found()

    def file(self, placed: Placed, attachment: Attachment) -> Response:
        body, media_type = files.make(attachment, placed.title, placed.doc.published)
        return Response(body, media_type, modified=placed.doc.published.timestamp())

    def page(self, text: str, placed: Placed | None = None, **more: Any) -> Response:
        """An HTML page in the site's manner; an entry's `encoding` {declared, actual} makes its charset lie."""
        options: dict[str, Any] = {
            "compress": self.compress,
            "chunked": self.chunked,
            "content_type": self.content_type,
        } | more
        lie = placed.options.get("encoding") if placed else None
        if not lie:
            return html(text, **options)
        declared = lie.get("declared", "utf-8")
        for before in ("charset=utf-8", "charset=UTF-8", 'charset="utf-8"', 'charset="UTF-8"', "charset=GB2312"):
            text = text.replace(before, f'charset="{declared}"' if '"' in before else f"charset={declared}", 1)
        return html(text, lie.get("actual", "utf-8"), **(options | {"content_type": "text/html"}))

    def link(self, placed: Placed) -> str:
        return placed.options.get("link") or placed.url


def _newest(placed: Placed) -> tuple[Any, str]:
    return placed.doc.published, placed.doc.key


def address(url: str) -> str:
    """Host and path of an address, as the index is keyed; the query stays only where it names the page (?p=711)."""
    return url.split("://", 1)[1]


def quoted(path: str) -> str:
    return quote(path, safe="/:?&=%")


def pages_of(rows: list[Placed], size: int, number: int) -> list[Placed]:
    """Page `number` (from 1) of `rows`."""
    return rows[(number - 1) * size : number * size] if number >= 1 else []


def page_count(rows: list[Placed], size: int) -> int:
    return max(1, -(-len(rows) // size))
