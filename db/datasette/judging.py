"""Judgements on a document's page: shown to everybody, given by a form only where `circularwatch serve --write` runs.

There is no password, so whoever may send this form is decided by where it comes from: from this machine, from our own
page (its token, its Origin), under a name of this machine (a foreign name that leads here is a rebinding attack).
"""

from __future__ import annotations

import asyncio
import hmac
import sqlite3
from contextlib import closing
from typing import Any
from urllib.parse import urlsplit

from datasette.app import Datasette
from datasette.utils.asgi import Request, Response

from db import judgements
from db.datasette import text
from db.datasette.ask import Ask, Refused, house
from db.errors import DatabaseError
from db.lookup import find_pk, whole
from db.opinions import opinions

COOKIE = "ds_csrftoken"
MOST_BODY = 20_000
HOSTS = ("localhost", "127.0.0.1", "::1")


def shown(conn: sqlite3.Connection, ask: Ask, pk: int, id_: str, carried: list[str]) -> dict[str, Any]:
    """The values of the page's section: judgements, third opinions, and the form's token where writing is on."""
    database = house(conn)
    said = conn.execute("select 1 from judgements where document = ? limit 1", (id_,)).fetchone()
    found = whole(database, pk) if said else None
    judged = judgements.of_document(database, found.document) if found else []
    lines = [
        {"task": name(ask, j.task), "yes": j.verdict == "yes", "agrees": found is not None and j.agrees(found.document),
         "who": text.clip(j.who, 60), "on": ask.site.local(j.judged_at)[:10], "note": text.clip(j.note, 400), "current": j.current}
        for j in judged
    ]  # fmt: skip
    third = [
        o | {"labels": [(ask.name("task", x["task"]), [s["quote"] for s in x["spans"]]) for x in o["labels"]]}
        for o in opinions(database, id_)
        if not o["error"]
    ]
    tasks = [*carried, *(t.id for t in ask.site.config.taxonomy.tasks if t.id not in carried), judgements.RELEVANT]
    return {
        "judgements": lines,
        "third": third,
        "judge_token": ask.request.scope["csrftoken"]() if ask.site.writable else "",
        "judge_tasks": [(t, name(ask, t)) for t in tasks] if ask.site.writable else [],
    }


def name(ask: Ask, task: str) -> str:
    """A task, or the document as a whole, in the page's language."""
    return str(ask.t("judge_whole")) if task == judgements.RELEVANT else ask.name("task", task)


async def view(datasette: Datasette, request: Request) -> Response:
    """Take the form: store the judgement, and show the page again."""
    ask = Ask(datasette, request)
    try:
        form = await _form(ask)
        path, key = ask.file.file, ask.var("document")
        id_ = await asyncio.get_running_loop().run_in_executor(None, lambda: _store(path, key, form))
    except Refused as refusal:
        sentence = ask.t(refusal.key, **refusal.places)
        return ask.html("cw/refused.html", refusal.status, title=ask.t("refused_title"), sentence=sentence)
    return Response("", status=303, headers={"location": ask.url(f"/document/{id_}") + "#judgements"})


async def _form(ask: Ask) -> dict[str, str]:
    """The fields of a form that our page sent; raises Refused for any other."""
    request = ask.request
    if not ask.site.writable or request.method != "POST":
        raise Refused(405, "judge_off")
    if urlsplit(f"//{request.headers.get('host', '')}").hostname not in HOSTS or not _own(request):
        raise Refused(403, "judge_elsewhere")
    length = request.headers.get("content-length", "")
    if not (length.isascii() and length.isdigit() and int(length) <= MOST_BODY):
        raise Refused(413, "judge_long")
    form: dict[str, str] = await request.post_vars()
    # Datasette's own check passes requests without any cookie; they are not ours
    cookie, token = request.cookies.get(COOKIE, ""), form.get("csrftoken", "")
    if not cookie or not hmac.compare_digest(cookie.encode(), token.encode()):
        raise Refused(403, "judge_elsewhere")
    return form


def _own(request: Request) -> bool:
    """Whether the browser says that the form stands on a page of this very site (all that post forms say so)."""
    origin, fetch_site = request.headers.get("origin"), request.headers.get("sec-fetch-site", "same-origin")
    same = origin is None or urlsplit(origin).netloc == request.headers.get("host")
    return same and fetch_site == "same-origin"


def _store(path: Any, key: str, form: dict[str, str]) -> str:
    from db.connection import connect

    try:
        with closing(connect(path)) as database:
            pk = find_pk(database, key)
            if pk is None:
                raise Refused(404, "no_document", key=text.clip(key, 120))
            values = (form.get("task", ""), form.get("verdict", ""), form.get("note", ""), form.get("who", ""))
            return judgements.record(database, pk, *values).document
    except (DatabaseError, judgements.JudgementError) as error:
        raise Refused(400, "judge_failed", reason=text.clip(str(error), 300)) from error
