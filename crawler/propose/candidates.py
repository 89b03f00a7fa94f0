"""Makes of what came from a site the ways in which it could be watched, each tried on the answer itself."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from itertools import islice
from typing import Any
from urllib.parse import urljoin, urlsplit

from crawler.propose import rows
from crawler.propose.door import Answer, site_of
from crawler.propose.leads import FEED, SITEMAP, UNIT, WORDPRESS, Lead
from pipelines.content import header, to_text
from pipelines.extract.anypage import blocks, credit, embedded, titles
from pipelines.extract.fallback import metas
from pipelines.lists import ListPage, read_list
from pipelines.outcomes import judge

SHOWN = 10
# what an entry of a list should tell; a page can fill the rest
WANTED = ("title", "published_on")


@dataclass(slots=True)
class Candidate:
    """One way to watch the site: the block for sources.yaml, what its list gives, and what speaks against it."""

    label: str
    block: dict[str, Any]
    how: str
    listed: ListPage = field(default_factory=ListPage)
    body: bytes = b""
    robots: str = ""
    refused: int = 0

    @property
    def kind(self) -> str:
        return str(self.block.get("kind", ""))

    @property
    def url(self) -> str:
        return str(self.block["lists"][0]["url"])

    @property
    def rows(self) -> int:
        return len(self.listed.rows)

    def has(self, name: str) -> int:
        """How many rows tell this."""
        return sum(bool(r.said.get(name)) for r in self.listed.rows)

    @property
    def missing(self) -> list[str]:
        """Fields that rows lack, with how many."""
        return [f"{n} ({self.rows - self.has(n)} of {self.rows})" for n in WANTED if self.has(n) < self.rows]

    @property
    def weight(self) -> float:
        """For the order in which ways are shown: titled and dated rows; interfaces made for machines before pages for people."""
        if not self.rows:
            return 0.0
        made = {"feed": 1.3, "wordpress": 1.5, "json-api": 1.4, "sitemap": 0.9}.get(self.kind, 1.0)
        share = (0.4 + self.has("title") / self.rows + self.has("published_on") / self.rows) / 2.4
        return made * share * min(self.rows, 20) / 20 * (0.3 if self.refused else 1.0)

    def entries(self) -> list[dict[str, str]]:
        """The first ten entries as people see them."""
        return [
            {"title": str(r.said.get("title", "")), "url": r.url, "date": str(r.said.get("published_on", ""))}
            for r in self.listed.rows[:SHOWN]
        ]


@dataclass(slots=True)
class Site:
    """What is known of the site before any list of it is read: its name, language, who speaks."""

    url: str
    name: str
    section: str
    language: str
    type: str
    system: str = ""

    @property
    def host(self) -> str:
        return urlsplit(self.url).hostname or ""


def site(answer: Answer) -> Site:
    """The site of a page that came."""
    text = to_text(answer.body, header(answer.headers, "Content-Type")).text
    page = blocks.read(text)
    found = metas(page.root)
    window = titles.window_title(page)
    known = credit.sites(found, embedded.linked_data(page.root), window, set())
    host = urlsplit(answer.url).hostname or ""
    name = known[0] if known else window or host
    section = found.get("columnname") or titles.without_site(window, known) or name
    language = "zh" if page.chinese or re.search(r"[\u4e00-\u9fff]", window) else "en"
    official = re.search(r"(?:^|\.)gov(?:\.[a-z]{2})?$", host)
    return Site(
        answer.url, name[:60], section[:40], language, "government" if official else "media", _system(text, found)
    )


def _system(text: str, found: Mapping[str, str]) -> str:
    """The publishing system, where the page gives it away; TRS alone changes what is proposed."""
    if "createPageHTML(" in text or "TRS_Editor" in text or re.search(r"/t20\d{6}_\d+\.s?html?", text):
        return "TRS"
    return found.get("generator", "")[:40]


def block(site: Site, kind: str, url: str, **more: Any) -> dict[str, Any]:
    """A source block that is complete but for its id."""
    host = urlsplit(url).hostname or ""
    origin = f"{urlsplit(url).scheme}://{urlsplit(url).netloc}"
    made: dict[str, Any] = {
        "id": "", "name": site.name, "kind": kind, "type": site.type, "language": site.language, "certainty": "B",
        "evidence": "proposed by `sources new` from the site's own answers", "evidence_on": None, "enabled": True,
        "base_url": origin, "interval_min": 60,
    }  # fmt: skip
    if host != site.host:
        made["allowed_hosts"] = [site.host]
    made["lists"] = [{"section": site.section, "url": url}]
    return made | {k: v for k, v in more.items() if v}


def read(candidate: Candidate, answer: Answer, sources: Any, now: datetime) -> Candidate:
    """Read the list as the source would, hosts of links included; fills `expect` from what came."""
    candidate.body = answer.body
    source = sources(candidate.block)
    listed = read_list(
        answer.body, answer.final_url or candidate.url, source, source.lists[0], now, headers=answer.headers
    )
    outside = _outside(listed, source, candidate)
    if outside:
        candidate.block["allowed_hosts"] = [*candidate.block.get("allowed_hosts", []), *outside]
        source = sources(candidate.block)
        listed = read_list(
            answer.body, answer.final_url or candidate.url, source, source.lists[0], now, headers=answer.headers
        )
    candidate.listed = listed
    candidate.block["expect"] = expect(listed, now)
    return candidate


def _outside(listed: ListPage, source: Any, candidate: Candidate) -> list[str]:
    """Hosts of the same site that rows lead to; the reader says in a remark that it left them out."""
    shared = site_of(source.hosts[0])
    text = candidate.body.decode("utf-8", "ignore")
    found = {h.lower() for h in re.findall(r"https?://([\w.-]+)/", text)}
    near = sorted(h for h in found if site_of(h) == shared and not source.allows(h))
    told = " ".join([*listed.remarks, listed.reason])
    return [h for h in near if h in told][:6]


def expect(listed: ListPage, now: datetime) -> dict[str, int]:
    """What a healthy poll looks like, by the rhythm of the rows: three times the usual gap, a week at least."""
    days = sorted({str(r.said["published_on"]) for r in listed.rows if r.said.get("published_on")}, reverse=True)
    hours = 720
    if len(days) > 1:
        span = (date.fromisoformat(days[0]) - date.fromisoformat(days[-1])).days
        gap = span / (len(days) - 1)
        age = (now.date() - date.fromisoformat(days[0])).days
        hours = int(max(168, 3 * gap * 24, (age + 2) * 24))
    return {"min_items": max(1, len(listed.rows) // 2), "newest_max_age_h": min(hours, 8760)}


def of_lead(lead: Lead, answer: Answer, site: Site, sources: Any, now: datetime) -> Candidate | None:
    """The candidate behind a lead that answered; None where there is no such list."""
    kind = {FEED: "feed", SITEMAP: "sitemap", WORDPRESS: "wordpress", UNIT: "json-api"}[lead.kind]
    more: dict[str, Any] = {}
    if lead.kind == UNIT:
        return _of_unit(lead, answer, site, sources, now)
    if lead.kind == SITEMAP:
        more["sitemap"] = {"max_age_days": 30}
    made = Candidate(f"{kind} {lead.title}".strip(), block(site, kind, lead.url, **more), lead.how)
    found = read(made, answer, sources, now)
    return found if found.rows or found.listed.next_urls else None


def _of_unit(lead: Lead, answer: Answer, site: Site, sources: Any, now: datetime) -> Candidate | None:
    """A build unit: HTML inside JSON, whose rows are found as those of a page are."""
    from pipelines.lists import json_paths

    text = to_text(answer.body, "application/json").text
    try:
        markup = json_paths.raw(json_paths.parse_json(text), ["data.html"])
    except ValueError:
        return None
    best: Candidate | None = None
    for options in rows.find(str(markup or ""), site.url):
        more = {
            "list": {"html_path": "data.html", **options},
            "paging": {"params": {"pageNo": "{n}", "pageSize": 15}, "max": 3},
        }
        made = read(
            Candidate("jpaas list unit", block(site, "json-api", lead.url, **more), lead.how), answer, sources, now
        )
        best = made if best is None or made.weight > best.weight else best
    return best if best and best.rows else None


def of_page(answer: Answer, site: Site, sources: Any, now: datetime) -> list[Candidate]:
    """Candidates for the rows that stand on the page itself."""
    text = to_text(answer.body, header(answer.headers, "Content-Type")).text
    found = []
    for options in rows.find(text, answer.final_url or answer.url):
        more: dict[str, Any] = {"list": options}
        paging = _paging(text, answer.url)
        if paging:
            more["paging"] = paging
        if site.system == "TRS":
            more["article"] = {"same_as": "trs_article"}
        label = "rows of the page" + (" (TRS)" if site.system == "TRS" else "")
        made = Candidate(label, block(site, "html-list", answer.url, **more), f"{options['items']} repeats on the page")
        made = read(made, answer, sources, now)
        if made.rows >= 3:
            found.append(made)
    return found


def _paging(text: str, url: str) -> dict[str, Any]:
    """How the next pages are found: TRS's counter, else a link that says so."""
    counter = re.search(r"createPageHTML\(\s*\d+\s*,\s*\d+\s*,\s*[\"'](\w+)[\"']\s*,\s*[\"'](\w+)[\"']", text)
    if counter:
        template = f"{counter.group(1)}_{{n}}.{counter.group(2)}"
        return {"template": template, "start": 1, "max": 3, "count_regex": r"createPageHTML\(\s*(\d+)"}
    if re.search(r"<a[^>]+rel=[\"']next", text, re.I):
        return {"next": ['a[rel="next"]::attr(href)'], "max": 3}
    for word in ("下一页", "下页", "Next page", "Older posts", "Next"):
        if re.search(rf"<a\b[^>]*href=[\"'](?!javascript|#)[^>]*>\s*(?:<[^>]*>\s*)?{word}", text, re.I):
            return {"next": [f'xpath://a[contains(normalize-space(.), "{word}")]/@href'], "max": 3}
    return {}


