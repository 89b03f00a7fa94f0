"""`sources new` on ten shapes of sites that nobody configured: eight are watched from then on, two say why not."""

from __future__ import annotations

import datetime as dt
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any

import pytest
import yaml

import config
from crawler.propose import candidates, door, leads, rows, writing
from tests.web import ImitationWeb
from tests.web.sites.unseen import ADDRESSES

ROOT = Path(__file__).resolve().parents[2]
#: shape -> kind that is proposed first, rows, language
WATCHED = {
    "plain": ("html-list", 16),
    "table": ("html-list", 16),
    "cards": ("html-list", 12),
    "trs": ("html-list", 20),
    "jpaas": ("json-api", 16),
    "wordpress": ("wordpress", 12),
    "atom": ("feed", 12),
    "sitemap": ("sitemap", 12),
}


@pytest.fixture(scope="module")
def web() -> Iterator[ImitationWeb]:
    with ImitationWeb() as started:
        yield started


def run(web: ImitationWeb, *words: str) -> subprocess.CompletedProcess[str]:
    clean = {k: v for k, v in os.environ.items() if not k.startswith("CIRCULARWATCH_")}
    env = clean | web.environment() | {"CIRCULARWATCH_DELAY": "0"}
    command = [sys.executable, "-m", "crawler", "sources", "new", *words]
    return subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, timeout=180)


_done: dict[str, subprocess.CompletedProcess[str]] = {}


def proposed(web: ImitationWeb, shape: str) -> tuple[list[dict[str, Any]], subprocess.CompletedProcess[str]]:
    if shape not in _done:
        _done[shape] = run(web, ADDRESSES[shape], "--json")
    return [json.loads(line) for line in _done[shape].stdout.splitlines()], _done[shape]


@pytest.mark.parametrize("shape", WATCHED)
def test_the_right_kind_comes_first_with_all_entries(web: ImitationWeb, shape: str) -> None:
    found, done = proposed(web, shape)
    assert done.returncode == 0, done.stderr
    assert (found[0]["kind"], found[0]["rows"]) == WATCHED[shape]
    assert found[0]["missing"] == []
    assert len(found[0]["entries"]) == 10
    assert all(e["title"] and e["url"].startswith("http") and e["date"] for e in found[0]["entries"])
    assert found[0]["robots"].startswith("allowed")


@pytest.mark.parametrize(("shape", "word"), [("shell", "scripts"), ("wall", "log in")])
def test_where_nothing_can_be_watched_it_says_why(web: ImitationWeb, shape: str, word: str) -> None:
    found, done = proposed(web, shape)
    assert done.returncode == 1
    assert word in found[0]["why"] and word in done.stderr
    assert set(found[0]["asked"]) >= {ADDRESSES[shape]}


@lru_cache(maxsize=1)
def built_in() -> Path:
    return Path(config.__file__).parent


@pytest.fixture
def own_config(tmp_path: Path) -> Path:
    """A folder like an operator's: the built-in configuration with three sources."""
    folder = tmp_path / "config"
    folder.mkdir()
    for entry in built_in().iterdir():
        if entry.suffix == ".yaml" and entry.name != "sources.yaml":
            shutil.copy(entry, folder)
        elif entry.name in ("taxonomy", "model"):
            (folder / entry.name).symlink_to(entry)
    shutil.copy(built_in() / "sources.yaml", folder)
    return folder


@pytest.mark.parametrize("shape", ["plain", "trs", "wordpress", "atom", "jpaas"])
def test_what_is_written_is_read_and_its_documents_are_whole(web: ImitationWeb, own_config: Path, shape: str) -> None:
    words = [ADDRESSES[shape], "--config", str(own_config), "--choose", "1", "--id", "fresh", "--write"]
    done = run(web, *words)
    assert done.returncode == 0, done.stderr + done.stdout
    source = config.load_sources(own_config)["fresh"]
    assert source.kind == WATCHED[shape][0]
    case = own_config / "fixtures" / "fresh"
    assert json.loads((case / "expected.json").read_text("utf-8"))["count"] == WATCHED[shape][1]
    assert len(list(case.glob("input.*"))) == 1
    assert "fresh" in done.stdout and "good" in done.stdout
    # the headline and the line of date and outlet below it are no part of the text
    assert "发布时间" not in done.stdout
    before = (built_in() / "sources.yaml").read_text("utf-8").rstrip()
    assert (own_config / "sources.yaml").read_text("utf-8").startswith(before)


def test_robots_of_the_site_are_obeyed(web: ImitationWeb) -> None:
    web.control.robots("www.liebiao-site.example", "User-agent: *\nDisallow: /\n")
    try:
        done = run(web, ADDRESSES["plain"], "--json")
    finally:
        web.control.robots("www.liebiao-site.example", None)
    assert done.returncode == 1
    assert "robots" in json.loads(done.stdout.splitlines()[0])["why"]
    asked = [e["url"] for e in web.log() if "liebiao" in e["url"] and not e["url"].endswith("/robots.txt")]
    assert asked.count(ADDRESSES["plain"]) <= 3  # those of the other tests of this module


