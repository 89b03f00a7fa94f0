"""Reads values out of a document's raw fields and text: number, offices, dates, kind, level, language, money, origin.

`stage` needs what `pipelines.extract` left in `context.scratch["draft"]` and the clean text. Every value that stands in the text
comes with its words as a Finding.
"""

from __future__ import annotations

import re
from datetime import date
from typing import Any
from urllib.parse import urlsplit

from db.documents import Document, Finding, Span
from pipelines.extract.draft import Draft
from pipelines.recognise import (
    dates,
    doc_number,
    index_number,
    issuers,
    kind,
    language,
    level_region,
    money,
    outlet,
    periods,
)

_OFFICIAL = ("regulator", "government", "statistics", "policy-bank")
# more amounts than this are a table of figures; the first tell what the text is about
_MOST_AMOUNTS = 60


def stage(document: Document, context: Any) -> Document:
    """Fill the recognised fields of the document. `context.now` is the moment of the fetch, the only clock there is."""
    draft: Draft = context.scratch.get("draft") or Draft()
    source = context.source
    document.language = language.of(document.title, document.text, source.language if source else "")
    _number(document, draft)
    _outlet(document, draft, source)
    _published(document, draft, source, context.now)
    _issuers(document, draft, source)
    _written(document, draft)
    host = urlsplit(document.url).hostname or ""
    document.level, document.region = _level(document, source, host)
    document.kind = kind.of(
        document.title,
        document.text,
        source_type=source.type if source else _type_of(host),
        doc_kind=draft.doc_kind,
        doc_number=document.doc_number,
        level=document.level,
        issued=bool(document.issuers) and bool(document.written_on),
    )
    document.index_number = index_number.of(document.index_number, document.text)
    _origin(document, draft, source, host)
    _periods(document, draft)
    document.findings += money.findings(document.text)[:_MOST_AMOUNTS]
    return document


def _type_of(host: str) -> str:
    return "government" if host.endswith(".gov.cn") or host == "gov.cn" else "media" if host else ""


def _number(document: Document, draft: Draft) -> None:
    number = doc_number.own(draft.doc_number, document.title, document.text)
    document.doc_number = number.text if number else ""
    document.doc_number_raw = (draft.doc_number or number.raw).strip() if number else ""


def _outlet(document: Document, draft: Draft, source: Any) -> None:
    author, agency = outlet.byline(draft.outlet)
    if author:
        draft.outlet = agency
    by_field = outlet.byline(draft.author)
    if by_field[0]:
        draft.author = by_field[0]
        agency = agency or by_field[1]
    document.author = author or (draft.author if not outlet.is_same(draft.author, _own_outlet(source)) else "")
    document.author = outlet.author_in_text(document.text) or document.author or outlet.clean(draft.author)
    document.author = re.sub(r"^\s*(?:作者|文|记者|By)\s*[:：/]?\s*", "", document.author).strip()
    draft.outlet = outlet.clean(draft.outlet) or agency
    document.outlet = draft.outlet or _own_outlet(source) or outlet.clean(draft.site)


def _own_outlet(source: Any) -> str:
    """The source's name for documents that name none, without the column and the abbreviation behind it."""
    if source is None:
        return ""
    shown = getattr(source, "shown_outlet", "") or source.name
    return re.sub(r"\s*[（(].*$", "", str(shown)).strip()