def article_of(answer: Answer) -> dict[str, Any]:
    """`article` options by a document of the list: the element that holds its text, where a steady name finds it alone.

    Everything else is left to the general reader, which weighs the evidence of every page anew.
    """
    from pipelines.extract import general
    from pipelines.extract.anypage import body
    from pipelines.extract.anypage.elements import ancestors
    from pipelines.extract.tree import untagged
    from pipelines.lists.selectors import element_text, parse_html, select_nodes

    text = to_text(answer.body, header(answer.headers, "Content-Type")).text
    region = body.find(blocks.read(text), "", -1)
    if region is None:
        return {}
    read = general(text, answer.final_url or answer.url)
    size = len("".join(untagged(read.body).split()))
    around = [n for n in ancestors(region.node, 3) if n.tag not in ("body", "html")]
    root = parse_html(text)
    best, least = "", 0
    for node in [region.node, *around, *islice(region.node.iterdescendants("div", "article", "section", "td"), 40)]:
        words = [f"#{node.get('id')}"] if rows.STEADY.match(node.get("id") or "") else []
        words += [f"{node.tag}.{c}" for c in (node.get("class") or "").split() if rows.STEADY.match(c)]
        for css in words:
            found, _ = select_nodes(root, [css])
            shown = len("".join(element_text(found[0]).split())) if len(found) == 1 else 0
            # the innermost that holds all of the text and little more: not the headline and the line below it
            if (
                0.9 * size <= shown < 1.3 * size + 200
                and (not best or shown < least)
                and not _heads(found[0], read.title)
            ):
                best, least = css, shown
    return {"body": best} if best else {}


