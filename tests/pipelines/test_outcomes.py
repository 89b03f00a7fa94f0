"""Every way an exchange can end gets its own word, and a sentence that tells the operator what to do."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import config
from pipelines import outcomes
from pipelines.outcomes import judge, judge_exception, judge_list, judge_shrunk

SOURCES = config.load_sources(Path(config.__file__).parent)
NOW = datetime(2026, 10, 8, 12, 0, tzinfo=UTC)
PARAGRAPH = "<p>银行向轴承厂发放三年期设备贷款，利率随技术改造进度下调。</p>"
ARTICLE = f"<html><head><title>贷款_某网</title><meta name='ArticleTitle' content='贷款'></head><body><h1>贷款</h1>{PARAGRAPH * 30}</body></html>"


def page(title: str, body: str) -> str:
    return f"<!DOCTYPE html><html><head><title>{title}</title></head><body>{body}</body></html>"


CASES: list[tuple[str, int, dict[str, str], str, dict[str, Any], str, str]] = [
    ("article", 200, {}, ARTICLE, {}, "ok", ""),
    ("not modified", 304, {}, "", {"kind": "list"}, "unchanged", ""),
    ("redirect", 302, {"Location": "https://b.example/"}, "", {}, "redirect", "https://b.example/"),
    ("firewall 412", 412, {}, "", {}, "challenge", "412"),
    ("firewall 521", 521, {}, "", {}, "challenge", "521"),
    ("cookie script", 200, {}, "<html><script>$_ts=window['$_ts'];if(!$_ts)$_ts={};$_ts.nsd=1;</script></html>", {}, "challenge", "$_ts"),
    ("wzws", 200, {}, "<html><script>var wzws_cid='x';document.cookie='wzws_cid='</script></html>", {}, "challenge", "wzws"),
    ("reload", 200, {}, "<html><body><script>document.cookie='a=1';location.reload()</script></body></html>", {}, "challenge", "reload"),
    ("visit check", 200, {}, page("访问验证", "<p>请完成下方的访问验证</p>"), {}, "challenge", "验证"),
    ("safety check", 200, {}, page("安全验证", "<p>拖动滑块</p>"), {}, "challenge", "安全验证"),
    ("challenge behind 403", 403, {}, page("安全验证", "<p>拖动滑块</p>"), {}, "challenge", "403"),
    ("challenge for a list", 200, {}, page("访问验证", "稍候"), {"kind": "list"}, "challenge", "验证"),
    ("print button is no challenge", 200, {}, ARTICLE.replace("<body>", "<body><script>function p(){window.location.reload()}</script>"), {}, "ok", ""),
    ("short page with metas is no challenge", 200, {}, "<html><head><meta name='ArticleTitle' content='第9号公告'></head><body><script>location.reload()</script>见附件</body></html>", {}, "ok", ""),
    ("news about verification is no challenge", 200, {}, page("新规", f"<p>平台上线安全验证功能</p>{PARAGRAPH * 40}"), {}, "ok", ""),
    ("raw template", 200, {}, page("详情", "<h1>{{x.docSubtitle}}</h1><div>{{x.docClob}}</div>"), {}, "template", "interface"),
    ("raw template as a list", 200, {}, page("列表", "<li ng-repeat='x in rows'>{{x.docSubtitle}} {{x.publishDate}}</li>"), {"kind": "list"}, "template", "{{"),
    ("braces inside a long text are no template", 200, {}, page("模板语言", f"<p>写作 {{{{ name }}}} 即可</p>{PARAGRAPH * 60}"), {}, "ok", ""),
    ("soft 404 by title", 200, {}, page("404 页面不存在", "<a href='/'>返回首页</a>"), {}, "soft-404", "status 200"),
    ("soft 404 by text", 200, {}, page("某网", "<p>抱歉，您访问的页面不存在</p>"), {}, "soft-404", "不存在"),
    ("english soft 404", 200, {}, page("Page not found | Daily", "<p>Try the search.</p>"), {}, "soft-404", "not exist"),
    ("login", 200, {}, page("用户登录", "<form><input type='password' name='p'></form>"), {}, "login", "account"),
    ("401", 401, {}, "", {}, "login", "account"),
    ("402", 402, {}, "", {}, "paywall", "402"),
    ("403", 403, {}, "", {}, "forbidden", "network"),
    ("405", 405, {}, "", {}, "forbidden", "405"),
    ("418", 418, {}, "", {}, "forbidden", "418"),
    ("404", 404, {}, "", {}, "not-found", "404"),
    ("410", 410, {}, "", {}, "not-found", "410"),
    ("429", 429, {}, "", {}, "rate-limited", "download_delay_s"),
    ("500", 500, {}, "", {}, "server-error", "next run"),
    ("503", 503, {}, "<h1>Service Unavailable</h1>", {}, "server-error", "503"),
    ("503 with a challenge", 503, {}, "<title>Just a moment...</title><script src='/cdn-cgi/challenge-platform/x'></script>", {}, "challenge", "503"),
    ("408", 408, {}, "", {}, "timeout", "408"),
    ("451", 451, {}, "", {}, "forbidden", "legal"),
    ("unknown 4xx", 499, {}, "", {}, "forbidden", "499"),
    ("empty body", 200, {}, "   ", {}, "unreadable", "empty"),
    ("no content", 204, {}, "", {}, "unreadable", "204"),
    ("json", 200, {}, '{"data": {"docTitle": "{{x}}"}}', {}, "ok", ""),
    ("page instead of a file", 200, {"Content-Type": "text/html"}, page("首页", "<ul></ul>"), {"kind": "attachment"}, "soft-404", "file"),
    ("a file", 200, {"Content-Type": "application/pdf"}, "", {"kind": "attachment"}, "ok", ""),
    ("no answer", None, {}, "", {}, "reset", "no answer"),  # type: ignore[list-item]
]  # fmt: skip


@pytest.mark.parametrize(
    ("name", "status", "headers", "text", "more", "outcome", "words"), CASES, ids=[c[0] for c in CASES]
)
def test_judge(
    name: str, status: int, headers: dict[str, str], text: str, more: dict[str, Any], outcome: str, words: str
) -> None:
    got, reason = judge(status, headers, text, SOURCES["ndrc_zcfb"], **more)
    assert (got, words in reason) == (outcome, True), reason
    assert outcome in outcomes.OUTCOMES


def test_section_index_instead_of_the_article() -> None:
    """CSRC answers bursts with the section's index and status 200."""
    index = page("规章", "<h2>规章</h2>" + "<a href='/csrc/c1/c2/content.shtml'>某办法</a>" * 20)
    outcome, reason = judge(
        200, {}, index, SOURCES["csrc_rules"], said={"title": "期货公司管理规定", "section": "规章"}
    )
    assert outcome == "soft-404"
    assert "规章" in reason


