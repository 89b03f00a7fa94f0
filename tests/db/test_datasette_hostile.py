"""Stored text is hostile: scripts, javascript: links, marks of direction, a title of a megabyte. No page runs or shows it."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from db import runs
from db.connection import immediate
from db.datasette import text
from db.datasette.text import Mark, pieces, safe_link
from db.documents import Attachment
from tests.db import shelf
from tests.db.shelf import document, get

TRADE = "foreign-trade/export-credit-insurance"
EVIL = [
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "'-alert(1)-'",
    "</title></textarea><svg onload=alert(1)>",
    "{{ 7*7 }}{% raw %}",
    "\u202egnp.exe\u2066\u2069\u2069\u200f",
    "\x00\x07\x1b[31m]]>\ufffe",
    "&lt;script&gt;alert(2)&lt;/script&gt;",
]
LINKS = ["javascript:alert(1)", " JaVaScRiPt:alert(1)", "data:text/html,<script>", "//evil.example/x", "https://ok.example/\"onmouseover=x",
         "https://ok.example/\u202eab", "http://[bad", "vbscript:x", "https://fine.example/a?b=c&d=%22"]  # fmt: skip
MEGABYTE = "大" * 350_000


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    where = tmp_path_factory.mktemp("hostile") / "x.db"
    made = []
    for n, evil in enumerate(EVIL, 1):
        made.append(document(
            n, f"{evil}标题", f"{evil}出口信用保险{evil}。\n{evil}", {TRADE: "出口信用保险"}, outlet=evil, author=evil, region=evil,
            doc_number=f"{evil}〔2026〕{n}号", doc_number_raw=evil, index_number=evil, issuers=[evil], remarks=[evil],
            url=LINKS[n % len(LINKS)], canonical_url=f"https://shelf.example/{n}", origin_outlet=evil,
            attachments=[Attachment(LINKS[(n + 1) % len(LINKS)], evil, evil, text=evil + "出口信用保险"), Attachment("x", evil, error=evil)],
            facets=shelf.facets(f"industry:{evil}"),
        ))  # fmt: skip
        made[-1].explanation["nearest_miss"] = f"{evil}: {evil}"
        made[-1].explanation["tasks"][evil] = {
            "carried": False,
            "terms": [{"term": evil, "weight": 0.1}],
            "missing": evil,
        }
        made[-1].findings = [shelf.finding(made[-1], "money", {"amount": 5, "currency": evil}, "信用")]
    made.append(
        document(90, MEGABYTE, "出口信用保险" + MEGABYTE, {TRADE: "出口信用保险"}, outlet=MEGABYTE, url=LINKS[-1])
    )
    made[-1].identity = "url:https://shelf.example/90"
    database = shelf.shelf(where, made)
    shelf.watched(database, 2, sources=["nfra"])
    runs.start_run(database, "evil", "nfra", started_at="2026-11-26T02:30:00Z")
    runs.finish_run(
        database, "evil", state="failed", outcome=EVIL[0], reason=EVIL[1] + MEGABYTE,
        failures=[{"url": LINKS[0], "outcome": EVIL[1], "reason": evil} for evil in EVIL],
    )  # fmt: skip
    with immediate(database) as conn:
        conn.execute("insert into source_events (id, source, kind, since, reason, opened_at) values ('e', 'nfra', ?, ?, ?, ?)",
                     (EVIL[0], EVIL[1], EVIL[2], EVIL[3]))  # fmt: skip
        conn.execute("insert into entries (source, key, url, state, reason, said, first_listed_at, last_listed_at) values "
                     "('nfra', 'k', ?, 'failed', ?, ?, 'x', 'x')", (LINKS[0], EVIL[0], shelf.dumps({"title": EVIL[1]})))  # fmt: skip
        conn.execute(
            "insert into lists (url, source, section, outcome, checked_at) values (?, 'nfra', ?, ?, ?)",
            (EVIL[0], EVIL[1], EVIL[2], EVIL[3]),
        )
    database.close()
    return where


class Page(HTMLParser):
    """What a browser would make of the page that could do harm."""

    def __init__(self, body: str) -> None:
        super().__init__(convert_charrefs=True)
        self.harm: list[str] = []
        self.feed(body)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if (
            tag in ("script", "iframe", "object", "embed", "img", "base", "meta")
            and not (tag == "meta" and dict(attrs).get("name") == "viewport")
            and "charset" not in dict(attrs)
        ):
            self.harm.append(f"<{tag} {attrs}>")
        for name, value in attrs:
            if name.startswith("on") or name in ("srcdoc", "style", "formaction"):
                self.harm.append(f"{tag} {name}={value}")
            if name in ("href", "src", "action") and not re.match(r"(/|#|https?://[a-z0-9.-]+(/|$))", value or ""):
                self.harm.append(f"{tag} {name}={value!r}")
            if name in ("href", "src", "action") and (value or "").startswith("//"):
                self.harm.append(f"{tag} {name}={value!r}")


def addresses() -> list[str]:
    documents = [f"/document/d{n:016x}" for n in (*range(1, len(EVIL) + 1), 90)]
    evil = [f"/search?q={quote(e)}" for e in EVIL] + [
        f"/task/foreign-trade?q={quote(e)}&from={quote(e)}&source={quote(e)}" for e in EVIL[:3]
    ]
    names = [
        f"{kind}/{quote(e, safe='')}" for e in EVIL[:4] for kind in ("/document", "/task", "/sources", "/questions")
    ]
    rest = ["/", "/task/foreign-trade", "/search?q=" + quote("出口信用保险"), "/sources", "/sources/nfra", "/about", "/document?key=" + quote(LINKS[0]),
            "/questions/issuers_of_a_task", "/questions/failed_documents", "/questions/attachments_not_read", "/questions/regions",
            "/questions/money_named", "/questions/same_document_elsewhere", "/questions/silent_sources"]  # fmt: skip
    return documents + [f"{d}/file/0" for d in documents[:-1]] + evil + names + rest


def test_no_page_carries_out_what_a_text_says(path: Path) -> None:
    asked = addresses()
    for address, answer in zip(asked, get(path, *asked), strict=True):
        assert answer.status_code in (200, 400, 404), (address, answer.status_code)
        assert "content-security-policy" in answer.headers
        if answer.status_code == 404 and "circularwatch</title>" not in answer.text:
            continue  # Datasette's own page for an address that none of ours takes
        body = answer.text
        assert Page(body).harm == [], address
        assert not re.search("[\x00-\x08\x0b\x0c\x0e-\x1f\u202a-\u202e\u2066-\u2069\u200e\u200f]", body), address
        assert "49{%" not in body, address
        assert len(answer.content) < (500_000 if "document" in address else 150_000), (address, len(answer.content))


def test_only_web_addresses_can_be_followed(path: Path) -> None:
    for n in range(1, len(EVIL) + 1):
        (answer,) = get(path, f"/document/d{n:016x}", headers={"accept-language": "en"})
        outside = re.findall(r'href="((?!/|#)[^"]+)"', answer.text)
        assert all(o.startswith("https://fine.example/a?b=c") for o in outside), outside
        if LINKS[n % len(LINKS)] != LINKS[-1]:
            assert "not a link that can be followed" in answer.text


def test_datasettes_own_pages_run_no_script_but_its_own(path: Path) -> None:
    for address in (
        "/circularwatch/documents",
        "/circularwatch/documents/1",
        f"/circularwatch/documents/{len(EVIL) + 1}",
        "/circularwatch/source_runs",
        "/circularwatch",
    ):
        (answer,) = get(path, address)
        assert answer.status_code == 200
        policy = answer.headers["content-security-policy"]
        assert "'unsafe-inline'" not in re.search(r"script-src[^;]*", policy).group()  # type: ignore[union-attr]
        inline = re.findall(r"<script>(.*?)</script>", answer.text, re.DOTALL)
        import base64
        import hashlib

        for script in inline:
            assert base64.b64encode(hashlib.sha256(script.encode()).digest()).decode() in policy, script[:80]
        assert "<script>alert" not in answer.text and "onerror=alert(1)>" not in re.sub(
            r"&[a-z#0-9]+;", "", answer.text
        ).replace("img src=x onerror=alert(1)", "")


def test_a_query_that_takes_too_long_runs_no_other_script(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import base64
    import hashlib

    from db.datasette import server

    monkeypatch.setitem(server.SETTINGS, "sql_time_limit_ms", 50)
    sql = "with recursive c(n) as (select 1 union all select n + 1 from c) select count(*) from c"
    (answer,) = get(path, "/circularwatch?sql=" + quote(sql))
    assert answer.status_code == 400 and "SQL Interrupted" in answer.text
    for script in re.findall(r"<script>(.*?)</script>", answer.text, re.DOTALL):
        assert (
            base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
            in answer.headers["content-security-policy"]
        )


@given(
    st.text(st.characters(), max_size=60),
    st.lists(st.tuples(st.integers(0, 60), st.integers(0, 60), st.sampled_from(["1", "2", "f"])), max_size=6),
)
def test_marked_pieces_are_the_text_and_cover_what_is_marked(body: str, spans: list[tuple[int, int, str]]) -> None:
    body = "".join(c for c in body if text.visible(c) == c)
    marks = [Mark(min(a, b), max(a, b), (label,)) for a, b, label in spans]
    found = pieces(body, marks)
    assert "".join(p.text for p in found) == body
    at = 0
    for piece in found:
        for place in range(at, at + len(piece.text)):
            assert set(piece.labels) == {m.labels[0] for m in marks if m.start <= place < m.end}
        at += len(piece.text)


@given(st.text(max_size=400), st.integers(1, 100))
def test_a_clipped_text_is_one_bounded_line(value: str, most: int) -> None:
    line = text.clip(value, most)
    assert len(line) <= most and "\n" not in line and "\u202e" not in line


@given(st.text(max_size=80))
def test_a_safe_link_is_a_web_address(value: str) -> None:
    for wish in (value, "https://" + value, "javascript:" + value, "http:" + value):
        link = safe_link(wish)
        assert link == "" or re.match(r"https?://[^\s<>\"]+$", link, re.IGNORECASE)
