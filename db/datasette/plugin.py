"""The plugin: where our pages, functions and canned queries hang in Datasette. Every hook leaves other Datasettes alone."""

from __future__ import annotations

import sqlite3
from typing import Any

from datasette import hookimpl
from datasette.app import Datasette
from markupsafe import Markup

from db.datasette import guard, routes
from db.datasette.ask import COOKIE, PAGES
from db.datasette.file import NAME
from db.datasette.functions import prepare
from db.datasette.site import site_of
from db.datasette.text import clip
from db.datasette.words import language_of


@hookimpl(trylast=True)
def prepare_connection(conn: sqlite3.Connection, database: str, datasette: Datasette) -> None:
    """After Datasette's own functions, so that ours replaces its escape_fts."""
    site = site_of(datasette)
    if site is not None and database == NAME:
        prepare(conn, site)


@hookimpl
def register_routes(datasette: Datasette) -> list[tuple[str, Any]]:
    return routes.ROUTES if site_of(datasette) is not None else []


@hookimpl
def asgi_wrapper(datasette: Datasette) -> Any:
    if site_of(datasette) is None:
        return lambda app: app
    return lambda app: guard.Guard(app, datasette)


@hookimpl
def canned_queries(datasette: Datasette, database: str) -> dict[str, Any]:
    site = site_of(datasette)
    if site is None or database != NAME:
        return {}
    return {question.id: question.as_canned() for question in site.questions.values()}


@hookimpl
def extra_css_urls(datasette: Datasette) -> list[str]:
    return ["/assets/datasette.css"] if site_of(datasette) is not None else []


@hookimpl
def extra_template_vars(datasette: Datasette, request: Any) -> dict[str, Any]:
    """What our base.html, around Datasette's own pages, needs."""
    site = site_of(datasette)
    if site is None or request is None:
        return {}
    lang = language_of(request.args.get("hl"), request.cookies.get(COOKIE), request.headers.get("accept-language", ""))
    return {
        "cw_nav": [(datasette.urls.path(path), site.words.say(f"nav_{key}", lang)) for key, path in PAGES],
        "cw_lang": lang,
        "cw_brand": site.words.say("brand", lang),
    }


# column of a table -> our page of what it names
_LINKS = {
    ("documents", "id"): "/document/{}",
    ("documents", "source"): "/sources/{}",
    ("tasks", "id"): "/task/{}",
    ("tasks", "parent"): "/task/{}",
    ("sources", "id"): "/sources/{}",
    ("document_tasks", "task"): "/task/{}",
    ("task_documents", "task"): "/task/{}",
    ("task_days", "task"): "/task/{}",
    ("alert_matches", "document"): "/document/{}",
}
_BY_PK = {"document_urls", "document_tasks", "document_spans", "document_facets", "document_findings", "attachments"}


@hookimpl
def render_cell(value: Any, column: str, table: str | None, database: str, datasette: Datasette, row: Any) -> Any:
    """Ids in Datasette's own tables lead to our pages; of a foreign key with a label, the label is shown."""
    label = value
    if isinstance(value, dict):
        label, value = value.get("label"), value.get("value")
    if site_of(datasette) is None or database != NAME or not isinstance(value, str | int) or value == "":
        return None
    path = _LINKS.get((table or "", column))
    if table is None and isinstance(value, str):
        path = {"task": "/task/{}", "source": "/sources/{}"}.get(column)
        path = "/document/{}" if column in ("document", "id") and value[:1] == "d" and value[1:].isalnum() else path
    if column == "document" and (table in _BY_PK or table == "task_documents"):
        path = "/document/{}"
    if path is None or len(str(value)) > 80 or "/" in str(value):
        return None
    return Markup('<a href="{}">{}</a>').format(datasette.urls.path(path.format(value)), clip(label, 120))
