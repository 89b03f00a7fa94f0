"""An hour of damaged pages, lists and attachments through the real readers: no crash, no hang, memory within its bound.

`python -m tests.house.fuzz --minutes 60` runs until the time is over and ends with status 1 if anything was found, each
finding with the command that repeats it (`--case SEED`). `--seeds DIRECTORY` adds pages of your own to start from.
A reader's fault that the chain turns into a reason ("extract failed: TypeError …") counts as a finding too: the
document would be lost. The short form runs with the tests (`test_fuzz.py`).
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import random
import re
import resource
import sys
import time
import traceback
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import config
from pipelines import attachments, outcomes
from pipelines.lists import read_list
from pipelines.stages import Chain, Fetched
from tests.house import mutations
from tests.web import files

FIXTURES = Path(__file__).parent.parent / "pipelines" / "fixtures"
NOW = "2026-10-08T04:30:00Z"
# one case: what is slower than this is a hang; the readers' own bound on an attachment is 20 s of computing
HANG_S = 120.0
# resident memory of a process that reads pages (the models are 0.2 GB of it); attachments have their own bound, in a child
MEMORY_MB = 1536
KINDS = ("page", "page", "page", "general", "general", "list", "attachment")
# reasons that are a fault of ours and not of the bytes
FAULT = re.compile(r"\b(start|content|extract|clean|attachments|recognise|identify|classify|explain) failed: |without its evidence|reader was lost")  # fmt: skip


@dataclass(slots=True)
class Seeds:
    """What cases start from: (name, bytes, what the reader needs to know)."""

    pages: list[tuple[str, bytes, dict[str, Any]]] = field(default_factory=list)
    general: list[tuple[str, bytes, dict[str, Any]]] = field(default_factory=list)
    lists: list[tuple[str, bytes, dict[str, Any]]] = field(default_factory=list)
    files: list[tuple[str, bytes]] = field(default_factory=list)


@cache
def seeds(more: str = "") -> Seeds:
    """The project's fixtures: real structures, own words. `more` is a folder of further pages."""
    out = Seeds()
    for folder in sorted((FIXTURES / "pages").iterdir()):
        about = json.loads((folder / "about.json").read_text("utf-8"))
        out.pages.append((folder.name, next(folder.glob("input.*")).read_bytes(), about))
    for folder in sorted((FIXTURES / "general").iterdir()):
        about = json.loads((folder / "expected.json").read_text("utf-8"))
        out.general.append((folder.name, next(folder.glob("input.*")).read_bytes(), about))
    for folder in sorted((FIXTURES / "lists").iterdir()):
        about = json.loads((folder / "expected.json").read_text("utf-8"))
        out.lists.append((folder.name, next(folder.glob("input.*")).read_bytes(), about))
    for path in sorted((FIXTURES / "attachments").iterdir()):
        if path.suffix not in (".py", ".md"):
            out.files.append((path.name, path.read_bytes()))
    out.files.append(("made.ofd", files.ofd(["标题", "内容" * 80])))
    for path in sorted(Path(more).rglob("*.htm*")) if more else []:
        out.general.append((path.name, path.read_bytes(), {"url": "https://news.example/2026/10/08/a.html"}))
    return out


@cache
def loaded() -> Any:
    return config.load()


@cache
def chain() -> Chain:
    return Chain(loaded())


def case(number: int, more: str = "") -> str:
    """Run one case, made of its number alone; returns what it was and how it ended. Raises what a reader raised."""
    rng = random.Random(number)
    kind = rng.choice(KINDS)
    return f"{kind}: {run(kind, rng, seeds(more))}"


def run(kind: str, rng: random.Random, known: Seeds) -> str:
    """One damaged page, list or attachment; returns the outcome. Raises AssertionError for a fault."""
    return {"page": _page, "general": _general, "list": _list, "attachment": _attachment}[kind](rng, known)