def test_section_index_elsewhere_needs_the_promised_title_to_be_missing() -> None:
    said = {"title": "关于规范设备融资租赁业务的通知", "section": "通知"}
    index = page("通知-国家发展和改革委员会", "<li>别的通知</li>" * 9)
    article = page("通知-国家发展和改革委员会", f"<h2>{said['title']}</h2>{PARAGRAPH}")
    assert judge(200, {}, index, SOURCES["ndrc_zcfb"], said=said)[0] == "soft-404"
    assert judge(200, {}, article, SOURCES["ndrc_zcfb"], said=said)[0] == "ok"


class DNSLookupError(Exception):
    pass


class DownloadTimeoutError(Exception):
    pass


class ResponseFailed(Exception):
    def __init__(self, *inner: BaseException) -> None:
        super().__init__("several")
        self.reasons = [type("Failure", (), {"value": e})() for e in inner]


FAILURES = [
    (TimeoutError("timed out"), "timeout"),
    (DownloadTimeoutError("took longer than 30.0 seconds"), "timeout"),
    (DNSLookupError("DNS lookup failed"), "dns"),
    (ConnectionRefusedError(111, "Connection refused"), "reset"),
    (ConnectionResetError(104, "Connection reset by peer"), "reset"),
    (ResponseFailed(Exception("certificate verify failed")), "certificate"),
    (ResponseFailed(type("PartialDownloadError", (Exception,), {})()), "truncated"),
    (Exception("SSL: CERTIFICATE_VERIFY_FAILED"), "certificate"),
    (RuntimeError("something else"), "reset"),
]