def _published(document: Document, draft: Draft, source: Any, now: str) -> None:
    moment_now = dates.instant(now)
    tz = dates.zone(source.timezone if source else "Asia/Shanghai")
    article = source.article if source else None
    formats = tuple(getattr(article, "date_formats", ()) or ())
    candidates = [*draft.published, *([draft.labels["published"]] if draft.labels.get("published") else [])]
    moment = dates.best(candidates, moment_now, tz, formats)
    by_address = date_in_url(document.url, moment_now, tz)
    if moment is None and by_address is not None:
        moment = by_address
    sanity = getattr(article, "date_sanity", None)
    if moment and by_address and sanity and abs((moment.on - by_address.on).days) > sanity.max_days:
        document.remarks.append(f"the page says {moment.on}, its address {by_address.on}: the address is believed")
        moment = by_address
    if moment is None:
        wrong = next((c for c in candidates if re.search(r"\d{4}", c)), "")
        document.remarks.append(f"the date {wrong!r} is not believed" if wrong else "no date of publication found")
        document.published_raw = wrong
        return
    document.published_at, document.published_on = moment.instant, _civil(moment, document, source).isoformat()
    document.published_precision, document.published_raw = moment.precision, moment.raw


def _civil(moment: dates.Moment, document: Document, source: Any) -> date:
    """The civil day of publication: in the source's zone, on an unknown site in the zone that the page writes."""
    if source is None and moment.zoned and document.language != "zh":
        written = next((d for d, _, _ in dates.find_days(moment.raw)), None)
        return written if written and abs((written - moment.on).days) <= 1 else moment.on
    return moment.on


def date_in_url(url: str, now: Any, tz: Any) -> dates.Moment | None:
    """The day in an address (`/202604/t20260409_1`, `/2024/04-16/`, `/20260915/…/c.html`); None where there is none."""
    path = urlsplit(url).path
    for pattern in (
        r"/t(20\d{2})(\d{2})(\d{2})_", r"/(20\d{2})(\d{2})(\d{2})/", r"/(20\d{2})[-/](\d{1,2})[-/](\d{1,2})/", r"/(20\d{2})(\d{2})/(\d{2})/",
        r"/(20\d{2})-?(\d{2})/(\d{2})[/-]", r"/(20\d{2})/(\d{2})(\d{2})/", r"/(20\d{2})(\d{2})(\d{2})\d{9,}/",
    ):  # fmt: skip
        match = re.search(pattern, path)
        if match:
            return dates.parse("-".join(match.groups()), now, tz)
    return None


def _issuers(document: Document, draft: Draft, source: Any) -> None:
    """Structured field, title, signature, the number, the red head, the site's owner: the first that names offices."""
    own_site = bool(source and source.type in _OFFICIAL)
    given = issuers.names_in(" ".join(draft.issuers))
    given = [n for n in given if not issuers.is_department(n)]
    if draft.issuers and not given and not any(issuers.is_department(i) for i in draft.issuers):
        document.remarks.append(f"issuer not recognised: {' '.join(draft.issuers)[:80]}")
    number = doc_number.parse(document.doc_number) if document.doc_number else None
    signed = issuers.in_signature(document.text)
    # a headline of the press (三部门印发《…》) names offices that it reports on; a circular's title says 关于
    titled = source is None or own_site or document.doc_number or "关于" in document.title
    found = given or (issuers.in_title(document.title) if titled else [])
    if not found or (not given and len(signed) > len(found) and issuers.speaks_for_others(document.title)):
        found = signed or found or issuers.in_head(document.text)
    if not found and number is not None:
        named = number.issuer or issuers.by_code(document.doc_number)
        found = [named] if named else []
    if not found and _is_office_page(document, own_site):
        owner = (getattr(source, "issuer", "") if source else "") or issuers.by_host(
            urlsplit(document.url).hostname or ""
        )
        site = issuers.bare(draft.site)
        found = [owner] if owner else [site] if issuers.is_office(site) else []
    document.issuers = list(dict.fromkeys(issuers.current(n) for n in found))


def _is_office_page(document: Document, own_site: bool) -> bool:
    """Pages that an office's own site carries without a signature. The State Council's portal carries everybody's, and a
    page that names an outlet which is no office is somebody else's text."""
    host = urlsplit(document.url).hostname or ""
    if not (own_site or host.endswith(".gov.cn")) or re.search(r"(?:^|\.)www\.gov\.cn$|^gov\.cn$|english\.www", host):
        return False
    shown = document.outlet
    return not shown or issuers.is_office(shown) or issuers.is_department(shown)


