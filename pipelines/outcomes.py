"""Says in one word and one sentence how an exchange ended, so that no challenge page is ever read as an article.

`judge` looks at one answer or failure, `judge_list` at what a list gave compared with what the source promises
(`expect`) and gave before. The sentences are for the operator: they say what happened and what to do.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from pipelines.content import header

OUTCOMES = (
    "ok", "unchanged", "redirect", "challenge", "template", "soft-404", "login", "paywall", "empty-list", "shrunk-list",
    "stale", "forbidden", "not-found", "rate-limited", "server-error", "timeout", "certificate", "dns", "reset",
    "truncated", "too-large", "robots", "wrong-host", "private-address", "too-many-redirects", "unreadable",
)  # fmt: skip
SMALLEST_LIST = 6  # below this, half a list gone is chance
# a challenge page is a small script; real pages mention such words in long text
_SMALL = 6000
_MOST_SHOWN, _LEAST_SHOWN = 800, 200  # characters that a reader sees
_ARTICLE_META = re.compile(r"ArticleTitle|PubDate|og:title|firstpublishedtime", re.IGNORECASE)
_CHALLENGE = re.compile(
    r"\$_ts\s*=|\$_ts\.|wzws[-_]?(?:waf|cid|sessionid)|/WZWSREL|__jsl_clearance|访问验证|安全验证|"
    r"人机验证|滑动验证|请完成.{0,6}验证|请开启JavaScript并刷新|cf-browser-verification|challenge-platform|"
    r"<title>\s*(?:Just a moment|Attention Required)|acw_sc__v2|正在进行安全检查|DDoS protection by",
    re.IGNORECASE,
)
_CHALLENGE_HEADERS = re.compile(r"wzws|jsl_clearance|acw_tc|__cf_bm.*challenge", re.IGNORECASE)
_TEMPLATE = re.compile(r"\{\{\s*[\w$.]+(?:\s*\|\s*\w+)?\s*\}\}|<%=\s*[\w.]+\s*%>|\[\[\s*item\.\w+\s*\]\]")
_TITLE = re.compile(r"<title[^>]*>(.*?)</title>", re.IGNORECASE | re.DOTALL)
_HEADING = re.compile(r"<h[12][^>]*>(.*?)</h[12]>", re.IGNORECASE | re.DOTALL)
_META_TITLE = re.compile(r"""<meta[^>]+ArticleTitle["'][^>]+content\s*=\s*["']([^"']*)""", re.IGNORECASE)
_TAGS = re.compile(r"<[^>]*>")
_SCRIPTS = re.compile(r"<(script|style)\b.*?</\1\s*>|<!--.*?-->", re.IGNORECASE | re.DOTALL)
_GONE_TITLE = re.compile(
    r"(?<!\d)404(?!\d)|页面不存在|页面未找到|找不到(?:该|您|页面|网页)|页面(?:已删除|已失效|走丢)|page not found|not found$|no longer available|"
    r"内容不存在|文章不存在|您访问的页面",
    re.IGNORECASE,
)
_GONE_TEXT = re.compile(
    r"页面不存在|您(?:要|所)?访问的(?:页面|内容|网页)(?:不存在|已删除|已失效|已被删除|可能已)|该(?:页面|文章|信息)(?:不存在|已被删除|已删除)|"
    r"抱歉.{0,10}(?:页面|文章).{0,10}(?:不存在|没有找到|找不到)|page (?:you requested )?(?:was |could )?not (?:be )?found",
    re.IGNORECASE,
)
_LOGIN = re.compile(
    r"<title>[^<]*(?:登录|登陆|统一身份认证|log ?in|sign ?in)[^<]*</title>|请(?:先|您先)登[录陆](?:后|再)?(?:查看|访问|阅读|浏览)?",
    re.IGNORECASE,
)
_PASSWORD = re.compile(r"""<input[^>]+type\s*=\s*["']?password""", re.IGNORECASE)
_PAYWALL = re.compile(
    r"订阅后(?:可)?(?:阅读|查看)|开通会员(?:后)?(?:阅读|查看)|付费(?:后)?(?:阅读|可见)全文|剩余\d+%.{0,12}(?:付费|订阅)|"
    r"subscribe to (?:read|continue|unlock)|to read the full (?:article|story),? (?:subscribe|sign)|subscribers only",
    re.IGNORECASE,
)
_STATUS = {
    401: ("login", "the site asks for a name and password (401); this source cannot be read without an account"),
    402: ("paywall", "the site asks for payment (402)"),
    403: ("forbidden", "the site refuses this address or program (403); that is respected. Ask the site, or read it from another network"),
    404: ("not-found", "the page does not exist (404); if it was linked a moment ago, the site has moved it"),
    405: ("forbidden", "the site refuses this kind of request (405); some firewalls answer so to programs"),
    408: ("timeout", "the site gave up waiting (408)"),
    410: ("not-found", "the page was removed for good (410)"),
    412: ("challenge", "the site's firewall wants a script to be run (412); that is respected, nothing is worked around"),
    418: ("forbidden", "the site refuses programs (418)"),
    429: ("rate-limited", "the site says that requests come too fast (429); raise download_delay_s of the source"),
    451: ("forbidden", "the site may not show this page for legal reasons (451)"),
    521: ("challenge", "the site's firewall wants a script to be run (521); that is respected, nothing is worked around"),
}  # fmt: skip