def _page(rng: random.Random, known: Seeds) -> str:
    name, body, about = rng.choice(known.pages)
    others = [b for _, b, _ in known.pages]
    damaged, coding = mutations.wrap(rng, mutations.mutate(rng, body, others))
    source = about["source"] or rng.choice(sorted(loaded().sources))
    headers = {"content-encoding": coding} if coding else {}
    if rng.random() < 0.3:
        headers["content-type"] = rng.choice(
            ["text/html; charset=gb2312", "text/html; charset=utf-16", "image/png", "application/json", ";;;"]
        )
    fetched = Fetched(
        about["url"], about["url"], 200, headers, damaged, "text/html", about.get("kind", "document"), about.get("said", {}), about["at"]
    )  # fmt: skip
    if rng.random() < 0.2:
        fetched.parts = [_part(rng, known, about["at"])]
    return f"{name} {_judge(fetched, source)}"


def _part(rng: random.Random, known: Seeds, at: str) -> Fetched:
    file, content = rng.choice(known.files)
    if rng.random() < 0.5:
        content = mutations.mutate(rng, content, [b for _, b in known.files], binary=True)
    return Fetched(f"https://files.example/{file}", status=200, body=content, kind="attachment", fetched_at=at)


def _general(rng: random.Random, known: Seeds) -> str:
    name, body, about = rng.choice(known.general)
    damaged, coding = mutations.wrap(rng, mutations.mutate(rng, body, [b for _, b, _ in known.general]))
    url = rng.choice([about["url"], about["url"], "https://x.example/", "https://x.example/2026/99/99/t20269999_1.htm"])
    fetched = Fetched(
        url, url, 200, {"content-encoding": coding} if coding else {}, damaged, "text/html", fetched_at=NOW
    )
    return f"{name} {_judge(fetched, rng.choice(['trulynews', 'nfra', 'globaltimes']))}"


def _judge(fetched: Fetched, source_id: str) -> str:
    source = loaded().sources[source_id]
    outcomes.judge(fetched.status, fetched.headers, fetched.body[:20_000].decode("utf-8", "replace"), source)
    result = chain().run(fetched, source)
    assert not FAULT.search(result.reason), result.reason
    assert (result.document is None) == bool(result.reason) or result.document is not None, result.outcome
    if result.document is not None:
        result.document.check_spans()
        wrong = [a.error for a in result.document.attachments if FAULT.search(a.error or "")]
        assert not wrong, wrong[0]
    return result.outcome


def _list(rng: random.Random, known: Seeds) -> str:
    name, body, about = rng.choice(known.lists)
    source = loaded().sources[about["source"]]
    section = about["section"]
    entry = source.lists[section] if isinstance(section, int) else next(e for e in source.lists if e.section == section)
    damaged = mutations.mutate(rng, body, [b for _, b, _ in known.lists])
    page = read_list(damaged, about["url"], source, entry, about["now"], headers=about.get("headers"))
    assert page.outcome in outcomes.OUTCOMES and (page.outcome == "ok" or page.reason)
    json.dumps([row.said for row in page.rows])
    return f"{name} {page.outcome}"


def _attachment(rng: random.Random, known: Seeds) -> str:
    name, body = rng.choice(known.files)
    others = [b for _, b in known.files]
    how = rng.random()
    if how < 0.35:
        body = mutations.repack(rng, body, others)
    elif how < 0.45:
        body, name = mutations.package(rng, [rng.choice(known.files) for _ in range(rng.randint(1, 4))]), "annexes.zip"
    if how >= 0.35:
        body = mutations.mutate(rng, body, others, binary=True)
    found = attachments.read(body, name)
    assert (found.text is None) == bool(found.error), (name, found.error)
    assert not FAULT.search(found.error) and "lost" not in found.error, (name, found.error)
    return f"{name} {'text' if found.text is not None else 'reason'}"


# -- the hour ---------------------------------------------------------------------------------------------------------


def _child(pipe: Any, numbers: Iterator[int], more: str) -> None:
    """Run cases one after the other; say which one is under way before it starts, so that a death has a name."""
    seeds(more)
    chain()
    for number in numbers:
        pipe.send(("begin", number, ""))
        try:
            said = case(number, more)
        except Exception:
            pipe.send(("fault", number, traceback.format_exc(limit=-6)))
        else:
            pipe.send(("end", number, said))
        pipe.send(("memory", number, str(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024)))


@dataclass(slots=True)
class Tally:
    """What an hour found."""

    cases: Counter[str] = field(default_factory=Counter)
    findings: list[tuple[int, str]] = field(default_factory=list)
    slowest: tuple[float, int] = (0.0, 0)
    memory: int = 0


