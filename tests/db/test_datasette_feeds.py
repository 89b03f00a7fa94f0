"""Feeds: valid, the same ids on any host, one sentence of evidence and never the whole text, newest seen first."""

from __future__ import annotations

import json
import re
from datetime import datetime
from pathlib import Path
from urllib.parse import quote
from xml.etree import ElementTree

import pytest

from tests.db import shelf
from tests.db.shelf import document, get, page

ATOM = "{http://www.w3.org/2005/Atom}"
TRADE = "foreign-trade/export-credit-insurance"
FILLER = "其余的话很长，订阅里不该有。" * 40
ADDRESSES = ["/feed/task/foreign-trade", "/feed/search"]
QUERY = "?q=" + quote('出口信用保险 OR "<&\'>保险"')


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    where = tmp_path_factory.mktemp("feeds") / "x.db"
    made = [
        document(n, f"标题{n} <b>&amp;</b>", f"出口信用保险第{n}句。{FILLER}", {TRADE: "出口信用保险"},
                 first_seen_at=f"2026-11-{1 + n // 10:02}T00:00:{n % 10:02}Z")
        for n in range(1, 251)
    ]  # fmt: skip
    # found today, published long ago
    made[0].published_on, made[0].published_at, made[0].first_seen_at = "2024-05-01", None, "2026-11-26T02:00:00Z"
    made[1].url = "javascript:alert(1)"
    made[1].title = "\u202e反\x00转\ufffe" + "长" * 2_000
    shelf.shelf(where, made).close()
    return where


def atom(path: Path, address: str, **headers: str) -> ElementTree.Element:
    (answer,) = get(path, address, headers=headers)
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/atom+xml; charset=utf-8"
    return ElementTree.fromstring(answer.content)


def instant(text: str | None) -> datetime:
    assert text
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", text)
    return datetime.fromisoformat(text.replace("Z", "+00:00"))


@pytest.mark.parametrize("address", [ADDRESSES[0] + ".atom", ADDRESSES[1] + ".atom" + QUERY])
def test_atom_has_what_rfc_4287_asks_for(path: Path, address: str) -> None:
    feed = atom(path, address)
    assert feed.tag == ATOM + "feed"
    for name in ("id", "title", "updated", "author"):
        assert len(feed.findall(ATOM + name)) == 1, name
    links = {link.get("rel"): link.get("href", "") for link in feed.findall(ATOM + "link")}
    assert links["self"].startswith("http://localhost/feed/") and links["alternate"].startswith("http://localhost/")
    entries = feed.findall(ATOM + "entry")
    assert len(entries) == 100
    ids = [entry.findtext(ATOM + "id") for entry in entries]
    assert len(set(ids)) == 100 and all(re.fullmatch(r"tag:[a-z.]+,2024:document/d[0-9a-f]{16}", i or "") for i in ids)
    updated = [instant(entry.findtext(ATOM + "updated")) for entry in entries]
    assert updated == sorted(updated, reverse=True)
    assert instant(feed.findtext(ATOM + "updated")) == updated[0]
    for entry in entries:
        assert entry.findtext(ATOM + "title")
        assert "出口信用保险第" in (entry.findtext(ATOM + "summary") or "")
        assert len(entry.findall(ATOM + "link[@rel='alternate']")) == 1
        assert entry.findtext(f"{ATOM}author/{ATOM}name")


@pytest.mark.parametrize("format_", ["atom", "json"])
def test_no_feed_holds_the_text_beyond_its_sentence(path: Path, format_: str) -> None:
    for address in (f"/feed/task/foreign-trade.{format_}", f"/feed/search.{format_}{QUERY}"):
        (answer,) = get(path, address)
        assert "出口信用保险第" in answer.text
        assert "订阅里不该有。其余的话" not in answer.text
        assert "长" * 300 not in answer.text


def test_what_was_published_long_ago_and_found_today_comes_first(path: Path) -> None:
    entry = atom(path, "/feed/task/foreign-trade.atom").find(ATOM + "entry")
    assert entry is not None
    assert (entry.findtext(ATOM + "id") or "").endswith(f"d{1:016x}")
    assert entry.find(ATOM + "published") is None


