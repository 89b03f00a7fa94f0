"""The service for some real minutes on an imitation web that changes, fails and refuses; then kill -9, and again.

`python -m tests.house.soak --minutes 10` says at the end what was checked: the ledger, documents, mails, memory, manners,
the clean stop. Exit status 1 when anything was not as it should be.
"""

from __future__ import annotations

import argparse
import contextlib
import itertools
import os
import random
import socket
import sys
import tempfile
import threading
import time
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path

import psutil

from tests.house.house import House
from tests.house.service import Service, done, rows, two_at_once
from tests.web import ImitationWeb, overlaps

SOURCES = ("nfra", "ndrc_zcfb", "pboc_lists", "trulynews", "mof_zcfb", "csrc_yw", "safe_zcfg", "mofcom_zcfb", "govcn_zuixin",
           "xinhua_zh", "stcn_list", "chinadaily_business")  # fmt: skip
# sources that are given new documents: (source, section, host)
NEWS = (("pboc_lists", "新闻发布"), ("trulynews", ""), ("ndrc_zcfb", "通知"))
# What becomes of hosts in turn; each for a while, then mended.
FATES = (
    ("https://www.pbc.gov.cn/*", {"status": 403}), ("https://www.csrc.gov.cn/*", {"status": 503}),
    ("https://www.mof.gov.cn/*", {"hang": True}), ("https://www.safe.gov.cn/*", {"reset": True}),
    ("https://www.stcn.com/*", {"delay": 2.0}), ("https://www.chinadaily.com.cn/*", {"truncate": 0.5}),
)  # fmt: skip
# The service may grow by so much between the first third and the end, over all its lasting processes together.
GROWTH_MB = 60.0
STOP_S = 20.0


