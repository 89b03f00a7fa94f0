"""Manners: one request at a time per host across sources and processes, the pause kept, wishes of the host honoured."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import multiprocessing
import time
from pathlib import Path
from typing import Any

import pytest
from scrapy import Request
from scrapy.http import Response

from crawler.leases import AskedToWait, Lease, SourceBusy, SourceLock
from crawler.retry import MAX_BACKOFF, not_before, retry_after
from tests.crawler.conftest import documents
from tests.crawler.webserver import Asked, Reply


def overlaps(log: list[Asked]) -> int:
    ordered = sorted(log, key=lambda a: a.start)
    return sum(b.start < a.end for a, b in itertools.pairwise(ordered))


def slow(asked: Asked) -> Reply:
    return Reply(404, b"") if asked.path == "/robots.txt" else Reply(body=b"page", hang=0.02)


def test_two_sources_on_one_host_in_two_processes_take_turns(crawl: Any, web: Any) -> None:
    server = web(slow)
    plans = [documents(*(f"http://news.test/{s}/{i}" for i in range(15)), source=s) for s in ("one", "two")]
    first, second = crawl.start([plans[0]], server.proxy), crawl.start([plans[1]], server.proxy)
    assert len(crawl.end(first).got) == len(crawl.end(second).got) == 15
    assert overlaps(server.log) == 0
    order = [a.path.split("/")[1] for a in sorted(server.log, key=lambda a: a.start) if a.path.count("/") == 2]
    both = order[order.index("two" if order[0] == "one" else "one") :]
    # neither is starved: while both run, no process gets a long series (one that ends leaves the rest to the other)
    while both and both[-1] == both[-2]:
        both.pop()
    runs = "".join("a" if s == "one" else "b" for s in both)
    assert "aaaaaa" not in runs
    assert "bbbbbb" not in runs


def test_two_sources_on_one_host_in_one_process_take_turns_and_other_hosts_do_not_wait(crawl: Any, web: Any) -> None:
    server = web(slow)
    plans = [documents(*(f"http://news.test/{s}/{i}" for i in range(8)), source=s) for s in ("one", "two")]
    plans.append(documents(*(f"http://other.test/{i}" for i in range(8)), source="three", host="other.test"))
    crawl(plans, server.proxy)
    assert overlaps([a for a in server.log if a.host == "news.test"]) == 0
    assert overlaps(server.log) > 0


def test_the_pause_is_kept_from_end_to_start_across_processes(crawl: Any, web: Any) -> None:
    server = web(slow)
    plans = [documents(*(f"http://news.test/{s}/{i}" for i in range(2)), source=s, delay=0.3) for s in ("one", "two")]
    processes = [crawl.start([plan], server.proxy) for plan in plans]
    for process in processes:
        crawl.end(process)
    ordered = sorted(server.log, key=lambda a: a.start)
    assert len(ordered) == 6
    assert all(b.start - a.end >= 0.28 for a, b in itertools.pairwise(ordered))


def test_retry_after_is_honoured_by_every_request_to_the_host(crawl: Any, web: Any) -> None:
    said: list[float] = []

    def answer(asked: Asked) -> Reply:
        if asked.path == "/robots.txt":
            return Reply(404, b"")
        if asked.path == "/0" and not said:
            said.append(time.time())
            return Reply(429, b"", {"Retry-After": "2"})
        return Reply(body=b"page")

    server = web(answer)
    done = crawl([documents(*(f"http://news.test/{i}" for i in range(4)))], server.proxy)
    after = [a for a in server.log if a.start > said[0] + 0.001]
    assert len(done.got) == 4
    assert min(a.start for a in after) - said[0] >= 1.95
    assert [r["outcome"] for r in done.rows("select outcome from fetches where url like '%/0' order by id")] == [
        "rate-limited", "ok",
    ]  # fmt: skip


def test_a_host_that_asks_for_a_long_pause_is_left_alone_and_the_crawl_ends(crawl: Any, web: Any) -> None:
    def answer(asked: Asked) -> Reply:
        return Reply(404, b"") if asked.path == "/robots.txt" else Reply(503, b"", {"Retry-After": "3000"})

    server = web(answer)
    began = time.monotonic()
    done = crawl([documents(*(f"http://news.test/{i}" for i in range(5)))], server.proxy)
    assert time.monotonic() - began < 30
    assert len([p for p in server.paths() if p != "/robots.txt"]) == 1
    reasons = done.rows("select reason from fetches where outcome = 'rate-limited'")
    assert len(reasons) == 4
    assert all("left alone until" in r["reason"] for r in reasons)


def test_503_is_backed_off_from_and_asked_again(crawl: Any, web: Any) -> None:
    def answer(asked: Asked) -> Reply:
        return Reply(404, b"") if asked.path == "/robots.txt" else Reply(503, b"")

    server = web(answer)
    done = crawl([documents("http://news.test/a")], server.proxy)
    asked = [a for a in server.log if a.path == "/a"]
    gaps = [b.start - a.end for a, b in itertools.pairwise(asked)]
    assert len(asked) == 3
    assert gaps[0] >= 0.98
    assert gaps[1] >= 1.98
    assert done.rows("select state, attempts from entries") == [{"state": "new", "attempts": 1}]


@pytest.mark.parametrize(
    ("status", "asked_mirror"), [(503, True), (500, True), (403, False), (404, False), (412, False), (429, False)]
)
def test_a_mirror_is_asked_after_5xx_and_never_after_a_refusal(
    status: int, asked_mirror: bool, crawl: Any, web: Any
) -> None:
    def answer(asked: Asked) -> Reply:
        if asked.path == "/robots.txt":
            return Reply(404, b"")
        return Reply(status, b"") if asked.host == "news.test" else Reply(body=b"page")

    server = web(answer)
    plan = documents("http://news.test/a")
    plan["hosts"].append("mirror.test")
    plan["requests"][0]["mirrors"] = ["http://mirror.test/a"]
    crawl([plan], server.proxy, RETRY_TIMES=0)
    assert ("/a" in server.paths("mirror.test")) is asked_mirror


def test_a_mirror_is_asked_after_a_time_out(crawl: Any, web: Any) -> None:
    def answer(asked: Asked) -> Reply:
        if asked.path == "/robots.txt":
            return Reply(404, b"")
        return Reply(hang=30) if asked.host == "news.test" else Reply(body=b"page")

    server = web(answer)
    plan = documents("http://news.test/a", timeout=1)
    plan["hosts"].append("mirror.test")
    plan["requests"][0]["mirrors"] = ["http://mirror.test/a"]
    done = crawl([plan], server.proxy, RETRY_TIMES=0)
    assert done.got == ["http://mirror.test/a"]
    assert done.rows("select state from entries") == [{"state": "fetched"}]


def test_one_crawl_per_source_at_a_time(crawl: Any, web: Any, tmp_path: Path) -> None:
    server = web(slow)
    lock = SourceLock(tmp_path / "locks", "news")
    done = crawl([documents("http://news.test/a")], server.proxy)
    lock.close()
    assert server.paths() == []
    assert done.end("news")["state"] == "skipped"
    assert "another process" in done.rows("select reason from source_runs")[0]["reason"]
    assert done.status == 1


def test_the_honest_agent_is_sent_and_no_other(crawl: Any, web: Any) -> None:
    server = web(slow)
    crawl([documents("http://news.test/a")], server.proxy)
    assert {a.headers["user-agent"] for a in server.log} == {"circularwatch/0.1 (+tests@example.org)"}
    assert {a.headers.get("accept-language") for a in server.log} == {"zh-CN"}
    assert not any("cookie" in a.headers for a in server.log)


# ------------------------------------------------------------------------------------------ the lease by itself


def test_a_second_crawl_of_a_source_is_told_who_holds_it(tmp_path: Path) -> None:
    lock = SourceLock(tmp_path, "nfra")
    with pytest.raises(SourceBusy, match=r"nfra is being crawled by another process \(process \d+\)"):
        SourceLock(tmp_path, "nfra")
    lock.close()
    SourceLock(tmp_path, "nfra").close()


def _hold_and_die(folder: str) -> None:
    async def take() -> None:
        await Lease(Path(folder), "a.test").take(0, 10)

    asyncio.run(take())
    import os

    os._exit(9)


def test_a_process_that_dies_holds_nothing_but_its_pause_stands(tmp_path: Path) -> None:
    process = multiprocessing.get_context("spawn").Process(target=_hold_and_die, args=(str(tmp_path),))
    process.start()
    process.join()

    async def take() -> float:
        lease = Lease(tmp_path, "a.test")
        began = time.time()
        await lease.take(1.5, 10)
        lease.give_back()
        return began

    last = _value(tmp_path)[0]
    asyncio.run(take())
    assert _value(tmp_path)[0] - last >= 1.49


def _value(folder: Path) -> tuple[float, float]:
    from crawler.leases import VALUE

    return VALUE.unpack((folder / "a.test.lock").read_bytes())


def test_waiting_in_one_process_is_first_come_first_served(tmp_path: Path) -> None:
    async def run() -> list[int]:
        lease, order = Lease(tmp_path, "a.test"), []

        async def one(i: int) -> None:
            await lease.take(0, 10)
            order.append(i)
            await asyncio.sleep(0.001)
            lease.give_back()

        await asyncio.gather(*(one(i) for i in range(20)))
        return order

    assert asyncio.run(run()) == list(range(20))


def test_a_lease_that_is_cancelled_while_it_waits_is_free_again(tmp_path: Path) -> None:
    async def run() -> None:
        lease, other = Lease(tmp_path, "a.test"), Lease(tmp_path, "a.test")
        await lease.take(0, 10)
        waiting = asyncio.create_task(other.take(0, 10))
        await asyncio.sleep(0.05)
        waiting.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await waiting
        lease.give_back()
        await asyncio.wait_for(other.take(0, 10), 5)
        other.give_back()
        resting = asyncio.create_task(lease.take(60, 10))
        await asyncio.sleep(0.05)
        resting.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await resting
        await asyncio.wait_for(other.take(0, 10), 5)

    asyncio.run(run())


def test_a_wish_beyond_patience_is_an_answer_not_a_wait(tmp_path: Path) -> None:
    async def run() -> None:
        lease = Lease(tmp_path, "a.test")
        await lease.take(0, 10)
        lease.give_back(time.time() + 500)
        with pytest.raises(AskedToWait, match=r"a\.test asked to be left alone until 20"):
            await Lease(tmp_path, "a.test").take(0, 10)

    asyncio.run(run())


@pytest.mark.parametrize("damaged", [b"", b"\xff" * 16, b"abc", b"\x00" * 40])
def test_a_damaged_lock_file_or_a_clock_set_back_holds_nobody_up(damaged: bytes, tmp_path: Path) -> None:
    (tmp_path / "a.test.lock").write_bytes(damaged)

    async def run() -> None:
        await asyncio.wait_for(Lease(tmp_path, "a.test").take(5, 10), 2)

    asyncio.run(run())


# ------------------------------------------------------------------------------------------ Retry-After


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("120", 120.0),
        (" 7 ", 7.0),
        ("0", 0.0),
        ("99999999", 86_400.0),
        ("Wed, 21 Oct 2015 07:28:10 GMT", 10.0),
        ("Wed, 21 Oct 2015 07:27:00 GMT", None),
        ("soon", None),
        ("-5", None),
        ("", None),
    ],
)
def test_retry_after_as_number_or_date(value: str, seconds: float | None) -> None:
    response = Response("http://a.test/", status=503, headers={"Retry-After": value})
    assert retry_after(response, now=1445412480.0) == seconds


def test_back_off_doubles_and_has_an_end() -> None:
    response = Response("http://a.test/", status=429)
    waits = []
    for times in range(12):
        request = Request("http://a.test/", meta={"retry_times": times})
        waits.append(not_before(request, "rate-limited", response) - time.time())
    assert 0.9 <= waits[0] <= 1.3
    assert 1.9 <= waits[1] <= 2.5
    assert max(waits) <= MAX_BACKOFF * 1.2 + 0.1
    assert not_before(Request("http://a.test/"), "not-found", Response("http://a.test/", status=404)) == 0
