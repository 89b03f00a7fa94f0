"""Everything that a page counts, as a file: whole, streamed, and with exactly as many rows as the page says."""

from __future__ import annotations

import asyncio
import json
import re
import sqlite3
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from datasette.app import Datasette
from datasette.utils import InvalidSql, validate_sql_select
from datasette.utils.asgi import Request, Response

from db.datasette import cells, hits, items, text
from db.datasette.ask import Ask, Refused
from db.search import QueryError

COLUMNS = (
    "id", "title", "published_on", "outlet", "issuers", "doc_number", "kind", "level", "region", "language", "source",
    "tasks", "evidence", "relevant", "relevance", "relation", "written_on", "effective_on", "expires_on", "deadline_on",
    "first_seen_at", "url", "urls",
)  # fmt: skip
_SELECT = (
    "d.pk, d.id, d.title, d.published_on, d.outlet, d.source, d.issuers, d.doc_number, d.kind, d.level, d.region, "
    "d.language, d.classifier, d.relevant, d.relevance, d.relation, d.written_on, d.effective_on, d.expires_on, "
    "d.deadline_on, d.first_seen_at, d.url"
)
# a canned query or SQL of one's own that is not done by then is broken off, and the file with it
MOST_SECONDS = 300
BATCH = 200


class Download:
    """A file that is made while it is sent. A fault in the middle breaks the connection: half a file never looks whole."""

    def __init__(
        self, parts: Iterator[bytes], close: Callable[[], None], headers: dict[str, str], sorry: Callable[[str], str]
    ) -> None:
        self.parts, self.close, self.headers, self.sorry = parts, close, headers, sorry
        self.status = 200
        self._set_cookie_headers: list[str] = []

    async def asgi_send(self, send: Any) -> None:
        loop = asyncio.get_running_loop()
        nothing = b""
        try:
            try:
                # the first part before the status: what fails at once is an error message, not a broken file
                part = await loop.run_in_executor(None, next, self.parts, nothing)
            except sqlite3.Error as error:
                await Response.text(self.sorry(str(error)), status=400).asgi_send(send)
                return
            headers = [[k.encode("latin1"), v.encode("latin1")] for k, v in self.headers.items()]
            await send({"type": "http.response.start", "status": 200, "headers": headers})
            while part:
                await send({"type": "http.response.body", "body": part, "more_body": True})
                part = await loop.run_in_executor(None, next, self.parts, nothing)
            await send({"type": "http.response.body", "body": b""})
        finally:
            await loop.run_in_executor(None, self.close)


async def view(datasette: Datasette, request: Request) -> Response | Download:
    """/export/search.csv?q=…, /export/task/ID.xlsx?…, /export/question/ID.json?…"""
    ask = Ask(datasette, request)
    what, format_ = request.url_vars["what"], request.url_vars["format"]
    loop = asyncio.get_running_loop()
    conn = await loop.run_in_executor(None, ask.file.prepared)
    try:
        make = _of_question if what == "question" else _of_hits
        name, columns, count, rows = await loop.run_in_executor(None, make, ask, conn, what)
    except Refused as refusal:
        conn.close()
        return Response.text(str(ask.t(refusal.key, **refusal.places)), status=refusal.status)
    except (sqlite3.Error, InvalidSql) as error:
        conn.close()
        return Response.text(str(ask.t("sql_failed", reason=str(error))), status=400)
    except BaseException:
        conn.close()
        raise
    head = {"source": ask.absolute(ask.url(ask.path)), "made_at": ask.site.now().strftime("%Y-%m-%dT%H:%M:%SZ")}
    parts = _parts(format_, columns, rows, head | ({"count": count} if count is not None else {}), name)
    headers = {
        "content-type": cells.TYPES[format_],
        "content-disposition": f'attachment; filename="{name}.{format_}"',
        "cache-control": "no-store",
    }
    headers |= {"x-rows": str(count)} if count is not None else {}
    return Download(parts, conn.close, headers, lambda reason: str(ask.t("sql_failed", reason=reason)))


def _parts(
    format_: str, columns: Sequence[str], rows: Iterator[Sequence[Any]], head: dict[str, Any], name: str
) -> Iterator[bytes]:
    if format_ == "csv":
        return cells.as_csv(columns, rows)
    if format_ == "jsonl":
        return cells.as_jsonl(columns, rows)
    if format_ == "xlsx":
        return cells.as_xlsx(columns, rows, re.sub(r"[\[\]:*?/\\']", " ", name)[:25] or "export")
    return cells.as_json(columns, rows, head)