class MailServer(threading.Thread):
    """Takes every mail on loopback; just enough SMTP for a client that has no wishes."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.port = self.socket.getsockname()[1]
        self.mails: list[EmailMessage] = []

    def run(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self.socket.accept()
                threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        with contextlib.suppress(OSError), connection, connection.makefile("rwb") as stream:

            def say(text: str) -> None:
                stream.write(text.encode() + b"\r\n")
                stream.flush()

            say("220 soak")
            while line := stream.readline():
                word = line[:4].upper()
                if word == b"DATA":
                    say("354 go on")
                    body = bytearray()
                    while (row := stream.readline()) not in (b".\r\n", b""):
                        body += row[1:] if row.startswith(b"..") else row
                    mail = message_from_bytes(bytes(body), policy=policy.default)
                    assert isinstance(mail, EmailMessage)
                    self.mails.append(mail)
                    say("250 taken")
                elif word == b"QUIT":
                    say("221 bye")
                    return
                else:
                    say("250 ok")


@dataclass
class Soak:
    """One soak: the house, its web, what is found."""

    house: House
    mails: MailServer
    rng: random.Random
    every: float
    faults: list[str] = field(default_factory=list)
    added: list[str] = field(default_factory=list)
    memory: list[tuple[float, float]] = field(default_factory=list)
    began: float = field(default_factory=time.monotonic)
    numbers: itertools.count = field(default_factory=lambda: itertools.count(1))

    def check(self, good: object, words: str) -> None:
        print(f"{'ok ' if good else 'BAD'} {words}", flush=True)
        if not good:
            self.faults.append(words)

    def start(self) -> Service:
        return Service(
            self.house, "up", "--port", str(free_port()), "--every", str(self.every), "--only", ",".join(SOURCES)
        )

    def live(self, service: Service, seconds: float) -> None:
        """Let it run while the web changes, fails and refuses."""
        until = time.monotonic() + seconds
        fates = itertools.cycle(FATES)
        # trouble is believed after three bad runs in a row, and told an interval later
        turn = max(6 * self.every, seconds / 4)
        next_fate, next_news = time.monotonic() + 10, time.monotonic() + 5
        while time.monotonic() < until:
            if service.process.poll() is not None:
                self.check(False, f"the service ended by itself: {service.said()[-2000:]}")
                return
            if time.monotonic() > next_fate:
                self.house.web.clear_faults()
                if until - time.monotonic() > turn:
                    for pattern, fate in itertools.islice(fates, 3):
                        self.house.web.fault(pattern, **fate)
                next_fate = time.monotonic() + turn
            if time.monotonic() > next_news and until - time.monotonic() > 2 * self.every:
                self.add()
                next_news = time.monotonic() + self.rng.uniform(4, 12)
            self.memory.append((time.monotonic() - self.began, memory_mb(service)))
            time.sleep(1.0)
        self.house.web.clear_faults()

    def add(self) -> None:
        number = next(self.numbers)
        source, section = self.rng.choice(NEWS[:1])
        title = f"中国信保扩大出口信用保险承保规模支持制造业外贸（第{number}批）"
        self.house.web.add_document(
            {
                "key": f"soak-{number}", "sites": [{"source": source, "section": section}], "language": "zh",
                "title": title, "days_ago": 0, "outlet": "中国人民银行",
                "body": f"中国信保第{number}批扩大出口信用保险承保规模，支持制造业企业开拓国际市场，并为外贸企业提供保单融资。",
            }
        )  # fmt: skip
        self.added.append(title)

    def settle(self, service: Service, what: str) -> None:
        """After a while without faults everything that was published is there, and every source was read again."""
        before = done(self.house)
        service.wait(
            lambda: all(done(self.house).get(n, 0) >= before.get(n, 0) + 2 for n in SOURCES), f"{what}: crawls of all"
        )
        service.wait(
            lambda: not rows(self.house, "select 1 from fetches where state = 'pending'"), f"{what}: nothing pending"
        )

    def judge(self, what: str) -> None:
        """The ledger, the documents, manners."""
        house = self.house
        titles = {row["title"] for row in rows(house, "select title from documents")}
        missing = [t for t in self.added if t not in titles]
        self.check(
            not missing, f"{what}: {len(self.added)} documents were published meanwhile, {len(missing)} are missing"
        )
        states = {
            r["state"]: r["n"] for r in rows(house, "select state, count(*) as n from source_runs group by state")
        }
        self.check(True, f"{what}: runs {states}")
        self.check(not two_at_once(house), f"{what}: never two crawls of one source at once")
        nameless = rows(house, "select id from source_runs where state not in ('done', 'running') and reason = ''")
        self.check(not nameless, f"{what}: every run that was not done says why")
        unplanned = rows(house, "select id from source_runs where planned_at is null")
        self.check(not unplanned, f"{what}: every run says when it was due")
        pairs = overlaps(house.web.log())
        self.check(not pairs, f"{what}: {len(house.web.log())} requests, none beside another on one host")
        twice = rows(
            house, "select source, kind from source_events where closed_at is null group by source having count(*) > 1"
        )
        self.check(not twice, f"{what}: no source has two open events")

    def judge_mails(self) -> None:
        events = rows(self.house, "select * from source_events")
        told = [m for m in self.mails.mails if "circularwatch:" in str(m["subject"])]
        self.check(events, f"trouble was noticed: {sorted({(e['source'], e['kind']) for e in events})}")
        sent = rows(self.house, "select count(*) as n from alert_messages where kind = 'silence' and state = 'sent'")[
            0
        ]["n"]
        self.check(sent == len(told) or not told, f"{sent} notices of trouble were sent, {len(told)} arrived")
        self.check(told, "the operators were told of trouble")
        alerts = rows(
            self.house, "select state, count(*) as n from alert_messages where kind != 'silence' group by state"
        )
        self.check(
            alerts and {r["state"] for r in alerts} == {"sent"},
            f"alerts by state: {alerts}; {len(self.mails.mails)} mails in all",
        )
        # many finds at once are one mail, so titles are looked for in all of it; those of a source's first run are told in
        # the next morning's summary
        words = [str(m["subject"]) + text_of(m) for m in self.mails.mails]
        found = {r["title"]: r["reason"] for r in rows(
            self.house, "select title, reason from alert_matches m join documents d on d.id = m.document")}  # fmt: skip
        unmatched = [t for t in self.added if t not in found]
        self.check(not unmatched, f"{len(self.added)} new documents, {len(unmatched)} of them without an alert")
        due = [t for t in self.added if found.get(t) == "new"]
        unheard = [t for t in due if not any(t in w for w in words)]
        self.check(
            due and not unheard, f"{len(due) - len(unheard)} of {len(due)} alerts that were due at once arrived by mail"
        )
        keys = [str(m["X-Circularwatch-Key"]) for m in self.mails.mails]
        self.check(len(keys) == len(set(keys)) or not any(keys), "no mail came twice")
        closed = rows(self.house, "select count(*) as n from source_events where closed_at is null")[0]["n"]
        self.check(closed == 0, f"every event is over at the end ({closed} open)")

    def judge_memory(self, seconds: float) -> None:
        third = [mb for at, mb in self.memory if seconds / 4 < at < seconds / 2]
        late = [mb for at, mb in self.memory if at > seconds * 3 / 4]
        if not third or not late:
            return
        early_mb, late_mb = sorted(third)[len(third) // 2], sorted(late)[len(late) // 2]
        self.check(
            late_mb - early_mb < GROWTH_MB, f"memory of the lasting parts: {early_mb:.0f} MB, later {late_mb:.0f} MB"
        )


def text_of(mail: EmailMessage) -> str:
    """The plain text of a mail, on one line as it was written."""
    body = mail.get_body(("plain", "html"))
    return str(body.get_content()) if body is not None else ""


def memory_mb(service: Service) -> float:
    """Resident memory of all processes that last: crawls come and go."""
    total = 0.0
    for process in [psutil.Process(service.process.pid), *service.family()]:
        with contextlib.suppress(psutil.Error):
            if "crawler.run" not in process.cmdline():
                total += process.memory_info().rss / 2**20
    return total


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def soak(minutes: float, every: float, seed: int) -> int:
    """Run it; gives the exit status."""
    mails = MailServer()
    mails.start()
    with tempfile.TemporaryDirectory(prefix="soak-") as folder, ImitationWeb(filler=True) as web:
        house = House(web, Path(folder), {
            "CIRCULARWATCH_ALERTS_TO": "ops@example.org", "CIRCULARWATCH_SMTP_URL": f"smtp://127.0.0.1:{mails.port}",
        })  # fmt: skip
        it = Soak(house, mails, random.Random(seed), every)
        service = it.start()
        try:
            it.live(service, minutes * 60)
            it.settle(service, "first")
            it.judge("first")
            it.judge_memory(minutes * 60)
            family = service.family()
            service.process.kill()
            service.process.wait()
            _, alive = psutil.wait_procs(family, timeout=40)
            it.check(not alive, f"after kill -9 of the service, all {len(family)} processes ended by themselves")
            service = it.start()
            it.live(service, max(45.0, minutes * 20))
            it.settle(service, "second")
            it.judge("second, after kill -9")
            it.judge_mails()
            status, seconds = service.stop()
            it.check(status == 0 and seconds < STOP_S, f"a clean stop: status {status} after {seconds:.1f} s")
            it.check(
                "Traceback" not in service.said() and "unexpected" not in service.said(),
                "no fault of its own in what it said",
            )
            doctor = house.run("doctor", "--thorough", status=None)
            it.check(doctor.returncode == 0, f"doctor: {doctor.stderr.strip()}")
            if doctor.returncode:
                print(doctor.stdout)
        except AssertionError as e:
            it.check(False, str(e))
        finally:
            service.clear_away()
            if it.faults and (keep := os.environ.get("SOAK_KEEP")):
                import shutil

                shutil.copytree(folder, keep, dirs_exist_ok=True)
        print(f"{len(it.faults)} faults after {(time.monotonic() - it.began) / 60:.1f} minutes", flush=True)
        return 1 if it.faults else 0


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m tests.house.soak", description=__doc__)
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument(
        "--every", type=float, default=0.0, help="interval in seconds (default: by the number of cores)"
    )
    parser.add_argument("--seed", type=int, default=20261125)
    options = parser.parse_args()
    if options.minutes < 3:
        parser.error("less than three minutes is too short for trouble to be believed and for memory to have settled")
    # a crawl costs about two CPU seconds to begin: twelve sources on two cores cannot come round faster than this
    sys.exit(soak(options.minutes, options.every or max(8.0, 48.0 / (os.cpu_count() or 2)), options.seed))