@pytest.mark.parametrize("address", [ADDRESSES[0], ADDRESSES[1]])
@pytest.mark.parametrize("format_", ["atom", "json"])
def test_paging_leads_to_every_document_once(path: Path, address: str, format_: str) -> None:
    seen: list[str] = []
    following: str | None = f"{address}.{format_}" + (QUERY if "search" in address else "")
    while following:
        if format_ == "atom":
            feed = atom(path, following)
            seen += [entry.findtext(ATOM + "id") or "" for entry in feed.findall(ATOM + "entry")]
            link = feed.find(ATOM + "link[@rel='next']")
            following = link.get("href", "").removeprefix("http://localhost") if link is not None else None
        else:
            whole = json.loads(get(path, following)[0].text)
            seen += [item["id"] for item in whole["items"]]
            following = whole.get("next_url", "").removeprefix("http://localhost") or None
    assert len(seen) == len(set(seen)) == 250


def test_ids_do_not_depend_on_where_the_site_stands(path: Path) -> None:
    here = atom(path, "/feed/task/foreign-trade.atom", host="a.example")
    there = atom(path, "/feed/task/foreign-trade.atom", host="b.example:8443")
    assert [e.text for e in here.iter(ATOM + "id")] == [e.text for e in there.iter(ATOM + "id")]
    assert here.find(ATOM + "link[@rel='self']").get("href") == "http://a.example/feed/task/foreign-trade.atom"  # type: ignore[union-attr]


def test_json_feed_has_what_its_version_asks_for(path: Path) -> None:
    (answer,) = get(path, "/feed/search.json" + QUERY)
    assert answer.headers["content-type"].startswith("application/feed+json")
    feed = json.loads(answer.text)
    assert feed["version"] == "https://jsonfeed.org/version/1.1" and feed["title"]
    assert feed["feed_url"].startswith("http://localhost/feed/search.json?q=")
    assert feed["home_page_url"].startswith("http://localhost/search?q=")
    for item in feed["items"]:
        assert item["id"] and item["content_text"] and item["url"].startswith("http://localhost/document/")
        instant(item["date_modified"])


def test_hostile_text_and_links_do_no_harm(path: Path) -> None:
    feed = atom(path, "/feed/task/foreign-trade.atom?page=3")
    entry = next(e for e in feed.findall(ATOM + "entry") if (e.findtext(ATOM + "id") or "").endswith(f"{2:016x}"))
    assert entry.find(ATOM + "link[@rel='via']") is None
    title = entry.findtext(ATOM + "title") or ""
    assert title.startswith("反转长") and len(title) <= 240
    for link in feed.iter(ATOM + "link"):
        assert (link.get("href") or "").startswith(("http://", "https://"))


def test_pages_lead_to_their_feeds(path: Path) -> None:
    for address in ("/task/foreign-trade?lang=zh", "/search" + QUERY):
        text = page(path, address)
        found = re.findall(r'<link rel="alternate" type="(application/[a-z+]+)"[^>]*href="([^"]+)"', text)
        assert [kind for kind, _ in found] == ["application/atom+xml", "application/feed+json"]
        for _, href in found:
            (answer,) = get(path, href.replace("&amp;", "&").replace("&#34;", '"'))
            assert answer.status_code == 200


def test_a_feed_of_nothing_is_a_feed(path: Path) -> None:
    feed = atom(path, "/feed/task/insurance-funds.atom")
    assert feed.findall(ATOM + "entry") == [] and instant(feed.findtext(ATOM + "updated"))
    bad, none = get(path, "/feed/search.atom?q=%28", "/feed/task/none.atom")
    assert (bad.status_code, none.status_code) == (400, 404)


def test_of_many_hits_the_newest_seen_are_still_first(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from db.datasette import hits

    def ids() -> list[str | None]:
        return [e.findtext(ATOM + "id") for e in atom(path, "/feed/search.atom" + QUERY).findall(ATOM + "entry")]

    sorted_ = ids()
    monkeypatch.setattr(hits, "SORTABLE", 10)
    assert ids() == sorted_