def judge(
    status: int | None,
    headers: Mapping[Any, Any] | None,
    text: str,
    source: Any,
    exception: BaseException | None = None,
    *,
    kind: str = "document",
    said: Mapping[str, Any] | None = None,
) -> tuple[str, str]:
    """(outcome, reason) of one exchange.

    `text` is the decoded body ("" for files). `kind` is list, document, page, attachment or inline; `said` what the
    list told of a document. An answer that is what was asked for is ("ok", "").
    """
    if exception is not None:
        return judge_exception(exception)
    if status is None:
        return "reset", "no answer came"
    judged = _judge_status(status, headers, text, source)
    if judged is not None:
        return judged
    if _is_data(text):
        return "ok", ""
    marker = challenge_marker(text, source)
    if marker:
        return (
            "challenge",
            f"a challenge page came instead of the content (it holds {marker!r}); that is respected, try again later or from another network",
        )
    if kind == "attachment":
        return _judge_attachment(headers, text)
    return _judge_page(text, source, kind, said or {})


def _judge_status(status: int, headers: Mapping[Any, Any] | None, text: str, source: Any) -> tuple[str, str] | None:
    if status == 304:
        return "unchanged", ""
    if status in _STATUS:
        if status in (403, 503) and challenge_marker(text, source):
            return (
                "challenge",
                f"the site answers {status} with a challenge page; that is respected, nothing is worked around",
            )
        return _STATUS[status]
    if 300 <= status < 400:
        target = header(headers, "Location")
        return "redirect", f"moved to {target}" if target else f"the site answers {status} without saying where to go"
    if status >= 500:
        if challenge_marker(text, source):
            return (
                "challenge",
                f"the site answers {status} with a challenge page; that is respected, nothing is worked around",
            )
        return "server-error", f"the site has a fault of its own ({status}); it is asked again in the next run"
    if 400 <= status < 500:
        return "forbidden", f"the site refuses the request ({status})"
    if status in (204, 205) or (status == 200 and not text and header(headers, "Content-Length") == "0"):
        return "unreadable", f"the answer is empty ({status})"
    return None


def challenge_marker(text: str, source: Any = None) -> str:
    """The words that give a challenge page away, or an empty string. Only pages that show next to nothing are suspected.

    `location.reload()` and the configured markers also stand in real pages (NDRC's print button), so they count only
    where there is neither text nor the metas of an article.
    """
    if not text or len(text) > _SMALL * 10:
        return ""
    shown = len(_visible(text))
    if shown > _MOST_SHOWN:
        return ""
    found = _CHALLENGE.search(text)
    if found is not None:
        return found.group()[:40]
    if shown > _LEAST_SHOWN or _ARTICLE_META.search(text):
        return ""
    weak = ["location.reload()", *(str(m) for m in getattr(source, "blocked_body_markers", ()) or ())]
    return next((m for m in weak if "{{" not in m and m in text), "")