class Runner:
    """One child at a time on one row of numbers; a child that dies or stands still is a finding, and the next goes on."""

    def __init__(self, first: int, step: int, more: str, tally: Tally) -> None:
        self.first, self.step, self.more, self.tally = first, step, more, tally
        self.process: Any = None
        self.at, self.since, self.fat = first - step, time.monotonic(), False

    def start(self) -> None:
        context = multiprocessing.get_context("fork")
        self.pipe, other = context.Pipe(duplex=False)
        numbers = range(self.at + self.step, sys.maxsize, self.step)
        self.process = context.Process(target=_child, args=(other, numbers, self.more), daemon=False)
        self.process.start()
        other.close()
        self.since = time.monotonic()

    def turn(self) -> None:
        """Take what the child says for up to a tenth of a second."""
        try:
            until = time.monotonic() + 0.1
            while self.pipe.poll(0.05) and time.monotonic() < until:
                self.take(*self.pipe.recv())
        except (EOFError, OSError):
            self.process.join()
            self.found(f"the reading process ended by itself (status {self.process.exitcode})")
            self.start()
            return
        if time.monotonic() - self.since > HANG_S:
            self.process.kill()
            self.process.join()
            self.found(f"nothing came back within {HANG_S:g} seconds")
            self.start()

    def take(self, what: str, number: int, said: str) -> None:
        if what == "begin":
            self.at, self.since = number, time.monotonic()
        elif what == "fault":
            self.found(said)
        elif what == "end":
            kind, _, rest = said.partition(": ")
            self.tally.cases[f"{kind} {rest.split()[-1]}"] += 1
            self.tally.slowest = max(self.tally.slowest, (time.monotonic() - self.since, number))
        else:
            if int(said) > MEMORY_MB and not self.fat:
                self.fat = True
                self.found(f"the reading process holds {said} MB, more than {MEMORY_MB}")
            self.tally.memory = max(self.tally.memory, int(said))

    def found(self, words: str) -> None:
        self.tally.findings.append((self.at, words))
        print(f"FOUND in case {self.at} (repeat it: python -m tests.house.fuzz --case {self.at}):\n{words}", flush=True)

    def stop(self) -> None:
        self.process.kill()
        self.process.join()


def hour(minutes: float, first: int, processes: int, more: str, say: Callable[[str], None]) -> Tally:
    """Run cases `first`, `first + 1`, … in so many processes until the time is over."""
    tally = Tally()
    seeds(more)
    chain()  # before the children are forked, so that the models are in memory once
    runners = [Runner(first + i, processes, more, tally) for i in range(processes)]
    for runner in runners:
        runner.start()
    until, next_word = time.monotonic() + minutes * 60, time.monotonic() + 60
    try:
        while time.monotonic() < until:
            for runner in runners:
                runner.turn()
            if time.monotonic() > next_word:
                say(f"{sum(tally.cases.values())} cases, {len(tally.findings)} findings, peak {tally.memory} MB")
                next_word += 60
    except KeyboardInterrupt:
        say("stopped early")
    finally:
        for runner in runners:
            runner.stop()
    return tally


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=60)
    parser.add_argument("--first", type=int, default=0, help="number of the first case")
    parser.add_argument("--processes", type=int, default=max(1, (os.cpu_count() or 2) - 1))
    parser.add_argument("--seeds", default="", metavar="DIRECTORY", help="more pages to start from (*.html)")
    parser.add_argument("--case", type=int, help="run one case and show how it ends")
    given = parser.parse_args()
    if given.case is not None:
        print(case(given.case, given.seeds))
        return
    began = time.monotonic()
    tally = hour(given.minutes, given.first, given.processes, given.seeds, lambda words: print(words, flush=True))
    for what, count in sorted(tally.cases.items()):
        print(f"{count:8} {what}")
    total = sum(tally.cases.values())
    print(f"{total} cases in {(time.monotonic() - began) / 60:.1f} minutes, {len(tally.findings)} findings")
    print(f"slowest {tally.slowest[0]:.1f} s (case {tally.slowest[1]}); peak memory {tally.memory} MB")
    sys.exit(1 if tally.findings or not total else 0)


if __name__ == "__main__":
    main()
