"""How `like`, `same_as`, defaults and hosts work."""

from collections.abc import Callable
from pathlib import Path

import pytest

import config

Change = Callable[[str, str, str], Path]


def test_like_takes_over_what_is_not_said(small: Path) -> None:
    bureau = config.load_sources(small)["bureau"]
    ministry = config.load_sources(small)["ministry"]
    assert bureau.list.items == ("ol > li",)
    assert bureau.list.link == ministry.list.link
    assert bureau.article == ministry.article
    assert bureau.kind == "html-list"
    assert (bureau.name, bureau.certainty, bureau.enabled) == ("Bureau", "C", False)
    assert [e.url for e in bureau.lists] == ["http://bureau.example.org/notices/"]


def test_like_does_not_take_over_notes(change: Change) -> None:
    folder = change("sources.yaml", "  certainty: A", "  certainty: A\n  note: careful\n  evidence: seen")
    sources = config.load_sources(folder)
    assert sources["ministry"].note == "careful"
    assert (sources["bureau"].note, sources["bureau"].evidence) == ("", "")


def test_same_as_takes_a_template_and_keys_beside_it_win(small: Path) -> None:
    article = config.load_sources(small)["ministry"].article
    assert article.title == ("h1::text",)
    assert article.published == ('meta[name="PubDate"]::attr(content)',)


def test_same_as_takes_the_block_of_a_source(small: Path) -> None:
    sources = config.load_sources(small)
    assert sources["service"].article == sources["ministry"].article


def test_defaults_and_headers(small: Path) -> None:
    sources = config.load_sources(small)
    assert sources["ministry"].headers == {"Accept-Language": "zh", "Referer": "https://www.example.org/"}
    assert sources["service"].headers == {"Accept-Language": "zh"}
    assert sources["service"].timezone == "Asia/Shanghai"


def test_a_source_is_frozen(small: Path) -> None:
    source = config.load_sources(small)["ministry"]
    with pytest.raises(ValueError, match="frozen"):
        source.name = "other"


def test_own_class_or_generic(change: Change) -> None:
    folder = change("sources.yaml", "  type: media", "  type: media\n  spider: custom:ServiceSpider")
    sources = config.load_sources(folder)
    assert sources["service"].spider_class == "ServiceSpider"
    assert sources["ministry"].spider_class == ""


def test_outlet_falls_back_to_issuer_and_name(change: Change) -> None:
    folder = change("sources.yaml", "  type: regulator", "  type: regulator\n  issuer: The Ministry")
    sources = config.load_sources(folder)
    assert sources["ministry"].shown_outlet == "The Ministry"
    assert sources["service"].shown_outlet == "Service"


@pytest.mark.parametrize(
    ("url", "allowed"),
    [
        ("https://www.example.org/x", True),
        ("http://www.example.org:8080/x", True),
        ("https://WWW.example.org/x", True),
        ("www.example.org", True),
        ("https://example.org/", True),
        ("https://a.b.example.org/", True),
        ("https://notexample.org/", False),
        ("https://www.example.org.evil.test/", False),
        ("https://evil.test/www.example.org", False),
        ("https://www.example.org@evil.test/", False),
        ("//www.example.org/x", True),
        ("https://[broken/", False),
        ("", False),
    ],
)
def test_hosts(change: Change, url: str, allowed: bool) -> None:
    folder = change("sources.yaml", "  type: regulator", '  type: regulator\n  allowed_hosts: ["*.example.org"]')
    assert config.load_sources(folder)["ministry"].allows(url) is allowed


def test_hosts_are_those_of_base_and_lists_without_more(small: Path) -> None:
    assert config.load_sources(small)["ministry"].hosts == ("www.example.org",)
