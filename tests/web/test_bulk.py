"""Generated documents: the same in every run, as many as asked, and enough of them for healthy lists."""

from __future__ import annotations

import datetime as dt

import pytest
import requests

import config
from tests.web import ImitationWeb
from tests.web.bulk import EXPECTED, bulk, filler
from tests.web.world import World

from .conftest import TODAY, client

DAY = dt.date(2026, 10, 8)


def test_filler_knows_what_each_source_expects() -> None:
    wanted = {source.id: source.expect.min_items for source in config.load_sources().values() if source.enabled}
    assert wanted == EXPECTED


def test_with_filler_every_list_is_as_long_as_expected() -> None:
    world = World(DAY, None)
    world.add_many(filler(world))
    for source, least in EXPECTED.items():
        site = next(one for one in world.sites if source in one.sources)
        for section in world.sections[source]:
            rows = site.rows(source, section)
            assert len(rows) >= least
            assert rows[0].doc.published.date() == DAY


def test_bulk_is_the_same_in_every_run() -> None:
    world = World(DAY, None)
    assert list(bulk("ndrc_zcfb", 300, world)) == list(bulk("ndrc_zcfb", 300, world))
    texts = [raw["title"] for raw in bulk("ndrc_zcfb", 300, world)]
    assert len(set(texts)) == 300


@pytest.mark.parametrize(("source", "language"), [("nfra", "zh"), ("chinadaily_business", "en")])
def test_bulk_in_the_source_s_language_over_its_sections(source: str, language: str) -> None:
    world = World(DAY, None)
    assert world.add_many(bulk(source, 40, world)) == 40
    assert world.add_many(bulk(source, 40, world)) == 0
    assert {doc.language for doc in world.docs.values()} == {language}
    shown = {entry.section for doc in world.docs.values() for entry in doc.entries}
    assert shown == set(world.sections[source])


def test_bulk_by_option_and_by_order() -> None:
    with ImitationWeb(today=TODAY, documents=False, bulk={"ndrc_zcfb": 30}) as web:
        assert len(web.documents()) == 30
        assert web.bulk("ndrc_zcfb", 80, "通知") == 50
        get: requests.Session = client(web)
        pages = [get.get(f"https://www.ndrc.gov.cn/xxgk/zcfb/tz/index{n}.html").text for n in ("", "_1", "_2")]
        assert sum(page.count('<div class="popbox">') for page in pages) == 4 + 50
        urls = [place["url"] for doc in web.documents() for place in doc["urls"]]
        assert len(set(urls)) == 80
        assert get.get(urls[-1]).status_code == 200
        assert web.filler() > 400


def test_the_day_moves_what_is_relative() -> None:
    with ImitationWeb(today=TODAY, documents=False) as web:
        raw = {"key": "k", "sites": [{"source": "ndrc_zcfb"}], "language": "zh", "title": "题", "body": "文"}
        web.add_document({**raw, "days_ago": 2, "time": "9:05", "written": 4})
        document = web.documents()[0]
        assert (document["published"], document["written"]) == ("2026-10-06T09:05:00+08:00", "2026-10-04")
        assert "/202610/t20261006_" in document["urls"][0]["url"]
        assert web.set_today("2026-11-01") == "2026-11-01"
        assert web.documents()[0]["published"] == "2026-10-30T09:05:00+08:00"
        web.change_document("k", title="新题", days_ago=None, published="2024-04-16 10:30")
        document = web.documents()[0]
        assert (document["title"], document["published"]) == ("新题", "2024-04-16T10:30:00+08:00")
        web.remove_document("k")
        assert web.documents() == []


def test_nothing_relative_is_published_after_now() -> None:
    now = dt.datetime.now(dt.UTC)
    with ImitationWeb() as web:
        assert max(dt.datetime.fromisoformat(doc["published"]) for doc in web.documents()) <= now
