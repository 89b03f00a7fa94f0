"""Chromium, a served database, and a page that notes every request, console message and fault."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from tests.bench import corpus
from tests.db import shelf
from tests.db.shelf import document
from tests.needs import need

ROOT = Path(__file__).parents[2]
CHROMIUM = next(
    (found for name in ("chromium", "chromium-browser", "google-chrome") if (found := shutil.which(name))), ""
)
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update", "--disable-sync",
         "--no-first-run", "--disable-features=Translate,OptimizationHints", "--disable-dev-shm-usage"]  # fmt: skip
MISSING = "Chromium is not installed: as root, apt-get install chromium fonts-noto-cjk"
TRADE = "foreign-trade/export-credit-insurance"


def require() -> None:
    """Skip without Chromium, or fail where everything is required (CI)."""
    need(CHROMIUM, MISSING)


@dataclass
class Seen:
    """What a page did besides being shown."""

    requests: list[str] = field(default_factory=list)
    said: list[str] = field(default_factory=list)


@contextmanager
def served(path: Path, *options: str) -> Iterator[str]:
    """The address at which `circularwatch serve` shows this database."""
    process = subprocess.Popen(
        [sys.executable, "-P", "-m", "crawler", "serve", *options, "--port", "0", "--db", str(path)], text=True,
        env=os.environ | {"PYTHONPATH": str(ROOT)}, cwd=path.parent, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        assert process.stdout
        yield process.stdout.readline().strip()
    finally:
        process.terminate()
        process.wait(30)


@pytest.fixture(scope="session")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    require()
    path = tmp_path_factory.mktemp("browser") / "circularwatch.db"
    database = corpus.build(path, 400)
    long = document(
        9_001, "关于扩大出口信用保险覆盖面的通知", "一、扩大出口信用保险覆盖面。\n二、银行发放设备更新贷款，期限十年。\n自2026年12月1日起施行。",
        {TRADE: "出口信用保险", "industrial-upgrading": "设备更新贷款"}, kind="circular", doc_number="金发〔2026〕9号",
        issuers=["国家金融监督管理总局"], level="central",
    )  # fmt: skip
    long.attachments = [
        shelf.file("附件：出口信用保险费率。"),
        shelf.file(None, "attachment not read: encrypted", "b.pdf"),
    ]
    english = document(9_002, "Banks lend for equipment renewal", "The bank gives equipment renewal loans to factories.",
                       {"industrial-upgrading": "equipment renewal"}, language="en", source="xinhua_en")  # fmt: skip
    evil = document(9_003, "<script>document.title='owned'</script><img src=https://evil.example/x>", "<b>贷款</b>", None,
                    url="javascript:alert(1)", canonical_url="https://shelf.example/evil")  # fmt: skip
    shelf.store(database, [long, english, evil])
    database.close()
    with served(path) as url:
        yield url


# Not for the session: while Playwright is open its event loop is the thread's, and other tests could not run their own.
@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    require()
    from playwright.sync_api import sync_playwright

    with sync_playwright() as play:
        chromium = play.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield chromium
        chromium.close()


@pytest.fixture(params=[True, False], ids=["script", "no-script"])
def tab(request: pytest.FixtureRequest, browser: Any, address: str) -> Iterator[Any]:
    """A tab of a Chinese browser, with and without JavaScript; whatever it asked for or complained of fails the test."""
    context = browser.new_context(
        locale="zh-CN", java_script_enabled=request.param, viewport={"width": 1200, "height": 900}
    )
    page, seen = context.new_page(), Seen()
    page.on("request", lambda r: seen.requests.append(r.url))
    page.on("console", lambda m: seen.said.append(f"{m.type}: {m.text}") if m.type in ("error", "warning") else None)
    page.on("pageerror", lambda e: seen.said.append(str(e)))
    page.goto(address)
    yield page
    context.close()
    assert [url for url in seen.requests if not url.startswith((address, "data:"))] == []
    assert seen.said == []