def _heads(node: Any, title: str) -> bool:
    """Whether the page's headline stands inside the element."""
    wanted = "".join(title.split())
    return any("".join("".join(h.itertext()).split()) == wanted for h in node.iter("h1", "h2", "h3"))


def like(template: Any, answer: Answer, site: Site, sources: Any, now: datetime) -> Candidate:
    """The site read as a known source is: `like: ID` and this list."""
    origin = f"{urlsplit(answer.url).scheme}://{urlsplit(answer.url).netloc}"
    made = {
        "id": "", "like": template.id, "name": site.name, "certainty": "B", "enabled": True, "base_url": origin,
        "evidence": f"proposed by `sources new --like {template.id}` from the site's own answers", "evidence_on": None,
        "lists": [{"section": site.section, "url": answer.url}],
    }  # fmt: skip
    candidate = Candidate(f"like {template.id}", made, f"read as {template.name} is")
    return read(candidate, answer, sources, now)


def why_not(answer: Answer, site_: Site | None, source: Any) -> str:
    """Why nothing could be proposed for a page, in one sentence that says what to do."""
    if not answer.ok:
        return f"{answer.url} gave nothing to look at ({answer.outcome}: {answer.reason})"
    text = to_text(answer.body, header(answer.headers, "Content-Type")).text
    outcome, reason = judge(answer.status, answer.headers, text, source)
    if outcome not in ("ok", "template", "unreadable"):
        return f"the page is no list but {outcome}: {reason}"
    low = text.lower()
    links = len(re.findall(r"<a\s[^>]*href", low))
    if re.search(r"type=[\"']?password", low):
        return "the page asks for a login, and circularwatch does not log in anywhere; look for a public column, a feed or another outlet"
    if links < 8 and "<script" in low:
        return "the page is an empty shell that scripts fill in a browser, and no feed, sitemap or known interface was found; look in the browser's network panel for the JSON that it loads and describe that as kind json-api"
    frame = re.search(r"<i?frame\b[^>]*\bsrc\s*=\s*[\"']?([^\"'\s>]+)", text, re.I)
    if links < 8 and frame:
        return f"the page is only a frame around {frame.group(1)[:200]}; give that address"
    return "no rows of links with titles repeat on this page, and no feed or sitemap was found; give the address of the column that lists the documents"


def now_utc() -> datetime:
    return datetime.now(UTC)


def absolute(url: str) -> str:
    """The address that the operator typed, with a scheme."""
    return url if re.match(r"https?://", url, re.I) else urljoin("https://", f"//{url}")