def test_a_known_template(web: ImitationWeb) -> None:
    done = run(web, ADDRESSES["trs"], "--like", "ndrc_zcfb", "--json")
    found = [json.loads(line) for line in done.stdout.splitlines()]
    assert found[0]["block"]["like"] == "ndrc_zcfb" if done.returncode == 0 else "no rows" in done.stderr


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["https://cards-site.example/stories", "--like", "nfrra"], "nfra"),
        (["https://cards-site.example/stories", "--write"], "--choose"),
        (["https://cards-site.example/stories", "--choose", "99"], "no way 99"),
        (["https://cards-site.example/stories", "--choose", "1", "--id", "nfra"], "already"),
    ],
)
def test_bad_usage_says_what_to_do(web: ImitationWeb, words: list[str], said: str) -> None:
    done = run(web, *words)
    assert done.returncode == 2
    assert said in done.stderr


# ------------------------------------------------------------------ parts


@pytest.mark.parametrize(
    ("host", "shared"),
    [
        ("www.a.gov.cn", "a.gov.cn"),
        ("jrb.x.gov.cn", "x.gov.cn"),
        ("news.example.com", "example.com"),
        ("a.co.uk", "a.co.uk"),
        ("localhost", "localhost"),
    ],
)
def test_site_of_a_host(host: str, shared: str) -> None:
    assert door.site_of(host) == shared


def test_leads_prefer_what_the_page_names() -> None:
    page = b'<link rel="alternate" type="application/rss+xml" href="/news/rss"><link rel=alternate type="application/rss+xml" href="/comments/feed/">'
    found = leads.of_page(page, "https://a.example/news/", "text/html", "Sitemap: https://a.example/s.xml\n")
    assert [lead.url for lead in found] == ["https://a.example/news/rss", "https://a.example/s.xml"]


def test_the_block_is_yaml_that_loads(own_config: Path, tmp_path: Path) -> None:
    block = {
        "id": "odd", "name": "奇怪: 的 #名字", "kind": "html-list", "type": "media", "language": "zh", "certainty": "B", "enabled": True,
        "base_url": "https://a.example", "interval_min": 60, "lists": [{"section": "it's: a", "url": "https://a.example/?a=1&b=x,y"}],
        "list": {"items": "ul > li", "link": "a::attr(href)", "published": [r"re:(\d{4}-\d\d-\d\d)"]},
        "expect": {"min_items": 1, "newest_max_age_h": 48},
    }  # fmt: skip
    text = writing.as_yaml(block)
    assert yaml.safe_load(text) == [block]
    assert writing.Builder(own_config, tmp_path)(block).name == block["name"]


def test_a_refused_block_leaves_the_file_alone(own_config: Path) -> None:
    before = (own_config / "sources.yaml").read_text("utf-8")
    made = candidates.Candidate("x", {"id": "bad id!", "name": "x"}, "x")
    with pytest.raises(config.ConfigError):
        writing.add(made, own_config)
    assert (own_config / "sources.yaml").read_text("utf-8") == before
    assert not list(own_config.glob("*.new"))


@pytest.mark.parametrize(("inner", "wanted"), [('class="content"', "div.content"), ('class="x1a2b3c4"', ""), ("", "")])
def test_the_element_of_the_text_is_not_the_one_around_headline_and_text(inner: str, wanted: str) -> None:
    text = (
        "<p>参与建设的企业表示，资金问题一度是最大的难点，中长期贷款到位以后，工期也就稳定下来，验收将于明年进行。</p>"
        * 3
    )
    line = "<div class='info'>发布时间：2026-11-25 来源：本网</div>"
    title = "开发区公布新一批设备更新项目清单"
    page = f"<title>{title}</title><div class='show'><h1>{title}</h1>{line}<div {inner}>{text}</div></div>"
    answer = door.Answer("https://example.org/2026/1.html", body=f"<meta charset=utf-8>{page}".encode())
    assert candidates.article_of(answer).get("body", "") == wanted


def test_a_page_that_is_only_a_frame_names_what_is_in_it() -> None:
    page = b"<frameset><frame src='http://example.org/list.asp?c=1'></frameset>"
    assert "http://example.org/list.asp?c=1" in candidates.why_not(
        door.Answer("https://example.org/", body=page), None, None
    )


def test_rows_are_not_found_in_menus() -> None:
    menu = "<ul class='nav'>" + "".join(f"<li><a href='/{i}/'>栏目{i}</a></li>" for i in range(9)) + "</ul>"
    assert rows.find(menu, "https://a.example/") == []