def _of_hits(ask: Ask, conn: sqlite3.Connection, what: str) -> tuple[str, Sequence[str], int, Iterator[Sequence[Any]]]:
    found = asked_hits(ask, conn, what)
    # count and rows of one moment
    conn.execute("begin")
    columns = [*COLUMNS, "text"] if ask.arg("text") == "1" else list(COLUMNS)
    order = "relevance" if ask.arg("order") == "relevance" else "newest"
    name = f"circularwatch-{found.task or 'search'}-{ask.site.today().isoformat()}"
    return name, columns, found.count(conn), _rows(ask, conn, found, order, columns)


def asked_hits(ask: Ask, conn: sqlite3.Connection, what: str) -> hits.Hits:
    """What a search or task page of the same arguments shows; Refused for a bad query or an unknown task."""
    try:
        if what == "search":
            if not ask.arg("q"):
                raise Refused(400, "query_missing")
            return hits.of_query(ask.arg("q"), ask.site.allowed)
        task = ask.var("id") or ask.var("task")
        if conn.execute("select 1 from tasks where id = ? and parent is null", (task,)).fetchone() is None:
            raise Refused(404, "no_task", task=text.clip(task, 60))
        return hits.of_task(task, {name: ask.arg(name) for name in ask.request.args}, ask.site.allowed)
    except QueryError as error:
        raise Refused(400, "query_refused", position=error.position + 1, reason=error.reason) from error


def _rows(
    ask: Ask, conn: sqlite3.Connection, found: hits.Hits, order: str, columns: Sequence[str]
) -> Iterator[Sequence[Any]]:
    select = _SELECT + (", d.text" if "text" in columns else "")
    cursor = found.stream(conn, select, order)
    while batch := cursor.fetchmany(BATCH):
        pks = [row["pk"] for row in batch]
        tasks, urls = items.tasks_of(conn, pks), _urls(conn, pks)
        for row in batch:
            evidence = _evidence(conn, row, found.task or next(iter(tasks[row["pk"]]), ""), found.measure)
            special = {
                "issuers": json.loads(row["issuers"] or "[]"),
                "tasks": tasks[row["pk"]],
                "evidence": evidence,
                "urls": urls.get(row["pk"], []),
                "relevant": bool(row["relevant"]),
            }
            yield [special[name] if name in special else row[name] for name in columns]


def _evidence(conn: sqlite3.Connection, row: Any, task: str, measure: str) -> str:
    found = items.evidence(conn, row, task, measure) if task else None
    return found.sentence if found else ""


def _urls(conn: sqlite3.Connection, pks: Sequence[int]) -> dict[int, list[str]]:
    marks = ", ".join("?" * len(pks))
    out: dict[int, list[str]] = {}
    for pk, url in conn.execute(
        f"select document, url from document_urls where document in ({marks}) order by document, firsthand desc, canonical_url",
        pks,
    ):
        out.setdefault(pk, []).append(url)
    return out


def _of_question(
    ask: Ask, conn: sqlite3.Connection, what: str
) -> tuple[str, Sequence[str], int | None, Iterator[Sequence[Any]]]:
    """A canned query, or SQL of one's own (`sql=`) as Datasette's pages offer it."""
    id_ = ask.request.url_vars.get("id")
    if id_ is None:
        sql, name = ask.arg("sql"), "query"
        validate_sql_select(sql)
        values: dict[str, Any] = {key: ask.request.args.get(key) for key in ask.request.args}
    else:
        question = ask.site.questions.get(id_)
        if question is None:
            raise Refused(404, "no_question")
        sql, name = question.sql, id_
        values = question.values({key: ask.arg(key) for key in ask.request.args}, ask.site)
    conn.execute("begin")
    until = time.monotonic() + MOST_SECONDS
    conn.set_progress_handler(lambda: int(time.monotonic() > until), 100_000)
    named = {key: values.get(key, "") for key in re.findall(r":([A-Za-z_]\w*)", sql)}
    cursor = conn.execute(sql, named)
    columns = [column[0] for column in cursor.description]
    return f"circularwatch-{name}-{ask.site.today().isoformat()}", columns, None, _all(cursor)


def _all(cursor: sqlite3.Cursor) -> Iterator[Sequence[Any]]:
    while batch := cursor.fetchmany(BATCH):
        yield from (tuple(row) for row in batch)