def _judge_page(text: str, source: Any, kind: str, said: Mapping[str, Any]) -> tuple[str, str]:
    if not text.strip():
        return "unreadable", "the answer is empty"
    # pages that say "not found", "log in" or nothing at all are small; measuring what a large page shows costs time
    visible = _visible(text) if len(text) < _SMALL * 5 or "{{" in text or "<%=" in text else None
    title = _first(_TITLE, text[:_SMALL])
    if visible is not None and is_template(text, visible):
        return (
            "template",
            "the page is a raw template ({{…}}): its text is loaded by a script, read its interface instead",
        )
    if visible is not None and _is_login(text, visible):
        return "login", _LOGIN_REASON
    if kind == "list":
        return "ok", ""
    if _GONE_TITLE.search(title) or (visible is not None and len(visible) < 600 and _GONE_TEXT.search(visible)):
        return "soft-404", f"the page says that it does not exist, with status 200 ({(visible or title)[:40]})"
    section = _is_section_index(text, title, source, said)
    if section:
        return (
            "soft-404",
            f"the index of the section {section!r} came instead of the article, with status 200; the site does so when asked "
            "too fast, or when the page is gone",
        )
    return "ok", ""


_LOGIN_REASON = "the page asks to log in; this source cannot be read without an account"


def _is_login(text: str, visible: str) -> bool:
    return len(visible) < 1500 and bool(_LOGIN.search(text)) and bool(_PASSWORD.search(text) or len(visible) < 400)


def is_template(text: str, visible: str | None = None) -> bool:
    """Whether a page is an unfilled template: `{{x.title}}` where the text should be, and little else."""
    visible = _visible(text) if visible is None else visible
    holes = _TEMPLATE.findall(visible)
    rest = _TEMPLATE.sub("", visible)
    return bool(holes) and (len(holes) >= 3 or len(rest) < 400)


def _is_section_index(text: str, title: str, source: Any, said: Mapping[str, Any]) -> str:
    """The section's name when the page is the section's index and not the article that the list promised.

    Many sites put the section into the title of every page, and an index may list the promised title; so the promised
    title must be missing from title, heading and metas, and, where the source does not say `title_equals_section`, from
    the page.
    """
    names = {str(getattr(entry, "section", "")) for entry in getattr(source, "lists", ()) or ()} | {
        str(said.get("section", ""))
    }
    names = {_plain(n) for n in names if len(n) > 1}
    promised = _plain(str(said.get("title", "")))[:20]
    shown, heading = _plain(title), _plain(_first(_HEADING, text))
    if promised and any(promised in place for place in (shown, heading, _plain(_first(_META_TITLE, text)))):
        return ""
    strict = bool(getattr(getattr(getattr(source, "article", None), "reject_if", None), "title_equals_section", False))
    stem = _plain(re.split(r"[_|\-–—]", title)[0])
    hit = next((n for n in names if n in (shown, stem, heading) or (strict and shown.endswith(n))), "")
    return hit if hit and (strict or (promised and promised not in _plain(text))) else ""


def _judge_attachment(headers: Mapping[Any, Any] | None, text: str) -> tuple[str, str]:
    kind = header(headers, "Content-Type").lower()
    if text and "html" in kind and len(text) < 200_000:
        return "soft-404", "an HTML page came instead of the file; the site has probably moved it"
    return "ok", ""


def is_paywalled(text: str) -> bool:
    """Whether a page says that the rest is for subscribers only; its title and summary are stored all the same."""
    return bool(_PAYWALL.search(_visible(text)))


def judge_exception(error: BaseException) -> tuple[str, str]:
    """(outcome, reason) of an exchange that failed without an answer. Known by the names in its chain of causes."""
    given = getattr(error, "outcome", None)
    if given in OUTCOMES:
        return str(given), str(getattr(error, "reason", "") or error)
    seen: list[BaseException] = []
    todo: list[BaseException | None] = [error]
    while todo and len(seen) < 12:
        one = todo.pop(0)
        if one is None or one in seen:
            continue
        seen.append(one)
        reasons = getattr(one, "reasons", None)
        todo += [getattr(f, "value", None) for f in reasons] if isinstance(reasons, list) else []
        todo += [one.__cause__, one.__context__]
    words = " ".join(f"{type(e).__name__} {e}" for e in seen)
    for outcome, pattern, reason in _FAULTS:
        if re.search(pattern, words, re.IGNORECASE):
            return outcome, reason
    return (
        "reset",
        f"the connection failed ({type(error).__name__}: {' '.join(str(error).split())[:120]}); it is tried again in the next run",
    )


