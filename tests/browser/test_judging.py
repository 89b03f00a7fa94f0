"""The button that judges, pressed in Chromium: what a browser sends by itself must be what the pages accept."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.browser.conftest import require, served
from tests.db import shelf
from tests.db.shelf import document

pytestmark = pytest.mark.browser


@pytest.fixture
def writable(tmp_path: Path) -> Iterator[str]:
    require()
    path = tmp_path / "x.db"
    shelf.shelf(path, [document(1, "标题", "出口信用保险一份", {"foreign-trade": "出口信用保险"})]).close()
    with served(path, "--write") as url:
        yield url


def test_the_button_judges(browser: Any, writable: str) -> None:
    page = browser.new_page(locale="en-GB")
    page.goto(writable + f"document/d{1:016x}")
    page.fill("form.judge input[name=note]", "farm goods")
    page.fill("form.judge input[name=who]", "Ann")
    page.click("form.judge button[value=no]")
    page.wait_for_url("**#judgements")
    said = page.inner_text("section:has(#judgements)")
    page.close()
    assert "farm goods" in said and "Ann" in said and "against the label" in said
