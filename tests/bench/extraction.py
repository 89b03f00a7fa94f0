"""Pages nobody configured: CPU milliseconds a page of the general reader beside trafilatura and readability, in one run, and how many fields each gets right."""

from __future__ import annotations

import json
import logging
import re
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.bench import Figure, median, quantile

FIXTURES = Path(__file__).parents[1] / "pipelines" / "fixtures" / "general"
ROUNDS = 3


def run(say: Callable[[str], None]) -> list[Figure]:
    """The fixture pages of unseen structures, then pages of the imitation web read as if no source knew them."""
    warnings.filterwarnings("ignore")
    for name in ("trafilatura", "readability", "htmldate"):
        logging.getLogger(name).setLevel(logging.CRITICAL)
    pages = [*fixtures(), *imitation()]
    pages += [{**page, "text": weighted(page["text"]), "wanted": None} for page in pages if page["wanted"]]
    say(f"{len(pages)} pages, {sum(len(p['text']) for p in pages) // len(pages) // 1000} kB each on the average")
    figures = []
    per: dict[str, float] = {}
    english: dict[str, float] = {}
    for name, reader in READERS.items():
        spent = cpu(reader, pages)
        per[name] = sum(spent) / len(spent)
        western = [one for one, page in zip(spent, pages, strict=True) if page["english"]]
        english[name] = sum(western) / len(western)
        figures.append(
            Figure(
                f"{name}, CPU a page",
                per[name],
                "ms",
                "",
                f"median {median(spent):.1f}, p95 {quantile(spent, 0.95):.1f}",
            )
        )
        say(f"{name}: {per[name]:.1f} ms a page (p95 {quantile(spent, 0.95):.1f})")
    figures.append(
        Figure("general reader against trafilatura", per["general reader"] / per["trafilatura"], "ratio", "<= 1.5")
    )
    figures.append(
        Figure("general reader against readability", per["general reader"] / per["readability"], "ratio", "<= 1.5")
    )
    # of English pages it asks trafilatura itself, and adds its own reading
    figures.append(
        Figure(
            "general reader against trafilatura, English pages",
            english["general reader"] / english["trafilatura"],
            "ratio",
            "<= 1.5",
            ", ".join(f"{name} {spent:.1f} ms" for name, spent in english.items()),
        )
    )
    say("English pages: " + ", ".join(f"{name} {spent:.1f} ms" for name, spent in english.items()))
    for name, reader in READERS.items():
        share = right(reader, [p for p in pages if p["wanted"]])
        figures.append(
            Figure(
                f"{name}, fixture pages right in title, day and text",
                share,
                "share",
                ">= 0.7" if name == "general reader" else "",
            )
        )
        say(f"{name}: {share:.2f} of the fixture pages right in title, day and text")
    return figures


def fixtures() -> list[dict[str, Any]]:
    """The fixture pages with what is expected of them."""
    from pipelines.content import to_text

    found = []
    for folder in sorted(FIXTURES.iterdir()):
        wanted = json.loads((folder / "expected.json").read_text("utf-8"))
        text = to_text((folder / "input.html").read_bytes()).text
        whole = all(key in wanted for key in ("title", "published_on", "first", "last", "chars"))
        english = folder.name.startswith("en-")
        found.append({"text": text, "url": wanted["url"], "wanted": wanted if whole else None, "english": english})
    return found


def weighted(text: str) -> str:
    """A fixture with what pages of the web carry besides: 400 menu links, 60 kB of scripts and 20 kB of styles."""
    links = "".join(
        f'<li class="item-{i}"><a href="/c/{i}/" target="_blank" title="频道{i}">频道{i}</a></li>' for i in range(400)
    )
    script = "var a=function(e,t){return e&&t?e.call(this,t):null};" * 1200
    style = ".m-nav .item{float:left;margin:0 4px;color:#333}" * 400
    heavy = f'<style>{style}</style><div class="m-nav"><ul>{links}</ul></div><script>{script}</script>'
    return re.sub(r"(<body[^>]*>)", lambda m: m.group(1) + heavy, text, count=1, flags=re.I)


