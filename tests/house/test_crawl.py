"""One crawl, a second one, a changed web, a rebuild: by the commands, witnessed by the web's own log."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

import db
from db.compare import differences
from tests.house.house import House, ends
from tests.web import ImitationWeb

SOURCES = ("nfra", "ndrc_zcfb", "pboc_lists", "trulynews", "govcn_zuixin")


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    with ImitationWeb(filler=True) as web:
        yield House(web, tmp_path)


def documents_asked(house: House, mark: int) -> list[str]:
    """The documents among what was asked for since `mark`, by their addresses on the imitation web."""
    known = {place["url"] for document in house.web.documents() for place in document["urls"]}
    return [e["url"] for e in house.requests(since=mark) if e["url"] in known or "SelectByDocId" in e["url"]]


def test_second_crawl_asks_for_lists_only_and_rebuild_gives_the_same(house: House) -> None:
    first = ends(house.run("crawl", *SOURCES, "--json").stdout)
    assert set(first) == set(SOURCES)
    assert all(line["new"] > 0 for line in first.values()), first
    before = house.documents()
    mark = house.mark()

    second = ends(house.run("crawl", *SOURCES, "--json").stdout)
    asked = house.requests(since=mark)
    assert all(line["new"] == 0 for line in second.values()), second
    assert documents_asked(house, mark) == []
    assert any(e["status"] == 304 for e in asked)
    assert house.documents() == before

    house.run("rebuild", "--json")
    assert house.documents() == before


def test_rebuild_equals_table_by_table(house: House) -> None:
    house.run("crawl", *SOURCES, "--json")
    copy = house.folder / "crawled.db"
    opened = house.open()
    opened.conn.execute("vacuum into ?", (str(copy),))
    opened.close()
    house.run("rebuild", "--json")
    one, other = db.connect(copy), db.connect(house.database)
    assert differences(one, other) == []


def test_one_new_article_and_one_that_failed_are_the_only_ones_asked_for(house: House) -> None:
    url = next(
        place["url"]
        for document in house.web.documents()
        for place in document["urls"]
        if place["source"] == "ndrc_zcfb" and not document["filler"] and not document["stub"]
    )
    house.web.fault(url, status=503)
    done = house.run("crawl", "ndrc_zcfb", "pboc_lists", "--json", status=1)
    assert "503" in done.stderr + done.stdout
    house.web.clear_faults()
    house.web.add_document(
        {
            "key": "quite-new", "sites": [{"source": "pboc_lists", "section": "新闻发布"}], "language": "zh",
            "title": "人民银行部署技术改造再贷款发放工作", "days_ago": 0, "outlet": "中国人民银行",
            "body": "人民银行要求银行向制造企业发放技术改造贷款，首批签约三十亿元，用于更新机床。",
        }
    )  # fmt: skip
    mark = house.mark()
    house.run("crawl", "ndrc_zcfb", "pboc_lists", "--json")
    fetched = documents_asked(house, mark)
    assert len(fetched) == 2, fetched
    assert url in fetched
