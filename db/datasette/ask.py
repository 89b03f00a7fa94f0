"""One request for one of our pages: its language, its arguments, links that keep them, and the answer as HTML."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from typing import Any
from urllib.parse import quote, unquote, urlencode

from datasette.app import Datasette
from datasette.utils.asgi import Request, Response
from markupsafe import Markup, escape
from sqlite_utils import Database

from db.datasette.file import NAME, HouseFile
from db.datasette.site import site_of
from db.datasette.words import LANGUAGES, language_of

COOKIE = "cw_lang"
# no script at all, nothing from elsewhere, and the page in nobody's frame
CSP = (
    "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
MOST_ARGUMENT = 12_000
# what the head of every page leads to: key of its name in words.yaml, address
PAGES = (
    ("tasks", "/"),
    ("search", "/search"),
    ("sources", "/sources"),
    ("questions", "/questions"),
    ("data", f"/{NAME}"),
    ("about", "/about"),
)


class Refused(Exception):
    """The page cannot be shown: a status, and a sentence of words.yaml with its places."""

    def __init__(self, status: int, key: str, /, **places: Any) -> None:
        super().__init__(key)
        self.status, self.key, self.places = status, key, places


class Ask:
    """What a page may ask of the request."""

    def __init__(self, datasette: Datasette, request: Request) -> None:
        site = site_of(datasette)
        if site is None:
            raise Refused(404, "not_found")
        self.datasette, self.request, self.site = datasette, request, site
        self.asked_language = request.args.get("hl") if request.args.get("hl") in LANGUAGES else None
        self.lang = language_of(
            self.asked_language, request.cookies.get(COOKIE), request.headers.get("accept-language", "")
        )

    @property
    def file(self) -> HouseFile:
        return self.datasette.databases[NAME]

    def arg(self, name: str, default: str = "") -> str:
        """An argument of the address, without blanks around it."""
        return (self.request.args.get(name) or default).strip()[:MOST_ARGUMENT]

    def var(self, name: str) -> str:
        """A part of the address's path, decoded."""
        return unquote(self.request.url_vars.get(name) or "")[:MOST_ARGUMENT]

    def args(self, name: str) -> list[str]:
        """All values of an argument."""
        return [value.strip() for value in self.request.args.getlist(name) if value.strip()]

    def page(self, name: str = "page") -> int:
        """Which page of a list (or `part` of a text), from 1; what is no number counts as the first."""
        text = self.arg(name, "1")
        return min(int(text), 10**6) if text.isascii() and text.isdigit() and 0 < len(text) < 8 and int(text) else 1

    def t(self, key: str, /, **places: Any) -> str | Markup:
        """A sentence in the page's language. Places that are markup stay markup, all else is escaped."""
        sentence = self.site.words.say(key, self.lang)
        if not places:
            return sentence
        if any(isinstance(value, Markup) for value in places.values()):
            return Markup(escape(sentence)).format(**places)
        return sentence.format(**places)

    def v(self, kind: str, value: str | None) -> str:
        """A stored value in the page's language."""
        return self.site.words.value(kind, value, self.lang)

    def name(self, kind: str, id_: str) -> str:
        """The name of a task, measure, industry … in the page's language."""
        return self.site.name(kind, id_, self.lang)

    def both(self, zh: str, en: str) -> tuple[str, str]:
        """The two names, that of the page's language first."""
        return (zh, en) if self.lang == "zh" else (en, zh)

    def url(self, path: str, /, *pairs: tuple[str, str], **arguments: Any) -> str:
        """An address within the site; arguments without a value are left out."""
        flat = [*pairs]
        for key, value in arguments.items():
            values = value if isinstance(value, list | tuple) else [value]
            flat += [(key.rstrip("_"), str(v)) for v in values if v not in (None, "")]
        query = f"?{urlencode(flat)}" if flat else ""
        return str(self.datasette.urls.path(quote(path, safe="/:~.-_"))) + query

    def here(self, **changes: Any) -> str:
        """This page with some arguments changed."""
        kept = [
            (key, value)
            for key in self.request.args
            if key not in {k.rstrip("_") for k in changes} and key != "hl"
            for value in self.request.args.getlist(key)
        ]
        return self.url(self.path, *kept, **changes)

    @property
    def path(self) -> str:
        """The path below the base address, decoded."""
        path = self.request.path
        base = self.datasette.setting("base_url")
        return "/" + path[len(base) :] if base != "/" and path.startswith(base) else path

    def absolute(self, path: str) -> str:
        """An address within the site, whole, for feeds."""
        return f"{self.request.scheme}://{self.request.host}{path}"

    def html(self, template: str, status: int = 200, **context: Any) -> Response:
        """The page."""
        found = self.site.env.get_template(template)
        nav = [
            (self.url(path), self.t(f"nav_{key}"), self.path == path or (path != "/" and self.path.startswith(path)))
            for key, path in PAGES
        ]
        body = found.render(
            ask=self, t=self.t, v=self.v, url=self.url, here=self.here, lang=self.lang, name=self.name, both=self.both,
            nav=nav, other="en" if self.lang == "zh" else "zh", feeds=context.pop("feeds", []), **context,
        )  # fmt: skip
        headers = {"content-security-policy": CSP, "content-language": "zh-CN" if self.lang == "zh" else "en"}
        response = Response.html(body, status=status, headers=headers | {"vary": "Accept-Language"})
        if self.asked_language:
            response.set_cookie(COOKIE, self.asked_language, max_age=365 * 86400)
        return response


Build = Callable[[sqlite3.Connection, Ask], dict[str, Any] | Response]


async def answer(datasette: Datasette, request: Request, build: Build, template: str) -> Response:
    """Run `build` in a thread with a connection, and show what it gives in `template`."""
    ask = Ask(datasette, request)
    try:
        found = await ask.file.execute_fn(lambda conn: build(conn, ask))
    except Refused as refusal:
        return ask.html(
            "cw/refused.html",
            refusal.status,
            title=ask.t("refused_title" if refusal.status != 404 else "not_found_title"),
            sentence=ask.t(refusal.key, **refusal.places),
        )
    return found if isinstance(found, Response) else ask.html(template, **found)


def house(conn: sqlite3.Connection) -> Database:
    """The connection as the functions of `db` take it."""
    return Database(conn)
