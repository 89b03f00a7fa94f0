"""Fetches a few addresses of a new site through the house's own door: robots.txt, one at a time, bounded, archived.

`fetch` starts a crawl in a process of its own (a reactor runs once in a process), in a folder that is thrown away. Nothing
of it touches the database or the archive of the house.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from crawler.spiders.base import SourceSpider

if TYPE_CHECKING:
    from scrapy import Request
    from scrapy.http import Response
    from twisted.python.failure import Failure

PROBE = "probe"
# a site that answers nothing must not keep the operator waiting
LONGEST_S = 300
# so many addresses are asked in one round at most
MOST_ADDRESSES = 16
_SECOND_LEVEL = frozenset(["com", "net", "org", "gov", "edu", "ac", "co", "mil", "or", "ne", "go"])


@dataclass(slots=True)
class Answer:
    """What came from an address: `outcome` is ok or one of `pipelines.outcomes`, `reason` says why in words."""

    url: str
    final_url: str = ""
    status: int = 0
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    outcome: str = "ok"
    reason: str = ""

    @property
    def ok(self) -> bool:
        return self.outcome == "ok" and bool(self.body)


def site_of(host: str) -> str:
    """The name that the hosts of one site share (`www.a.gov.cn` -> `a.gov.cn`)."""
    parts = host.lower().rstrip(".").split(".")
    keep = 3 if len(parts) > 2 and parts[-2] in _SECOND_LEVEL and len(parts[-1]) <= 3 else 2
    return ".".join(parts[-keep:])


def probe_source(url: str) -> dict[str, Any]:
    """The source that stands for a site while it is looked at: all hosts of the site may be asked."""
    host = urlsplit(url).hostname or ""
    origin = f"{urlsplit(url).scheme}://{urlsplit(url).netloc}"
    shared = site_of(host)
    return {
        "id": PROBE, "name": host, "kind": "html-list", "type": "media", "language": "zh", "certainty": "D", "enabled": True,
        "base_url": origin, "interval_min": 60, "download_delay_s": 2, "timeout_s": 30,
        "headers": {"Accept-Language": "zh-CN,zh;q=0.9,en;q=0.8"},
        "allowed_hosts": [shared, f"*.{shared}"],
        "lists": [{"section": "probe", "url": url}], "list": {"items": ["a"]}, "expect": {"min_items": 1, "newest_max_age_h": 8760},
    }  # fmt: skip


def fetch(urls: Iterable[str], site: str, directory: Path) -> dict[str, Answer]:
    """Answers by address. `site` is the address that the operator gave; `directory` the configuration folder.

    Raises RuntimeError with what the crawl said where it could not begin (no contact address, a broken configuration).
    """
    wanted = list(dict.fromkeys(urls))[:MOST_ADDRESSES]
    if not wanted:
        return {}
    with tempfile.TemporaryDirectory(prefix="circularwatch-new-") as name:
        folder = Path(name)
        configured = folder / "config"
        configured.mkdir()
        for entry in directory.iterdir():
            if (entry.suffix in (".yaml", ".yml", ".json") and entry.name != "sources.yaml") or entry.is_dir():
                (configured / entry.name).symlink_to(entry.resolve())
        # YAML reads JSON
        (configured / "sources.yaml").write_text(
            json.dumps({"version": 1, "sources": [probe_source(site)]}, ensure_ascii=False), "utf-8"
        )
        (folder / "spec.json").write_text(json.dumps({"urls": wanted}), "utf-8")
        env = os.environ | {
            "CIRCULARWATCH_DB": str(folder / "probe.db"),
            "CIRCULARWATCH_ARCHIVE": str(folder / "archive"),
            "CIRCULARWATCH_CONFIG": str(configured),
        }
        command = [sys.executable, "-m", "crawler.propose.door", str(folder)]
        try:
            done = subprocess.run(command, env=env, capture_output=True, text=True, timeout=LONGEST_S)
        except subprocess.TimeoutExpired:
            return {url: Answer(url, outcome="timeout", reason="the site took too long") for url in wanted}
        found = {url: _answer(folder, number, url) for number, url in enumerate(wanted)}
        if done.returncode == 2 or (done.returncode and all(a.outcome == "unreadable" for a in found.values())):
            raise RuntimeError((done.stderr.strip().splitlines() or ["the probe could not begin"])[-1])
        return found


def _answer(folder: Path, number: int, url: str) -> Answer:
    try:
        told = json.loads((folder / f"{number}.json").read_text("utf-8"))
    except (OSError, ValueError):
        return Answer(url, outcome="unreadable", reason="nothing came and no reason was told")
    body = folder / f"{number}.body"
    return Answer(url, body=body.read_bytes() if body.exists() else b"", **told)


class ProbeSpider(SourceSpider):
    """Asks for the addresses of the spec and writes down what came; follows nothing."""

    folder: Path
    urls: tuple[str, ...] = ()

    async def start(self) -> AsyncIterator[Any]:
        from scrapy import Request

        for number, url in enumerate(self.urls):
            yield Request(
                url,
                headers=self.headers(),
                meta=self.archive.meta("list"),
                callback=self.came,
                errback=self.missed,
                cb_kwargs={"number": number},
                dont_filter=True,
                priority=-number,
            )

    async def came(self, response: Response, number: int) -> None:
        """Keep the answer."""
        from crawler.spiders.answers import plain_headers

        (self.folder / f"{number}.body").write_bytes(response.body)
        self.tell(number, final_url=response.url, status=response.status, headers=dict(plain_headers(response)))

    async def missed(self, failure: Failure) -> None:
        """Keep the reason."""
        request: Request = failure.request  # type: ignore[attr-defined]
        value: Any = failure.value
        number = request.cb_kwargs["number"]
        response = getattr(value, "response", None)
        if response is not None and response.body:
            (self.folder / f"{number}.body").write_bytes(response.body)
        self.tell(
            number,
            status=getattr(response, "status", 0) or 0,
            outcome=str(getattr(value, "outcome", "") or "unreadable"),
            reason=str(getattr(value, "reason", "") or value)[:400],
        )

    def tell(self, number: int, **told: Any) -> None:
        (self.folder / f"{number}.json").write_text(json.dumps(told, ensure_ascii=False), "utf-8")


class Loader:
    """Gives the probe for the one source of the throw-away configuration."""

    @classmethod
    def from_settings(cls, settings: Any) -> Loader:
        return cls()

    def load(self, name: str) -> type[ProbeSpider]:
        from crawler.house import configuration

        folder = Path(sys.argv[1])
        urls = tuple(json.loads((folder / "spec.json").read_text("utf-8"))["urls"])
        source = configuration(os.environ["CIRCULARWATCH_CONFIG"]).sources[PROBE]
        return type("Probe", (ProbeSpider,), {"name": PROBE, "source": source, "folder": folder, "urls": urls})

    def list(self) -> list[str]:
        return [PROBE]


def main() -> int:
    """The crawl itself, in its own process: `python -m crawler.propose.door FOLDER`."""
    from scrapy.settings import Settings

    from crawler.house import NO_CONTACT
    from crawler.run import crawl

    settings = Settings()
    settings.setmodule("crawler.settings", priority="project")
    if not settings["CIRCULARWATCH_CONTACT"] and not settings.getbool("CIRCULARWATCH_IMITATION"):
        print(NO_CONTACT, file=sys.stderr)
        return 2
    for name, value in {
        "SPIDER_LOADER_CLASS": "crawler.propose.door.Loader",
        "CIRCULARWATCH_MANAGED": True,
        "CIRCULARWATCH_TRIGGER": "check",
        "LOG_LEVEL": "ERROR",
    }.items():
        settings.set(name, value, priority="cmdline")
    return crawl(settings, [PROBE])


if __name__ == "__main__":
    sys.exit(main())
