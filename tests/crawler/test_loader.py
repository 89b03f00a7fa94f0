"""Every configured source is a Scrapy spider, also one that is off; what is off says why."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from scrapy import Request

import config
from crawler.loader import OWN_CLASSES, CircularwatchSpiderLoader, refusal, spider_class
from crawler.spiders.base import SourceSpider
from crawler.spiders.kinds import KINDS

ROOT = Path(__file__).resolve().parents[2]
SOURCES = config.load_sources(Path(config.__file__).parent)


@pytest.fixture(scope="module")
def loader() -> CircularwatchSpiderLoader:
    return CircularwatchSpiderLoader(SOURCES)


def test_scrapy_list_shows_every_source() -> None:
    run = subprocess.run([sys.executable, "-m", "scrapy", "list"], cwd=ROOT, capture_output=True, text=True, check=True)
    assert sorted(run.stdout.split()) == sorted(SOURCES)


@pytest.mark.parametrize("name", SOURCES)
def test_every_source_is_a_spider(loader: CircularwatchSpiderLoader, name: str) -> None:
    cls = loader.load(name)
    assert issubclass(cls, SourceSpider)
    assert (cls.name, cls.source) == (name, SOURCES[name])
    assert loader.load(name) is cls


@pytest.mark.parametrize("name", [n for n, s in SOURCES.items() if s.spider_class in OWN_CLASSES])
def test_own_classes_are_used(loader: CircularwatchSpiderLoader, name: str) -> None:
    assert SOURCES[name].spider_class in [c.__name__ for c in loader.load(name).__mro__]


@pytest.mark.parametrize("name", [n for n, s in SOURCES.items() if not s.spider_class])
def test_the_others_are_crawled_by_kind(loader: CircularwatchSpiderLoader, name: str) -> None:
    assert loader.load(name).__bases__ == (KINDS[SOURCES[name].kind],)


@pytest.mark.parametrize("path", sorted((ROOT / "crawler" / "spiders").glob("*.py")), ids=lambda p: p.name)
def test_own_classes_stay_small(path: Path) -> None:
    limit = 400 if path.stem == "base" else 120
    assert len(path.read_text("utf-8").splitlines()) <= limit


def test_an_unknown_spider_is_named_with_the_nearest(loader: CircularwatchSpiderLoader) -> None:
    with pytest.raises(KeyError, match="ndrc_zcfb"):
        loader.load("ndrc_zcbf")


def test_an_unknown_class_is_refused_with_those_that_exist() -> None:
    source = SOURCES["nfra"].model_copy(update={"spider": "custom:NfrSpider"})
    with pytest.raises(config.ConfigError, match="there is no class 'NfrSpider'; did you mean 'NfraSpider'"):
        spider_class(source)


def test_find_by_request(loader: CircularwatchSpiderLoader) -> None:
    found = loader.find_by_request(Request("https://trulynews.cn/?p=1"))
    assert found == ["trulynews"]


@pytest.mark.parametrize(
    "name",
    [
        n
        for n, s in SOURCES.items()
        if not s.enabled and not s.secrets and s.spider_class not in ("ClsSpider", "YicaiGlobalSpider")
    ],
)
def test_what_is_off_says_why_and_runs_when_it_is_named(name: str) -> None:
    source = SOURCES[name]
    assert source.note in refusal(source, named=False)
    assert name in refusal(source, named=False)
    assert refusal(source, named=True) == ""


@pytest.mark.parametrize("name", [n for n, s in SOURCES.items() if s.enabled])
def test_what_is_on_is_crawled(name: str) -> None:
    assert refusal(SOURCES[name], named=False) == ""


@pytest.mark.parametrize("name", ["yicai_global", "cls_telegraph"])
def test_signed_interfaces_are_never_crawled(name: str) -> None:
    assert "signature" in refusal(SOURCES[name], named=True)


def test_a_missing_secret_is_named() -> None:
    source = SOURCES["ndrc_wjk"]
    assert source.secrets[0] in refusal(source, named=True, environment={})
    assert refusal(source, named=True, environment={source.secrets[0]: "k"}) == ""