_FAULTS = (
    ("private-address", r"private.?address", "the name leads to a private address, which is never asked"),
    ("certificate", r"certificate|ssl.?error|hostname mismatch|CERTIFICATE_VERIFY_FAILED|VerificationError|unknown ca",
     "the site's certificate cannot be trusted (expired, wrong name or unknown issuer); tell the site, nothing is fetched until it is mended"),
    ("dns", r"DNSLookup|CannotResolveHost|gaierror|name or service not known|nodename nor servname|NoAddress",
     "the host name cannot be found; check the network and the spelling in sources.yaml"),
    ("too-large", r"too.?large|DownloadCancelled|exceeded.{0,20}size|DataLoss.{0,5}size", "the answer is larger than limits.max_body_bytes"),
    ("too-many-redirects", r"too many redirects|redirect.?loop|max redirections", "the page only sends from one address to the next"),
    ("truncated", r"PartialDownload|DataLoss|IncompleteRead|truncated|_DataLoss|PotentialDataLoss", "the answer broke off before its end; it is asked again in the next run"),
    ("timeout", r"Timeout|TimedOut|timed out|took longer than", "the site did not answer in time; it is asked again in the next run. If it stays so, the network may be blocked"),
    ("reset", r"ConnectionRefused|refused", "nothing listens at this address (connection refused)"),
    ("reset", r"ConnectionLost|ConnectionDone|ResponseNeverReceived|ConnectionReset|ConnectError|ConnectionAborted|broken pipe|reset by peer",
     "the site closed the connection without an answer; it is asked again in the next run"),
    ("robots", r"robots\.txt|IgnoreRequest", "robots.txt does not allow it"),
)  # fmt: skip


def judge_shrunk(rows: int, before: int | None) -> tuple[str, str]:
    """(outcome, reason) of a list held against the last time: less than half of at least six rows is a shrunk list."""
    if before is not None and before >= SMALLEST_LIST and rows * 2 < before:
        return "shrunk-list", f"the list shrank from {before} rows to {rows}; part of it is probably not found any more"
    return "ok", ""


def judge_list(rows: int, newest_on: str, source: Any, now: datetime) -> tuple[str, str]:
    """(outcome, reason) of a poll held against the source's `expect`.

    `rows` is the number of rows on the first pages of its lists, `newest_on` the civil date of the newest of them, ""
    when they have no dates. `now` is the time of the fetch.
    """
    expect = getattr(source, "expect", None)
    if rows == 0:
        return "empty-list", "the lists answered and have no row; look at the page, its layout has probably changed"
    wanted = int(getattr(expect, "min_items", 0) or 0)
    if rows < wanted:
        return "shrunk-list", f"the lists have {rows} rows where at least {wanted} are expected (expect.min_items)"
    limit = getattr(expect, "newest_max_age_h", None)
    if limit and newest_on:
        zone = ZoneInfo(str(getattr(source, "timezone", "") or "Asia/Shanghai"))
        # the end of that day: a list that gives dates only is not stale at 01:00 because of yesterday's row
        days = (now.astimezone(zone).date() - date.fromisoformat(newest_on)).days - 1
        if days * 24 > int(limit):
            return (
                "stale",
                f"the lists answer, but the newest row is of {newest_on}, {_age(days + 1)} old (expect.newest_max_age_h is {limit}); "
                "they have probably been given up for another address",
            )
    return "ok", ""


def _age(days: int) -> str:
    if days >= 730:
        return f"{days // 365} years"
    return f"{days // 30} months" if days >= 60 else f"{days} days"


def _is_data(text: str) -> bool:
    """JSON and XML are no pages: what they hold is the reader's business."""
    head = text.lstrip("\ufeff \t\r\n")[:200]
    return (
        head.startswith(("{", "[", "<?xml", "<rss", "<feed", "<urlset", "<sitemapindex"))
        and "<html" not in head.lower()
    )


def _first(pattern: re.Pattern[str], text: str) -> str:
    found = pattern.search(text[:200_000])
    return " ".join(_TAGS.sub(" ", found.group(1)).split()) if found else ""


def _visible(text: str) -> str:
    """Roughly what a reader sees, for measuring only."""
    return " ".join(_TAGS.sub(" ", _SCRIPTS.sub(" ", text[:400_000])).split())


def _plain(text: str) -> str:
    return re.sub(r"[\W_]+", "", _TAGS.sub("", text)).lower()
