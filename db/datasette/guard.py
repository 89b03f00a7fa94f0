"""Around the whole of Datasette: headers that keep hostile text harmless, and CSV that is whole and safe in a spreadsheet.

Datasette cuts a query's CSV at 1,000 rows and a table's at one page, with status 200. Here a query's CSV goes to our
exporter, a table's is streamed to its end, and both lose their formulas.
"""

from __future__ import annotations

import base64
import csv
import hashlib
import io
import re
import textwrap
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import datasette as datasette_package
from datasette.app import Datasette

from db.datasette.cells import BOM, neutral
from db.datasette.file import NAME
from db.datasette.site import site_of

ALWAYS = {
    b"x-content-type-options": b"nosniff",
    # other sites learn nothing; with no-referrer browsers send "Origin: null" with our own form, which is refused
    b"referrer-policy": b"same-origin",
    b"cross-origin-opener-policy": b"same-origin",
}


@cache
def csp() -> bytes:
    """The policy for Datasette's own pages: its files, and its few inline scripts by their checksums."""
    folder = Path(datasette_package.__file__).parent
    scripts = {"DATASETTE_ALLOW_FACET = true;", "DATASETTE_ALLOW_FACET = false;"}
    for path in (folder / "templates").glob("*.html"):
        scripts |= set(re.findall(r"<script>(.*?)</script>", path.read_text(encoding="utf-8"), re.DOTALL))
    # the page of a query that took too long
    for block in re.findall(
        r"<p>SQL query took.*?</script>", (folder / "views" / "base.py").read_text("utf-8"), re.DOTALL
    ):
        scripts |= set(re.findall(r"<script>(.*?)</script>", textwrap.dedent(" " * 20 + block), re.DOTALL))
    hashes = [
        f"'sha256-{base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()}'"
        for script in sorted(scripts)
        if "{{" not in script and "{%" not in script
    ]
    return (
        "default-src 'none'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; connect-src 'self'; "
        "form-action 'self'; base-uri 'none'; frame-ancestors 'none'; script-src 'self' " + " ".join(hashes)
    ).encode()


class Guard:
    """The ASGI application around Datasette's."""

    def __init__(self, app: Any, datasette: Datasette) -> None:
        self.app, self.datasette = app, datasette

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        scope, table_csv = self._redirected(scope)
        rows = _Rows(send) if table_csv else None

        async def guarded(message: dict[str, Any]) -> None:
            if message["type"] == "http.response.start":
                message = _headed(message)
            if rows is not None:
                await rows.send(message)
            else:
                await send(message)

        await self.app(scope, receive, guarded)

    def _redirected(self, scope: dict[str, Any]) -> tuple[dict[str, Any], bool]:
        """The scope with CSV addresses of Datasette turned into whole ones; True for a table's CSV."""
        base = self.datasette.setting("base_url").rstrip("/")
        path = scope["path"]
        match = re.fullmatch(rf"{re.escape(base)}/{NAME}(?:/([^/]+))?\.csv", path)
        site = site_of(self.datasette)
        if match is None or site is None:
            return scope, False
        table, query = match[1], scope.get("query_string", b"").decode("latin1")
        given = parse_qs(query)
        if table in site.questions:
            return _moved(scope, f"{base}/export/question/{table}.csv", query), False
        if table is None and "sql" in given:
            return _moved(scope, f"{base}/export/question.csv", query), False
        if table is not None and not {"_stream", "_size", "_next", "_trace"} & set(given):
            query = f"{query}&_stream=on" if query else "_stream=on"
        return _moved(scope, path, query), table is not None


def _moved(scope: dict[str, Any], path: str, query: str) -> dict[str, Any]:
    return scope | {"path": path, "raw_path": path.encode(), "query_string": query.encode("latin1")}


def _headed(message: dict[str, Any]) -> dict[str, Any]:
    headers = [(key.lower(), value) for key, value in message.get("headers", [])]
    names = {key for key, _ in headers}
    kind = dict(headers).get(b"content-type", b"")
    headers += [(key, value) for key, value in ALWAYS.items() if key not in names]
    if b"content-security-policy" not in names:
        headers.append(
            (
                b"content-security-policy",
                csp() if kind.startswith(b"text/html") else b"default-src 'none'; style-src 'unsafe-inline'",
            )
        )
    return message | {"headers": headers}


class _Rows:
    """Datasette's CSV, of which every message is one row, with a mark for spreadsheets and without formulas."""

    def __init__(self, send: Any) -> None:
        self._send, self._first = send, True

    async def send(self, message: dict[str, Any]) -> None:
        if message["type"] == "http.response.start":
            self._plain = message["status"] != 200 or _of_html(message)
            if not self._plain:
                headers = [(k, v) for k, v in message["headers"] if k not in (b"content-type", b"content-length")]
                message = message | {"headers": [*headers, (b"content-type", b"text/csv; charset=utf-8")]}
        elif not self._plain and message.get("body"):
            out = io.StringIO()
            if self._first:
                out.write(BOM)
                self._first = False
            writer = csv.writer(out)
            for row in csv.reader(io.StringIO(message["body"].decode("utf-8"), newline="")):
                writer.writerow([neutral(cell) for cell in row])
            message = message | {"body": out.getvalue().encode("utf-8")}
        await self._send(message)


def _of_html(message: dict[str, Any]) -> bool:
    return any(k == b"content-type" and v.startswith(b"text/html") for k, v in message["headers"])
