"""The service by its commands, with real crawls on the imitation web: orders, kill -9 of each part, a clean end."""

from __future__ import annotations

import json
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from tests.house.house import House
from tests.house.service import Service, done, rows, two_at_once
from tests.web import ImitationWeb, overlaps

ONLY = ("ndrc_zcfb", "pboc_lists", "trulynews")
FAST = ("--every", "4", "--only", ",".join(ONLY))
# What the commands promise, and some room for a machine that does other things too.
PROMISED_S, ROOM_S = 15.0, 10.0


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    with ImitationWeb(filler=True) as web:
        yield House(web, tmp_path)


@pytest.fixture
def services() -> Iterator[list[Service]]:
    started: list[Service] = []
    yield started
    for service in started:
        service.clear_away()


def start(services: list[Service], house: House, *args: str) -> Service:
    services.append(Service(house, *args))
    return services[-1]


def each_done(house: House, times: int) -> bool:
    counts = done(house)
    return all(counts.get(name, 0) >= times for name in ONLY)


@pytest.mark.slow
def test_up_crawls_reads_answers_orders_and_ends_clean(house: House, services: list[Service]) -> None:
    service = start(services, house, "up", "--port", "0", *FAST)
    service.wait(lambda: each_done(house, 2), "two crawls of each source")
    service.wait(lambda: len(rows(house, "select 1 from documents")) > 40, "documents")

    seen = json.loads(house.run("schedule", "status", "--json").stdout)
    assert seen["scheduler"]["pid"] in {p.pid for p in service.family()}
    by_source = {row["source"]: row for row in seen["sources"]}
    assert all(by_source[name]["next_at"] for name in ONLY)

    # a part of it cannot be had twice
    assert "already" in house.run("up", *FAST, status=1).stderr
    assert "already" in house.run("schedule", *FAST, status=1).stderr

    paused = house.run("schedule", "pause", "trulynews", "--why", "moving house")
    assert "trulynews: paused" in paused.stdout
    assert paused.stderr == ""
    service.wait(lambda: rows(house, "select 1 from source_runs where outcome = 'paused'"), "a crawl left out")
    before = done(house)["trulynews"]
    answer = house.run("schedule", "run", "trulynews").stdout
    assert "begun" in answer or "waits" in answer or "still" in answer
    service.wait(lambda: done(house)["trulynews"] > before, "the crawl that was asked for")
    assert "moving house" in house.run("schedule", "status", "trulynews").stdout
    house.run("schedule", "resume", "--all")
    resumed = done(house)["trulynews"]
    service.wait(lambda: done(house)["trulynews"] > resumed, "a crawl after resume")

    status, seconds = service.stop()
    assert status == 0, service.said()
    assert seconds < PROMISED_S + ROOM_S, service.said()
    assert rows(house, "select * from source_runs where state = 'running'") == []
    assert two_at_once(house) == []
    assert overlaps(house.web.log()) == []
    assert "unexpected" not in service.said()
    assert "Traceback" not in service.said()
    health = house.run("sources", "health", "--json", *ONLY).stdout.splitlines()
    assert {json.loads(line)["state"] for line in health} == {"fine"}


def killed_and_again(service: Service, services: list[Service], house: House) -> Service:
    """kill -9 a scheduler in the middle of crawls, and start the next one at once."""
    running = "select id from source_runs where state = 'running'"
    service.wait(lambda: service.crawls() and rows(house, running), "a crawl")
    crawls = service.crawls()
    service.process.kill()
    service.process.wait()
    left = {row["id"] for row in rows(house, running)}
    following = start(services, house, "schedule", "--no-process", *FAST)
    _, alive = psutil.wait_procs(crawls, timeout=30)
    assert not alive, "a crawl went on without its scheduler"
    following.wait(lambda: "sources are scheduled" in following.said(), "the plan")
    assert not left & {row["id"] for row in rows(house, running)}, "the ledger says that the dead are running"
    return following


@pytest.mark.slow
def test_the_scheduler_alone_is_killed_while_it_crawls(house: House, services: list[Service]) -> None:
    """kill -9: its crawls end by themselves, the next one starts each source once, and the ledger says what happened."""
    house.web.fault("https://www.ndrc.gov.cn/*", delay=0.4)
    service = start(services, house, "schedule", "--no-process", *FAST)
    for _ in range(3):
        service = killed_and_again(service, services, house)
    house.web.clear_faults()
    finished = done(house)
    service.wait(
        lambda: all(done(house).get(n, 0) >= finished.get(n, 0) + 1 for n in ONLY), "a whole crawl of each source"
    )
    assert two_at_once(house) == []
    assert overlaps(house.web.log()) == []
    ended = rows(house, "select state, reason from source_runs where state in ('killed', 'stopped')")
    assert ended
    assert all(row["reason"] for row in ended)
    service.stop()


