"""Keeps the parts of the service alive: scheduler, processor, sender, Datasette. One that dies is started again and said so."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from crawler.schedule.children import has_ended, let_go
from crawler.schedule.talk import Talk
from crawler.schedule.watch import ConfigWatch

# The whole service has ended so many seconds after SIGTERM: what is still there then is killed, which loses nothing.
STOP_S = 15.0
KILL_AFTER_S = 14.0
# A part that dies is started again after 1, 2, 4 … 60 s; one that lived this long begins with 1 s again.
FIRST_BACKOFF_S, LAST_BACKOFF_S, STEADY_S = 1.0, 60.0, 120.0
CONFIG_S = 2.0


@dataclass(slots=True)
class Part:
    """One part: its name, its command line after `circularwatch`, and whether it watches the configuration itself (else a
    changed one restarts it)."""

    name: str
    words: list[str]
    watches: bool = False
    process: asyncio.subprocess.Process | None = None
    began: float = 0.0
    deaths: int = 0
    wanted_end: bool = False
    said: deque[str] = field(default_factory=lambda: deque(maxlen=3))


class Supervisor:
    """Runs parts until it is told to stop. `run()` gives the exit status: 1 if a part had to be killed at the end."""

    def __init__(self, parts: Sequence[Part], config: Any, env: dict[str, str], talk: Talk) -> None:
        self.parts, self.config, self.env, self.talk = list(parts), config, env, talk
        self.stopping = asyncio.Event()
        self.status = 0

    async def run(self) -> int:
        """Start all parts, keep them, end them."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, self.stopping.set)
        loop.add_signal_handler(signal.SIGHUP, self._hangup)
        # the scheduler says what is wrong with a changed one
        self.watch = ConfigWatch(self.config, self.env, lambda text: None, "up")
        keepers = [asyncio.create_task(self._keep(part), name=part.name) for part in self.parts]
        watcher = asyncio.create_task(self._watch())
        try:
            await self.stopping.wait()
        finally:
            watcher.cancel()
            await self._end(keepers)
            self.watch.close()
        self.talk("stopped", event="stopped", part="up")
        return self.status

    # ------------------------------------------------------------------ one part

    async def _keep(self, part: Part) -> None:
        while not self.stopping.is_set():
            part.began, part.wanted_end = time.monotonic(), False
            try:
                status = await self._live(part)
            except OSError as e:
                status = None
                part.said.append(f"could not be started: {os.strerror(e.errno or 0)}")
            if self.stopping.is_set():
                return
            if part.wanted_end:
                part.deaths = 0
                continue
            part.deaths = 1 if time.monotonic() - part.began > STEADY_S else part.deaths + 1
            pause = min(FIRST_BACKOFF_S * 2 ** (part.deaths - 1), LAST_BACKOFF_S)
            how = (
                "could not start"
                if status is None
                else f"was ended by signal {-status}"
                if status < 0
                else f"ended with status {status}"
            )
            last = f": {part.said[-1]}" if part.said else ""
            self.talk(
                f"{part.name} {how}{last}; started again in {pause:g} s",
                event="restart", part=part.name, status=status, deaths=part.deaths, pause_s=pause,
            )  # fmt: skip
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self.stopping.wait(), pause)

    async def _live(self, part: Part) -> int:
        """Start a part and stay with it until it ends."""
        # The scheduler watches the real files itself; the others begin with the last good configuration.
        own = {} if part.watches else self.watch.environment()
        part.process = process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "crawler.schedule.part", *part.words,
            stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
            start_new_session=True, env=os.environ | {"PYTHONUNBUFFERED": "1", "PYTHONSAFEPATH": "1"} | own,
            cwd=self.watch.copy if own else None,
            limit=4 * 1024 * 1024,
        )  # fmt: skip
        self.talk(f"{part.name}: process {process.pid}", event="started", part=part.name, pid=process.pid)
        reader = asyncio.create_task(self._pass_on(part, process.stdout))
        if self.stopping.is_set():
            self._ask(part)
        status = await has_ended(process)
        # workers of a part that was killed may hold the pipe for a moment
        await asyncio.wait({reader}, timeout=1.0)
        reader.cancel()
        let_go(process)
        return status

    async def _pass_on(self, part: Part, stream: asyncio.StreamReader | None) -> None:
        assert stream is not None
        while True:
            try:
                line = await stream.readline()
            except ValueError:
                continue
            if not line:
                return
            text = line.decode("utf-8", "replace").rstrip()
            if text:
                part.said.append(text.removeprefix("circularwatch: "))
                self._line(part, text)

    def _line(self, part: Part, text: str) -> None:
        """What a part says: its own JSON lines go on as they are, everything else gets its name."""
        if self.talk.as_json and text.startswith("{"):
            print(text, flush=True)
        else:
            self.talk(f"{part.name}: {_without_clock(text)}", event="log", part=part.name)

    def _ask(self, part: Part, number: int = signal.SIGTERM) -> None:
        if part.process is not None and part.process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                part.process.send_signal(number)

    # ------------------------------------------------------------------ configuration

    async def _watch(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            await asyncio.sleep(CONFIG_S)
            if await loop.run_in_executor(None, self.watch.look) is not None:
                self._take_over(hangup=False)

    def _hangup(self) -> None:
        """SIGHUP: every part reads its configuration again, changed or not."""
        if self.watch.look(force=True) is None:
            self.talk("the configuration has a fault; the old one stays", event="config")
        else:
            self._take_over(hangup=True)

    def _take_over(self, *, hangup: bool) -> None:
        names = [p.name for p in self.parts if not p.watches]
        if names:
            self.talk(f"the configuration was read again: {', '.join(names)} start anew with it", event="config")
        for part in self.parts:
            if not part.watches:
                part.wanted_end = True
                self._ask(part)
            elif hangup:
                self._ask(part, signal.SIGHUP)

    # ------------------------------------------------------------------ end

    async def _end(self, keepers: list[asyncio.Task[None]]) -> None:
        self.talk(f"stopping, within {STOP_S:g} s", event="stopping", part="up")
        for part in self.parts:
            self._ask(part)
        _, late = await asyncio.wait(keepers, timeout=KILL_AFTER_S)
        for part in self.parts:
            if part.process is not None and part.process.returncode is None:
                self.status = 1
                self.talk(
                    f"{part.name} did not end in time and is killed; nothing is lost", event="killed", part=part.name
                )
                with contextlib.suppress(ProcessLookupError):
                    part.process.kill()
        if late:
            await asyncio.wait(late, timeout=2.0)


def _without_clock(text: str) -> str:
    """A line of a part that has the time already, without it."""
    head = text[:15]
    return text[15:] if len(head) == 15 and head[2] == "-" and head[8] == ":" and head[11] == ":" else text


# ---------------------------------------------------------------------- what a service is made of


def parts_of(
    config: Any, every: float | None, only: tuple[str, ...], *, sender: bool, port: int | None, as_json: bool,
    db_path: Path | None = None, config_dir: Path | None = None,
) -> list[Part]:  # fmt: skip
    """The parts of a service: scheduler and processor always, sender and Datasette (`port`) where they are wanted."""
    # --db and --config were taken over into the environment of the parts; the scheduler gets them as they were given
    words = ["schedule", "--no-process"]
    words += [*(["--db", str(db_path)] if db_path else []), *(["--config", str(config_dir)] if config_dir else [])]
    words += ["--every", str(every)] if every else []
    words += ["--only", ",".join(only)] if only else []
    parts = [
        Part("schedule", words + (["--json"] if as_json else []), watches=True),
        Part("process", ["process", "--follow", "--wait"]),
    ]
    if sender:
        parts.append(Part("sender", ["alerts", "send", "--follow"]))
    if port is not None:
        parts.append(Part("serve", ["serve", "--port", str(port)]))
    return parts


def supervise(parts: list[Part], config: Any, env: dict[str, str], *, as_json: bool) -> int:
    """Run these parts until Ctrl-C or SIGTERM; gives the exit status."""

    async def main() -> int:
        return await Supervisor(parts, config, env, Talk(config.settings.timezone, as_json=as_json)).run()

    return asyncio.run(main())
