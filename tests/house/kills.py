"""Kills the crawl, the processor or both at random moments, and compares what is left with an undisturbed run.

`python -m tests.house.kills 50` does it fifty times; the test beside this file does it a few times on every run.
"""

from __future__ import annotations

import os
import random
import shutil
import signal
import sys
import tempfile
import time
from pathlib import Path

import psutil

from tests.house.house import House
from tests.web import ImitationWeb

SOURCES = ("nfra", "ndrc_zcfb", "pboc_lists", "trulynews")
TARGETS = ("crawl", "processor", "both")


def disturb(house: House, rng: random.Random, target: str, longest: float) -> float:
    """Start a crawl, kill -9 one half of it (or both) after a random while; returns the while in seconds."""
    process = house.start("crawl", *SOURCES)
    after = rng.uniform(0.2, longest)
    deadline = time.monotonic() + after
    while time.monotonic() < deadline and process.poll() is None:
        time.sleep(0.02)
    children = offspring(process.pid)
    crawling = [child for child in children if is_crawl(child)]
    reading = [child for child in children if child not in crawling]
    victims = {"crawl": crawling, "processor": reading, "both": children}[target]
    for victim in victims:
        with_luck(victim.pid)
    if target != "crawl":
        with_luck(process.pid)
    wait_for_end(process.pid, children)
    process.wait()
    return after


def offspring(pid: int) -> list[psutil.Process]:
    """All processes below one; none if it has ended."""
    try:
        return psutil.Process(pid).children(recursive=True)
    except psutil.NoSuchProcess:
        return []


def is_crawl(process: psutil.Process) -> bool:
    try:
        return "crawler.run" in process.cmdline()
    except psutil.Error:
        return False


def with_luck(pid: int) -> None:
    """Kill; a process that ended by itself meanwhile is as good."""
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        return


def wait_for_end(pid: int, children: list[psutil.Process]) -> None:
    """The survivors must end by themselves: nothing may go on without its other half."""
    _, alive = psutil.wait_procs(children, timeout=60)
    if alive:
        for process in alive:
            process.kill()
        raise AssertionError(f"{[p.cmdline() for p in alive if p.is_running()]} went on after {pid} was killed")


def trial(house: House, rng: random.Random, target: str, expected: dict[str, tuple], longest: float) -> None:
    """One kill in an empty folder, then an undisturbed run: the same documents, none missing, none twice."""
    shutil.rmtree(house.folder)
    house.folder.mkdir()
    after = disturb(house, rng, target, longest)
    house.run("crawl", *SOURCES)
    found = house.documents()
    assert found == expected, (
        f"{target} killed after {after:.2f} s: missing {sorted(expected.keys() - found.keys())}, "
        f"too many {sorted(found.keys() - expected.keys())}, "
        f"different {[k for k in found.keys() & expected.keys() if found[k] != expected[k]]}"
    )


def trials(folder: Path, count: int, seed: int, say: bool = False) -> None:
    """`count` kills, each of the three targets in turn."""
    rng = random.Random(seed)
    with ImitationWeb() as web:
        calm = House(web, folder / "calm")
        calm.folder.mkdir()
        began = time.monotonic()
        calm.run("crawl", *SOURCES)
        longest = time.monotonic() - began
        expected = calm.documents()
        assert len(expected) > 40
        house = House(web, folder / "disturbed")
        house.folder.mkdir()
        for number in range(count):
            target = TARGETS[number % len(TARGETS)]
            trial(house, rng, target, expected, longest)
            if say:
                print(f"{number + 1}: {target} killed, {len(expected)} documents as in the undisturbed run", flush=True)


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as place:
        trials(Path(place), int(sys.argv[1]) if len(sys.argv) > 1 else 50, seed=int(time.time()), say=True)
