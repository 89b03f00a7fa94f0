"""Judging on the page: only where writing is on, only by our own form, and never a label changed by it."""

from __future__ import annotations

import asyncio
import contextlib
import re
from pathlib import Path
from typing import Any

import httpx
import pytest
from click.testing import CliRunner

import db
from crawler.cli.serve import command as serve
from db import judgements
from db.datasette import build
from tests.db import shelf
from tests.db.shelf import document, get

PAGE, FORM = "/document/d0000000000000001", "/document/d0000000000000001/judge"
TASK = "foreign-trade"
OWN = "http://localhost"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    shelf.shelf(tmp_path / "x.db", [document(1, "标题", "出口信用保险一份", {TASK: "出口信用保险"})]).close()
    return tmp_path / "x.db"


def post(path: Path, *, write: bool = True, ask: str = OWN, token: str | None = None, cookie: bool = True,
         headers: dict[str, str] | None = None, **fields: str) -> tuple[httpx.Response, str]:  # fmt: skip
    """Open the page, send its form, and give the answer with the page as it is afterwards."""

    async def go() -> tuple[httpx.Response, str]:
        datasette = build(shelf.house(), path, clock=lambda: shelf.NOW, write=write)
        try:
            transport = httpx.ASGITransport(app=datasette.app())
            async with httpx.AsyncClient(transport=transport, base_url=ask) as client:
                page = await client.get(PAGE, headers={"accept-language": "en"})
                found = re.search(r'name="csrftoken" value="([^"]+)"', page.text)
                sent = {"csrftoken": (found[1] if found else "") if token is None else token} | fields
                if not cookie:
                    client.cookies.clear()
                answer = await client.post(FORM, data=sent, headers=headers or {})
                return answer, (await client.get(PAGE, headers={"accept-language": "en"})).text
        finally:
            datasette.databases["circularwatch"].close()

    return asyncio.run(go())


def stored(path: Path) -> list[Any]:
    with contextlib.closing(db.connect(path, readonly=True)) as database:
        return [(j["task"], j["verdict"], j["note"], j["who"], j["carries"]) for j in judgements.listing(database)]


def test_a_judgement_is_stored_and_shown_beside_the_label(path: Path) -> None:
    answer, page = post(path, task=TASK, verdict="no", note="<b>farm goods", who="Ann", headers={"origin": OWN})
    assert (answer.status_code, answer.headers["location"]) == (303, f"{PAGE}#judgements")
    assert stored(path) == [(TASK, "no", "<b>farm goods", "Ann", True)], "the label is what it was"
    assert "against the label, which it does not change" in page
    assert "&lt;b&gt;farm goods" in page
    assert "Ann" in page


def origin_of_a_browser(policy: str) -> str:
    """What browsers send as Origin with a form to its own site (Fetch standard, "append a request Origin header")."""
    return "null" if policy == "no-referrer" else OWN


def test_what_a_browser_sends_with_our_form_is_taken(path: Path) -> None:
    (page,) = get(path, PAGE)
    origin = origin_of_a_browser(page.headers["referrer-policy"])
    answer, _ = post(path, task=TASK, verdict="no", headers={"origin": origin})
    assert answer.status_code == 303
    assert page.headers["referrer-policy"] in ("same-origin", "strict-origin"), "and other sites learn no address"


def test_there_is_no_form_where_writing_is_off(path: Path) -> None:
    (page,) = get(path, PAGE)
    assert "<form class" not in page.text or 'class="judge"' not in page.text
    answer, _ = post(path, write=False, token="x", task=TASK, verdict="no")
    assert answer.status_code in (403, 405)
    assert stored(path) == []


FOREIGN: list[dict[str, Any]] = [
    {"token": "wrong"},
    {"token": ""},
    {"cookie": False},
    {"cookie": False, "token": ""},
    {"cookie": False, "headers": {"authorization": "Bearer x"}},
    {"headers": {"authorization": "Bearer x"}, "token": ""},
    {"headers": {"origin": "https://evil.example"}},
    {"headers": {"origin": "null"}},
    {"headers": {"sec-fetch-site": "cross-site"}},
    {"ask": "http://evil.example"},
    {"ask": "http://localhost.evil.example", "headers": {"origin": "http://localhost.evil.example"}},
]


@pytest.mark.parametrize("how", FOREIGN, ids=str)
def test_a_form_from_elsewhere_is_refused(path: Path, how: dict[str, Any]) -> None:
    answer, _ = post(path, task=TASK, verdict="no", **how)
    assert answer.status_code == 403
    assert stored(path) == []


@pytest.mark.parametrize(
    ("fields", "status", "said"),
    [
        ({"task": "no-such-task", "verdict": "yes"}, 400, "there is no task"),
        ({"task": TASK, "verdict": "perhaps"}, 400, "is no judgement"),
        ({"task": TASK, "verdict": "yes", "note": "x" * 3000}, 400, "2000 characters"),
        ({"task": TASK, "verdict": "yes", "note": "x" * 30_000}, 413, "too long"),
        ({}, 400, "there is no task"),
    ],
)
def test_what_is_wrong_is_said(path: Path, fields: dict[str, str], status: int, said: str) -> None:
    answer, _ = post(path, headers={"accept-language": "en"}, **fields)
    assert (answer.status_code, said in answer.text) == (status, True)
    assert stored(path) == []


def test_reading_the_address_of_the_form_writes_nothing(path: Path) -> None:
    (answer,) = get(path, f"{FORM}?task={TASK}&verdict=no")
    assert answer.status_code == 405
    assert stored(path) == []


def test_a_third_opinion_is_shown(path: Path) -> None:
    with contextlib.closing(db.connect(path)) as database, db.immediate(database) as conn:
        span = '{"field": "text", "start": 0, "end": 6, "quote": "<i>出口", "reader": "llm", "weight": 1}'
        conn.execute(
            "insert into third_opinions values ('x', 'model-x', 'p', 'd0000000000000001', '2026-11-26T00:00:00Z', ?, 0, '')",
            (f'[{{"task": "{TASK}", "spans": [{span}]}}]',),
        )
    (page,) = get(path, PAGE, headers={"accept-language": "en"})
    assert "Third reader (model-x, 2026-11-26)" in page.text
    assert "&lt;i&gt;出口" in page.text


def test_writing_is_for_this_machine_alone(path: Path) -> None:
    result = CliRunner().invoke(serve, ["--write", "--host", "0.0.0.0", "--db", str(path)])
    assert (result.exit_code, "for this machine alone" in result.stderr) == (2, True)