def imitation() -> list[dict[str, Any]]:
    """One page of each document of the imitation web's sites, as they are served."""
    from tests.web.wire import Request
    from tests.web.world import World

    world = World()
    found = []
    for site in world.sites:
        for placed in site.index.placed[:6]:
            if "link" in placed.options:
                continue
            host, _, path = placed.url.split("://", 1)[1].partition("/")
            head = f"GET /{path} HTTP/1.1".encode()
            answer = site.article(placed, Request("GET", "https", host, f"/{path}", head))
            text = answer.body.decode("utf-8", "replace")
            if answer.status == 200 and "<html" in text[:500].lower():
                found.append({"text": text, "url": placed.url, "wanted": None, "english": False})
    return found


def cpu(reader: Callable[[str, str], tuple[str, str, str]], pages: list[dict[str, Any]]) -> list[float]:
    """CPU milliseconds of each page, the median of some rounds."""
    reader(pages[0]["text"], pages[0]["url"])
    spent: list[list[float]] = [[] for _ in pages]
    for _ in range(ROUNDS):
        for number, page in enumerate(pages):
            began = time.process_time()
            reader(page["text"], page["url"])
            spent[number].append((time.process_time() - began) * 1000)
    return [median(one) for one in spent]


def right(reader: Callable[[str, str], tuple[str, str, str]], pages: list[dict[str, Any]]) -> float:
    """Share of the pages with the right title, day, first and last words, length and nothing that is not theirs."""
    good = 0
    read = [reader(page["text"], page["url"]) for page in pages]
    # of a reader that tells no dates none are asked
    dates_asked = any(day for _, day, _ in read)
    for page, (title, day, text) in zip(pages, read, strict=True):
        wanted = page["wanted"]
        flat = squeeze(text)
        good += (
            letters(title) == letters(wanted["title"])
            and (not dates_asked or day[:10] == wanted["published_on"])
            and squeeze(wanted["first"]) in flat
            and squeeze(wanted["last"]) in flat
            and not any(squeeze(w) in flat for w in wanted.get("lacks", ()))
            and 0.85 <= len(flat) / wanted["chars"] <= 1.2
        )
    return good / len(pages)


def squeeze(text: str) -> str:
    return re.sub(r"\s+", "", text)


def letters(text: str) -> str:
    return re.sub(r"[\W_]+", "", text).lower()


def _general(text: str, url: str) -> tuple[str, str, str]:
    from datetime import UTC, datetime

    from pipelines.clean import to_text
    from pipelines.extract.generic import general
    from pipelines.recognise import dates

    draft = general(text, url)
    moment = dates.best(draft.published, datetime.now(UTC), dates.zone("Asia/Shanghai"))
    day = moment.on if moment else None
    if moment and moment.zoned and not re.search("[一-鿿]", draft.title):
        day = next((d for d, _, _ in dates.find_days(moment.raw)), day)
    return draft.title, day.isoformat() if day else "", to_text(draft.body, title=draft.title)


def _trafilatura(text: str, url: str) -> tuple[str, str, str]:
    import trafilatura

    found = trafilatura.bare_extraction(text, url=url, with_metadata=True, include_comments=False)
    if found is None:
        return "", "", ""
    plain = found.as_dict()
    return plain.get("title") or "", plain.get("date") or "", plain.get("text") or ""


def _readability(text: str, url: str) -> tuple[str, str, str]:
    from readability import Document

    try:
        document = Document(text, url=url)
        markup, title = document.summary(html_partial=True), document.short_title()
    except Exception:  # its own way of saying that there is no text
        return "", "", ""
    return title, "", re.sub(r"<[^>]*>", "", markup)


READERS: dict[str, Callable[[str, str], tuple[str, str, str]]] = {
    "general reader": _general,
    "trafilatura": _trafilatura,
    "readability": _readability,
}