@pytest.mark.slow
def test_a_part_that_dies_is_started_again_and_said_so(house: House, services: list[Service]) -> None:
    service = start(services, house, "up", "--no-serve", *FAST)
    service.wait(lambda: each_done(house, 1), "a crawl of each source")
    for words, name in ((("process", "--follow"), "process"), (("schedule", "--no-process"), "schedule")):
        victim = service.part("crawler.schedule.part", *words)
        assert victim is not None
        victim.kill()
        service.wait(lambda name=name: f"{name} was ended by signal 9" in service.said(), f"word of {name}'s end")
        service.wait(
            lambda words=words, old=victim: (p := service.part("crawler.schedule.part", *words)) and p.pid != old.pid,
            f"{name} again",
        )
    before = done(house)
    service.wait(lambda: all(done(house)[n] > before[n] for n in ONLY), "crawls afterwards")
    house.web.add_document(
        {
            "key": "after-the-kill", "sites": [{"source": "pboc_lists", "section": "新闻发布"}], "language": "zh",
            "title": "人民银行部署技术改造再贷款发放工作", "days_ago": 0, "outlet": "中国人民银行",
            "body": "人民银行要求银行向制造企业发放技术改造贷款，首批签约三十亿元，用于更新机床。",
        }
    )  # fmt: skip
    service.wait(
        lambda: rows(house, "select 1 from documents where title = '人民银行部署技术改造再贷款发放工作'"),
        "the new document",
    )
    assert two_at_once(house) == []
    assert service.stop()[0] == 0


@pytest.mark.slow
def test_the_whole_service_is_killed(house: House, services: list[Service]) -> None:
    """kill -9 of `up`: no part goes on without it, and the next `up` takes over at once."""
    service = start(services, house, "up", "--no-serve", *FAST)
    service.wait(lambda: service.crawls() and each_done(house, 1), "crawls")
    family = service.family()
    service.process.kill()
    service.process.wait()
    _, alive = psutil.wait_procs(family, timeout=40)
    assert not alive, [p.cmdline() for p in alive if p.is_running()]
    before = done(house)
    again = start(services, house, "up", "--no-serve", *FAST)
    again.wait(lambda: all(done(house)[n] > before[n] for n in ONLY), "crawls of the next service")
    assert rows(house, "select * from source_runs where state = 'killed' and reason = ''") == []
    assert two_at_once(house) == []
    assert again.stop()[0] == 0
    assert house.run("doctor", status=None).stdout.count("bad ") == 0


@pytest.mark.slow
def test_trouble_is_told_and_shown(house: House, services: list[Service]) -> None:
    house.extra["CIRCULARWATCH_ALERTS_TO"] = "ops@example.org"
    house.run("crawl", "trulynews", "pboc_lists")
    house.web.fault("https://www.pbc.gov.cn/*", status=403)
    house.web.fault("http://www.pbc.gov.cn/*", status=403)
    service = start(services, house, "up", "--no-serve", *FAST)
    event = service.wait(lambda: rows(house, "select * from source_events where source = 'pboc_lists'"), "an event")[0]
    assert event["kind"] == "refused"
    assert event["closed_at"] is None
    message = service.wait(lambda: rows(house, "select * from alert_messages where kind = 'silence'"), "a message")[0]
    assert message["recipient"] == "mail:ops@example.org"
    shown = [json.loads(line) for line in house.run("sources", "health", "--json", "pboc_lists").stdout.splitlines()]
    assert shown[0]["events"][0]["reason"] == rows(house, "select reason from source_events")[0]["reason"]
    assert "refused" in house.run("sources", "health", "--trouble").stdout
    house.web.clear_faults()
    service.wait(lambda: rows(house, "select 1 from source_events where closed_at is not null"), "the end of the event")
    service.wait(
        lambda: len(rows(house, "select 1 from alert_messages where kind = 'silence'")) == 2, "word of the end"
    )
    service.stop()


def test_orders_without_a_scheduler_say_so(house: House) -> None:
    assert "circularwatch crawl nfra" in house.run("schedule", "run", "nfra", status=1).stderr
    kept = house.run("schedule", "pause", "nfra", "--why", "moving house")
    assert "no scheduler is running" in kept.stderr
    status = house.run("schedule", "status", "nfra")
    assert "moving house" in status.stdout
    assert "no scheduler is running" in status.stderr
    row = json.loads(house.run("schedule", "status", "--json", "nfra").stdout)
    assert row["scheduler"] is None
    assert row["sources"][0]["state"] == "paused"
    assert "nfra: resumed" in house.run("schedule", "resume", "nfra").stdout


@pytest.mark.parametrize(("words", "says"), [
    (("schedule", "run"), "--all"), (("schedule", "pause", "nrfa"), "did you mean 'nfra'"), (("schedule", "pause", "nfra", "--all"), "not both"),
    (("up", "--only", "nrfa"), "did you mean 'nfra'"), (("schedule", "--only", "nfra_big5"), "no source"),
])  # fmt: skip
def test_wrong_words_are_refused(house: House, words: tuple[str, ...], says: str) -> None:
    assert says in house.run(*words, status=2).stderr


def test_short_intervals_are_for_the_imitation_only(house: House) -> None:
    house.extra |= {"CIRCULARWATCH_PROXY": "", "CIRCULARWATCH_CA_FILE": ""}
    assert "--every is for trying" in house.run("up", *FAST, status=2).stderr
    house.extra["CIRCULARWATCH_CONTACT"] = ""
    assert "contact" in house.run("up", status=2).stderr


@pytest.mark.slow
def test_the_pages_are_served(house: House, services: list[Service]) -> None:
    import socket

    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    service = start(services, house, "up", "--port", str(port), *FAST)
    direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))

    def page() -> str:
        try:
            with direct.open(f"http://127.0.0.1:{port}/", timeout=20) as answer:
                return str(answer.read().decode("utf-8"))
        except OSError:
            return ""

    assert "circularwatch" in service.wait(page, "a page")
    began = time.monotonic()
    status, _ = service.stop()
    assert status == 0, service.said()
    assert time.monotonic() - began < PROMISED_S + ROOM_S