TITLES = (
    "开发区公布新一批设备更新项目清单", "轴承企业联合申报智能工厂补助", "市级担保机构下调首贷户费率", "跨江公铁大桥主塔封顶",
    "冷链仓储用地审批时限压缩一半", "老旧锅炉改造进入收尾阶段", "外贸企业汇率避险培训班开课", "化工园区应急演练查出七处隐患",
)  # fmt: skip
MENU = "<ul class='nav'>" + "".join(f"<li><a href='/{c}/'>栏目名称{c}</a></li>" for c in "abcdefgh") + "</ul>"


def day(number: int, form: str = "%Y-%m-%d") -> str:
    return (dt.date(2026, 9, 28) - dt.timedelta(days=number)).strftime(form)


def each(row: Callable[[int, str], str]) -> str:
    return "".join(row(n, t) for n, t in enumerate(TITLES))


ROWS = {
    "definition lists": each(lambda n, t: f'<dl><dt><a href="/n/{n}00.html">{t}</a></dt><dd>{day(n)}</dd></dl>'),
    "several links in a table row": "<table>" + each(lambda n, t: f'<tr><td><a href="/u/{n}">部门{n}</a></td><td><a href="/n/{n}00.html">{t}</a></td><td>粤府〔2026〕{n}号</td><td>{day(n)}</td></tr>') + "</table>",
    "rows that are one link": '<div class="listbox">' + each(lambda n, t: f'<a href="/n/{n}00.html" class="row"><span class="t">{t}</span><span class="d">{day(n, "%Y.%m.%d")}</span></a>') + "</div>",
    "bare dates in brackets": '<div class="c">' + each(lambda n, t: f'<p>· <a href="/n/{n}00.html">{t}</a> ({day(n)})</p>') + "</div>",
    "dates without a year": '<ul class="l">' + each(lambda n, t: f'<li>[{day(n, "%m-%d")}] <a href="/n/{n}00.html">{t}</a></li>') + "</ul>",
    "day apart from month": '<ul class="l2">' + each(lambda n, t: f'<li><div class="date"><b>{day(n, "%d")}</b><i>{day(n, "%Y-%m")}</i></div><div class="txt"><a href="/n/{n}00.html"><h4>{t}</h4></a><p>这里是一段摘要。</p></div></li>') + "</ul>",
    "lines parted by br": '<div class="main">' + each(lambda n, t: f'·<a href="/n/{n}00.html">{t}</a> {day(n)}<br>') + "</div>",
    "dates in addresses": '<div id="news">' + each(lambda n, t: f'<div class="item"><a href="/{day(n, "%Y/%m/%d")}/a{n}.html">{t}</a></div>') + "</div>",
    "summaries with a second link": each(lambda n, t: f'<div class="post-item"><h3><a href="/n/{n}00.html">{t}</a></h3><p>这里是一段摘要。<a href="/n/{n}00.html">阅读全文</a></p><span>发布时间：{day(n)}</span></div>'),
    "two columns": '<div class="tab"><ul>' + each(lambda n, t: f'<li><a href="/n/{n}00.html" title="{t}">{t[:8]}...</a><em>{day(n, "%m/%d")}</em></li>') + '</ul></div><div class="tab"><ul>' + each(lambda n, t: f'<li><a href="/y/{n}00.html" title="乙{t}">{t[:8]}...</a><em>{day(n, "%m/%d")}</em></li>') + "</ul></div>",
}  # fmt: skip


@pytest.mark.parametrize("shape", ROWS)
def test_rows_of_many_makes_are_read_with_title_link_and_day(tmp_path: Path, shape: str) -> None:
    url = "https://www.x-demo.example/news/"
    page = f"<html><head><meta charset=utf-8><title>新闻-某网</title></head><body>{MENU}{ROWS[shape]}</body></html>"
    answer = door.Answer(url, final_url=url, status=200, body=page.encode())
    build = writing.Builder(built_in(), tmp_path)
    found = candidates.of_page(answer, candidates.site(answer), build, dt.datetime(2026, 10, 8, tzinfo=dt.UTC))
    best = max(found, key=lambda c: c.weight)
    listed = {r.said["title"]: (r.said.get("published_on"), r.url) for r in best.listed.rows}
    assert [listed[t][0] for t in TITLES] == [day(n) for n in range(len(TITLES))]
    assert all("/n/" in listed[t][1] or "/2026/" in listed[t][1] for t in TITLES)


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b'<?xml version="1.0"?><rss version="2.0">', "feed"),
        (b'<feed xmlns="http://www.w3.org/2005/Atom">', "feed"),
        (b"<urlset>", "sitemap"),
        (b"<html><body>", ""),
    ],
)
def test_an_address_that_is_a_list_for_machines_itself(body: bytes, kind: str) -> None:
    found = leads.itself(body, "https://a.example/x")
    assert (found.kind if found else "") == kind
