"""Which address shows which page."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from datasette.app import Datasette
from datasette.utils.asgi import Request, Response

from db.datasette import exports, feeds, judging
from db.datasette.ask import Build, answer
from db.datasette.pages import about, document, home, questions, search, sources, task


def _page(build: Build, template: str) -> Callable[..., Any]:
    async def view(datasette: Datasette, request: Request) -> Response:
        return await answer(datasette, request, build, template)

    return view


ROUTES: list[tuple[str, Any]] = [
    (r"^/$", _page(home.build, "cw/home.html")),
    (r"^/task/(?P<task>[^/]+)$", _page(task.build, "cw/task.html")),
    (r"^/document$", _page(document.build, "cw/document.html")),
    (r"^/document/(?P<document>[^/]+)$", _page(document.build, "cw/document.html")),
    (r"^/document/(?P<document>[^/]+)/file/(?P<file>\d{1,6})$", _page(document.build_file, "cw/file.html")),
    (r"^/document/(?P<document>[^/]+)/judge$", judging.view),
    (r"^/search$", _page(search.build, "cw/search.html")),
    (r"^/sources$", _page(sources.build, "cw/sources.html")),
    (r"^/sources/(?P<source>[^/]+)$", _page(sources.build_one, "cw/source.html")),
    (r"^/questions$", _page(questions.build, "cw/questions.html")),
    (r"^/questions/(?P<question>[^/]+)$", _page(questions.build_one, "cw/question.html")),
    (r"^/about$", _page(about.build, "cw/about.html")),
    (r"^/feed/(?P<what>search|task)(?:/(?P<task>[^/]+?))?\.(?P<format>atom|json)$", feeds.view),
    (r"^/export/(?P<what>search|task|question)(?:/(?P<id>[^/]+?))?\.(?P<format>csv|xlsx|json|jsonl)$", exports.view),
]
