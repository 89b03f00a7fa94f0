"""A person's way through the pages, in Chromium."""

from __future__ import annotations

import csv
import io
import struct
import zlib
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.browser


def unfiltered(png: bytes) -> bytes:
    """The image data of a PNG, unpacked but still filtered: enough to tell pictures apart."""
    data, at = b"", 8
    while at < len(png):
        (length,) = struct.unpack(">I", png[at : at + 4])
        if png[at + 4 : at + 8] == b"IDAT":
            data += png[at + 8 : at + 8 + length]
        at += 12 + length
    return zlib.decompress(data)


def test_from_the_ledger_to_the_words_that_prove_a_task(tab: Any) -> None:
    assert "任务台账" in tab.title()
    rows = tab.locator("table.ledger tbody tr")
    assert rows.count() == 12
    trade = rows.filter(has_text="优化制造业外贸金融供给")
    assert trade.locator("mark").first.inner_text()
    assert trade.locator("svg.bars rect.bar").count() > 0
    trade.locator("th a").click()
    tab.wait_for_url("**/task/foreign-trade")
    tab.get_by_role("link", name="关于扩大出口信用保险覆盖面的通知").click()
    tab.wait_for_url("**/document/*")
    text = tab.locator("section:has(#text)")
    assert text.locator("mark.m1").first.inner_text() == "1出口信用保险"
    assert text.locator("mark.m2").first.inner_text() == "2设备更新贷款"
    tab.locator(".legend li").filter(has_text="支持产业结构优化升级").locator("a.toggle").click()
    tab.wait_for_url("**task=foreign-trade**")
    assert text.locator("mark.m2").count() == 0 and text.locator("mark.m1").count() == 1
    assert tab.locator("details.file").first.locator("mark").count() == 0  # its words carry no label
    assert "没有读取：attachment not read: encrypted" in tab.locator("details.file").nth(1).inner_text()
    assert "最接近而未成立的任务" in tab.locator("section:has(#why)").inner_text()


def test_marks_of_different_tasks_can_be_told_apart(tab: Any, address: str) -> None:
    tab.goto(address + f"document/d{9001:016x}")
    colours = {
        tab.locator(f"section:has(#text) mark.m{n}").first.evaluate("e => getComputedStyle(e).backgroundColor")
        for n in (1, 2)
    }
    assert len(colours) == 2 and "rgba(0, 0, 0, 0)" not in colours


@pytest.mark.parametrize(
    ("query", "mark", "least"), [("贷款", "贷款", 10), ('"equipment renewal"', "equipment renewal", 1)]
)
def test_searching_in_both_languages(tab: Any, query: str, mark: str, least: int) -> None:
    box = tab.locator("form.box input[name=q]")
    box.fill(query)
    box.press("Enter")
    tab.wait_for_url("**/search?q=*")
    assert tab.locator("form.search input[name=q]").input_value() == query
    assert tab.locator("article.item").count() >= least
    assert mark in [m.lower() for m in tab.locator("article.item mark").all_inner_texts()]


def test_a_bad_query_shows_its_place(tab: Any, address: str) -> None:
    tab.goto(address + "search?q=task:foreign-trad")
    assert "第 6 个字符处" in tab.get_by_role("alert").inner_text()
    assert tab.locator("pre.where mark").inner_text() == "f"


def test_the_language_switch_stays(tab: Any) -> None:
    tab.locator("a.language").click()
    tab.wait_for_selector("h1:has-text('Task ledger')")
    tab.get_by_role("link", name="Sources", exact=True).click()
    tab.wait_for_selector("h1:has-text('Source health')")
    assert tab.locator("html").get_attribute("lang") == "en"


def test_an_export_holds_what_the_page_counts(tab: Any, address: str) -> None:
    tab.goto(address + "task/foreign-trade")
    counted = int(tab.locator(".count b").inner_text().split()[0].replace(",", ""))
    with tab.expect_download() as download:
        tab.locator(".files a", has_text="CSV").click()
    body = Path(download.value.path()).read_text("utf-8-sig")
    assert len(list(csv.DictReader(io.StringIO(body)))) == counted > 25


@pytest.mark.parametrize("path", ["", "task/foreign-trade", "search?q=贷款", "sources", "sources/nfra", "questions", "about", "questions/weeks_by_task",
                                  f"document/d{9001:016x}", f"document/d{9003:016x}", "circularwatch", "circularwatch/documents?_search=贷款",
                                  "circularwatch/newest_circulars", "circularwatch/documents/1"])  # fmt: skip
def test_every_page_is_quiet(tab: Any, address: str, path: str) -> None:
    tab.goto(address + path)
    assert tab.title() != "owned"
    assert tab.locator("h1").count() >= 1
    # nothing is wider than the window except what scrolls by itself
    if not path.startswith("circularwatch"):
        assert tab.evaluate("document.documentElement.scrollWidth <= window.innerWidth + 1")


def test_a_narrow_window_needs_no_sideways_scrolling(tab: Any, address: str) -> None:
    tab.set_viewport_size({"width": 390, "height": 800})
    tab.goto(address + "?hl=en")
    assert tab.evaluate("document.documentElement.scrollWidth <= window.innerWidth + 1")
    for path in (
        "",
        "task/foreign-trade",
        "search?q=贷款",
        "sources",
        f"document/d{9001:016x}",
        "about",
        "questions/newest_circulars",
    ):
        tab.goto(address + path)
        assert tab.evaluate("document.documentElement.scrollWidth <= window.innerWidth + 1"), path


def test_chinese_is_drawn_with_glyphs(tab: Any, address: str) -> None:
    """Without a font every character is the same box; with one, different characters are different pictures."""
    tab.goto(address)
    heading = tab.locator("h1")
    pictures = set()
    for char in ("贷", "款", "险", "㐂"):
        heading.evaluate("(e, c) => { e.textContent = c }", char)
        pictures.add(unfiltered(heading.screenshot()))
    assert len(pictures) >= 3, "install a font with Chinese characters: apt-get install fonts-noto-cjk"


def test_keyboard_reaches_content_first(tab: Any, address: str) -> None:
    tab.goto(address)
    tab.keyboard.press("Tab")
    assert tab.locator(":focus").inner_text() == "跳到正文"