@pytest.mark.parametrize(("error", "outcome"), FAILURES, ids=lambda v: v if isinstance(v, str) else type(v).__name__)
def test_exceptions(error: BaseException, outcome: str) -> None:
    got, reason = judge_exception(error)
    assert got == outcome
    assert len(reason) > 20


def test_an_exception_that_knows_its_outcome_is_believed() -> None:
    error = RuntimeError("x")
    error.outcome, error.reason = "robots", "robots.txt says no"  # type: ignore[attr-defined]
    assert judge_exception(error) == ("robots", "robots.txt says no")


def test_a_cause_is_looked_into() -> None:
    error = RuntimeError("download failed")
    error.__cause__ = TimeoutError("timed out")
    assert judge_exception(error)[0] == "timeout"


LISTS = [
    (0, "", "empty-list"),
    (8, "2026-10-08", "shrunk-list"),
    (40, "2026-10-08", "ok"),
    (40, "2026-09-26", "ok"),
    (40, "2026-09-10", "stale"),
    (40, "2022-12-01", "stale"),
    (40, "", "ok"),
]


@pytest.mark.parametrize(("rows", "newest", "outcome"), LISTS)
def test_polls(rows: int, newest: str, outcome: str) -> None:
    got, reason = judge_list(rows, newest, SOURCES["ndrc_zcfb"], NOW)
    assert got == outcome
    assert bool(reason) == (outcome != "ok")


def test_a_feed_given_up_years_ago_says_so() -> None:
    reason = judge_list(50, "2022-12-01", SOURCES["chinanews_rss"], NOW)[1]
    assert "2022-12-01" in reason
    assert "3 years" in reason


@pytest.mark.parametrize(
    ("rows", "before", "outcome"),
    [(9, 20, "shrunk-list"), (10, 20, "ok"), (1, 5, "ok"), (3, None, "ok"), (30, 20, "ok")],
)
def test_shrunk(rows: int, before: int | None, outcome: str) -> None:
    assert judge_shrunk(rows, before)[0] == outcome


@given(st.integers(100, 599), st.text(max_size=400), st.sampled_from(["list", "document", "page", "attachment"]))
def test_judging_never_raises_and_says_why(status: int, text: str, kind: str) -> None:
    outcome, reason = judge(status, {}, text, SOURCES["nfra"], kind=kind)
    assert outcome in outcomes.OUTCOMES
    assert bool(reason) == (outcome not in ("ok", "unchanged"))


@given(st.text(alphabet="<>/{}$_ts=wz访问验证 a\"'", max_size=300))
def test_broken_markup_is_judged_too(text: str) -> None:
    assert judge(200, {}, text, SOURCES["pboc_lists"])[0] in outcomes.OUTCOMES


def test_paywall_is_told_and_the_page_is_read_all_the_same() -> None:
    text = page("Story", "<p>First lines.</p><div>Subscribe to continue reading</div>")
    assert outcomes.is_paywalled(text)
    assert judge(200, {}, text, SOURCES["scmp_rss"])[0] == "ok"


def test_reasons_are_one_line() -> None:
    """They go into the run ledger as JSON and into table cells."""
    reasons = [judge(c[1], c[2], c[3], SOURCES["ndrc_zcfb"], **c[4])[1] for c in CASES]
    assert all("\n" not in json.loads(json.dumps(r)) and len(r) < 300 for r in reasons)
