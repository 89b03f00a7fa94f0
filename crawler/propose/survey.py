"""The whole survey of a site: the page, its robots.txt, then every lead, then what each of them would give."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import urljoin, urlsplit

from crawler.propose import candidates, door, leads, writing
from crawler.propose.candidates import Candidate, Site
from crawler.robots import Answer as Robots
from crawler.robots import parse as parse_robots
from pipelines.content import header

# ways that are shown at most
MOST = 8


@dataclass(slots=True)
class Survey:
    """What was found: candidates, best first; `why` where there is none; `asked` tells what became of every address."""

    url: str
    site: Site | None = None
    candidates: list[Candidate] = field(default_factory=list)
    why: str = ""
    robots: str = ""
    asked: list[tuple[str, str]] = field(default_factory=list)


def survey(
    url: str,
    directory: Path,
    *,
    like: Any = None,
    say: Callable[[str], None] = lambda text: None,
    now: datetime | None = None,
) -> Survey:
    """Look at a site through the door. `directory` is the configuration folder, `like` a source to read it by."""
    url = candidates.absolute(url)
    robots_url = urljoin(url, "/robots.txt")
    say(f"asking {urlsplit(url).hostname} for the page and its robots.txt")
    answers = door.fetch([url, robots_url], url, directory)
    page, said = answers[url], answers[robots_url]
    found = Survey(url, robots=_robots_word(said))
    found.asked = [(a.url, _word(a)) for a in (page, said)]
    with tempfile.TemporaryDirectory(prefix="circularwatch-new-") as name:
        sources = writing.Builder(directory, Path(name))
        if not page.ok:
            found.why = candidates.why_not(page, None, None)
            return found
        moment = now or candidates.now_utc()
        found.site = candidates.site(page)
        given = leads.itself(page.body, url)
        made = candidates.of_lead(given, page, found.site, sources, moment) if given and like is None else None
        if made is not None and made.rows:
            found.candidates = [made]
        elif like is not None:
            found.candidates = [candidates.like(like, page, found.site, sources, moment)]
        else:
            _all_ways(found, page, said, url, directory, sources, moment, say)
        _ask_robots(found, said)
        found.candidates = [c for c in found.candidates if c.rows]
        found.candidates = _distinct(sorted(found.candidates, key=lambda c: -c.weight))[:MOST]
        _read_samples(found, said, directory, say)
        if not found.candidates:
            found.why = candidates.why_not(
                page, found.site, sources(candidates.block(found.site, "html-list", url, list={"items": "a"}))
            )
    return found


def _all_ways(
    found: Survey,
    page: door.Answer,
    said: door.Answer,
    url: str,
    directory: Path,
    sources: Any,
    now: datetime,
    say: Callable[[str], None],
) -> None:
    assert found.site is not None
    robots = said.body.decode("utf-8", "replace") if said.ok else ""
    rules = parse_robots(said.body) if said.ok else Robots()
    known = leads.of_page(page.body, page.final_url or url, header(page.headers, "Content-Type"), robots)
    # what robots.txt forbids is not asked for, and is said
    found.asked += [(lead.url, "robots.txt does not allow it") for lead in known if not rules.allows(lead.url)]
    known = [lead for lead in known if rules.allows(lead.url)]
    say(f"trying {len(known)} addresses where feeds, sitemaps and interfaces may be")
    answers = door.fetch([lead.url for lead in known], url, directory)
    deeper: list[leads.Lead] = []
    for lead in known:
        answer = answers.get(lead.url, door.Answer(lead.url, outcome="unreadable"))
        made = candidates.of_lead(lead, answer, found.site, sources, now) if answer.ok else None
        found.asked.append((lead.url, "nothing usable" if answer.ok and made is None else _word(answer)))
        if made is not None and not made.rows:
            # an index of sitemaps: the newest of them is looked into
            deeper += [leads.Lead(leads.SITEMAP, u, f"named in {lead.url}") for u in made.listed.next_urls[:1]]
        elif made is not None:
            found.candidates.append(made)
    answers = door.fetch([lead.url for lead in deeper], url, directory) if deeper else {}
    for lead in deeper:
        answer = answers[lead.url]
        made = candidates.of_lead(lead, answer, found.site, sources, now) if answer.ok else None
        if made is not None and made.rows:
            # the index is what is watched, for the name of its newest sitemap changes
            parent = lead.how.removeprefix("named in ")
            made.block["lists"][0]["url"] = parent
            found.candidates.append(made)
    found.candidates += candidates.of_page(page, found.site, sources, now)


def _distinct(ordered: list[Candidate]) -> list[Candidate]:
    """Without those of the page itself that give no entry which a better one of the page does not give."""
    kept: list[Candidate] = []
    for candidate in ordered:
        urls = {r.url for r in candidate.listed.rows}
        if not any(
            k.kind == candidate.kind and k.url == candidate.url and urls <= {r.url for r in k.listed.rows} for k in kept
        ):
            kept.append(candidate)
    return kept


def _read_samples(found: Survey, said: door.Answer, directory: Path, say: Callable[[str], None]) -> None:
    """Where the texts stand, by one document of each of the best ways."""
    rules = parse_robots(said.body) if said.ok else Robots()
    bare = [
        c for c in found.candidates[:3] if "article" not in c.block and "like" not in c.block and c.kind != "wordpress"
    ]
    firsts = {
        c.listed.rows[0].url: c for c in bare if c.listed.rows[0].inline is None and rules.allows(c.listed.rows[0].url)
    }
    if not firsts:
        return
    say(f"reading {len(firsts)} document{'s' * (len(firsts) != 1)} to see where texts stand")
    answers = door.fetch(firsts, found.url, directory)
    for candidate in bare:
        answer = answers.get(candidate.listed.rows[0].url)
        article = candidates.article_of(answer) if answer is not None and answer.ok else {}
        if article:
            candidate.block["article"] = article


def _ask_robots(found: Survey, said: door.Answer) -> None:
    """What robots.txt says of each list and of its first entries."""
    rules = parse_robots(said.body) if said.ok else Robots()
    host = urlsplit(found.url).netloc
    for candidate in found.candidates:
        shown = [e["url"] for e in candidate.entries() if urlsplit(e["url"]).netloc == host]
        refused = [u for u in shown if not rules.allows(u)]
        candidate.refused = len(refused)
        candidate.robots = (
            "allowed" if not refused else f"{len(refused)} of {len(shown)} entries not allowed ({refused[0]})"
        )
        if rules.crawl_delay:
            candidate.robots += f", {rules.crawl_delay:g} s between requests"


def _robots_word(said: door.Answer) -> str:
    if said.ok:
        return "robots.txt was read and is obeyed"
    if 400 <= said.status < 500:
        return "there is no robots.txt, so everything may be asked for"
    return f"robots.txt cannot be read ({said.reason}), which means no"


def _word(answer: door.Answer) -> str:
    return "answered" if answer.ok else f"{answer.outcome}: {answer.reason}"