def _written(document: Document, draft: Draft) -> None:
    """成文日期: the structured field, else the day under the signature; a later day than that of publication is none."""
    found = next((d for d, _, _ in dates.find_days(draft.written)), None) if draft.written else None
    if found is None and draft.written:
        moment = dates.parse(draft.written, dates.instant("2999-01-01T00:00:00Z"), dates.zone("Asia/Shanghai"))
        found = moment.on if moment else None
    signed = periods.written(document.text)
    if signed and _official_text(document):
        day, start, end = signed
        span = Span("text", start, end, document.text[start:end], "dates")
        document.findings.append(Finding("written_on", day.isoformat(), span))
        if found is None:
            found = day
        elif found != day and abs((found - day).days) > 0:
            document.remarks.append(f"the page gives {found.isoformat()} as day of writing, the text {day.isoformat()}")
    if found and document.published_on and found.isoformat() > document.published_on:
        later = date.fromisoformat(document.published_on)
        if (found - later).days > 31:
            document.remarks.append(f"the day of writing {found.isoformat()} lies after publication: not believed")
            found = None
    document.written_on = found.isoformat() if found else None


def _official_text(document: Document) -> bool:
    return bool(document.issuers or document.doc_number)


def _level(document: Document, source: Any, host: str) -> tuple[str, str]:
    if document.issuers:
        level, region = level_region.of(document.issuers, host)
        if level:
            return level, region
    return (
        (getattr(source, "level", "") or "", getattr(source, "region", "") or "")
        if source
        else level_region.of([], host)
    )


def _origin(document: Document, draft: Draft, source: Any, host: str) -> None:
    """Whether this is the issuer's own page; if not, whose text it is and of what day."""
    site_outlet = _own_outlet(source) or outlet.clean(draft.site) or issuers.by_host(host)
    published = date.fromisoformat(document.published_on) if document.published_on else None
    owner = (getattr(source, "issuer", "") if source else "") or issuers.by_host(host)
    own_names = {issuers.canonical(owner), issuers.canonical(draft.site)} - {""}
    signers = {re.sub(r"(?:办公厅|办公室|公开市场业务操作室)$", "", issuers.canonical(i)) for i in document.issuers}
    own_hand = bool(own_names & signers) or any(s.startswith(o) for s in signers for o in own_names)
    official = source.type in _OFFICIAL if source else _type_of(host) == "government"
    page_outlet = draft.outlet
    foreign = (
        bool(page_outlet)
        and not issuers.is_department(page_outlet)
        and not any(outlet.is_same(page_outlet, n) for n in own_names | {site_outlet})
    )
    signed = bool(document.doc_number) or bool(document.written_on)
    document.firsthand = bool(official and own_hand and (signed or not foreign or issuers.is_office(page_outlet)))
    if getattr(source, "repost", False):
        document.firsthand = False
    if document.firsthand:
        return
    found = outlet.origin(document.text, published, page_outlet if foreign else "", site_outlet)
    document.origin_outlet = found.outlet
    document.origin_published_on = found.on.isoformat() if found.on else None
    if found.remark:
        document.remarks.append(found.remark)


def _periods(document: Document, draft: Draft) -> None:
    issued = document.written_on or document.published_on
    found = periods.read(document.text, date.fromisoformat(issued) if issued else None)
    labelled = {
        name: next((d for d, _, _ in dates.find_days(draft.labels.get(name, ""))), None)
        for name in ("effective", "expires")
    }
    effective, expires = labelled["effective"] or found.effective_on, labelled["expires"] or found.expires_on
    document.effective_on = effective.isoformat() if effective else None
    document.expires_on = expires.isoformat() if expires else None
    document.deadline_on = found.deadline_on.isoformat() if found.deadline_on else None
    document.findings += found.findings
