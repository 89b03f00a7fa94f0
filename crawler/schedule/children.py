"""One crawl of one source in a process of its own, with bounds of time and memory; it cannot outlive its scheduler."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import sys
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

# A crawl that is asked to end does so within ten seconds (crawler.run.STOP_S); after this it is killed.
STOP_S = 12.0
# The last words of a crawl that are kept to explain its end.
LAST_LINES = 30
# A site that makes a spider complain of every page must not fill the log of the service.
MOST_LINES = 100
# How a process says that its address space is used up: in Python, in the system's calls, when a library is loaded.
NO_MEMORY = ("MemoryError", "Cannot allocate memory", "failed to map segment", "can't start new thread")


@dataclass(frozen=True, slots=True)
class Bounds:
    """What a crawl may take: seconds from start to end, and megabytes of address space."""

    seconds: float = 3600.0
    memory_mb: int = 2048


@dataclass(slots=True)
class End:
    """How a crawl ended. `run` is its row in the ledger, "" if it never had one; `told` is its own closing line."""

    source: str
    status: int
    seconds: float
    run: str = ""
    told: dict[str, Any] = field(default_factory=dict)
    stopped_for: str = ""
    log: tuple[str, ...] = ()

    @property
    def reason(self) -> str:
        """Why a crawl that did not report ended, in words."""
        if self.stopped_for:
            return self.stopped_for
        if any(sign in line for sign in NO_MEMORY for line in self.log):
            return "it needed more memory than crawl_memory_mb allows"
        last = next((line for line in reversed(self.log) if line.strip()), "")
        said = f": {last.removeprefix('circularwatch: ')[:300]}" if last else ""
        if self.status < 0:
            return f"its process was ended by signal {signal.Signals(-self.status).name}{said}"
        return f"its process ended with status {self.status} before it could begin{said}"


class Crawl:
    """A crawl under way. `await run()` starts it and gives its End; `stop()` asks it to end."""

    def __init__(self, source: str, command: list[str], bounds: Bounds, log: Callable[[str], None]) -> None:
        self.source, self.command, self.bounds, self.log = source, command, bounds, log
        self.began = time.monotonic()
        self.env: dict[str, str] = {}
        self.folder: Path | None = None
        self.run_id = ""
        self.pid: int | None = None
        self._process: asyncio.subprocess.Process | None = None
        self._told: dict[str, Any] = {}
        self._stopped_for = ""
        self._passed = 0
        self._lines: deque[str] = deque(maxlen=LAST_LINES)

    async def run(self) -> End:
        """Raises OSError when the process cannot be started."""
        # A process group of its own: Ctrl-C reaches it through us, once, so that both end in order.
        self._process = process = await asyncio.create_subprocess_exec(
            *self.command,
            stdin=asyncio.subprocess.PIPE,  # it ends when this closes, that is also when we are killed
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            start_new_session=True,
            env=os.environ | {"PYTHONUNBUFFERED": "1", "PYTHONSAFEPATH": "1"} | self.env,
            cwd=self.folder,
            limit=4 * 1024 * 1024,
        )
        self.pid = process.pid
        if self._stopped_for:  # asked for while it was being started
            self.stop(self._stopped_for)
        readers = [asyncio.create_task(self._read(process.stdout, self._event)),
                   asyncio.create_task(self._read(process.stderr, self._error))]  # fmt: skip
        try:
            await self._wait(process)
        except asyncio.CancelledError:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            raise
        # a grandchild could hold the pipes open for ever
        await asyncio.wait(readers, timeout=2.0)
        for reader in readers:
            reader.cancel()
        let_go(process)
        seconds = time.monotonic() - self.began
        status = process.returncode if process.returncode is not None else -signal.SIGKILL
        return End(self.source, status, seconds, self.run_id, self._told, self._stopped_for, tuple(self._lines))

    async def _wait(self, process: asyncio.subprocess.Process) -> None:
        ended = asyncio.create_task(has_ended(process))
        try:
            done, _ = await asyncio.wait({ended}, timeout=self.bounds.seconds)
            if not done:
                minutes = self.bounds.seconds / 60
                self.stop(f"stopped after {minutes:g} minutes, the limit (crawl_minutes); the next crawl goes on")
                done, _ = await asyncio.wait({ended}, timeout=STOP_S)
            if not done:
                process.kill()
            await ended
        finally:
            ended.cancel()

    def stop(self, why: str) -> None:
        """Ask it to end; `why` is what the ledger says."""
        self._stopped_for = self._stopped_for or why
        if self._process is None or self._process.returncode is not None:
            return
        with contextlib.suppress(ProcessLookupError):
            self._process.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        """End it now; what it received is in the archive."""
        if self._process is not None and self._process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                self._process.kill()

    async def _read(self, stream: asyncio.StreamReader | None, take: Callable[[str], None]) -> None:
        assert stream is not None
        while True:
            try:
                line = await stream.readline()
            except ValueError:  # longer than the limit; the rest of it comes as lines of its own
                continue
            if not line:
                return
            take(line.decode("utf-8", "replace").rstrip())

    def _event(self, line: str) -> None:
        try:
            event = json.loads(line)
        except ValueError:
            event = None
        if not isinstance(event, dict):
            self._error(line)
            return
        if event.get("event") == "start":
            self.run_id = event.get("run", "")
        elif event.get("event") == "end":
            self._told = event

    def _error(self, line: str) -> None:
        self._lines.append(line)
        if not line.strip():
            return
        self._passed += 1
        if self._passed <= MOST_LINES:
            self.log(f"{self.source}: {line}")
        elif self._passed == MOST_LINES + 1:
            self.log(f"{self.source}: … says much more; `circularwatch crawl {self.source}` shows all of it")


async def has_ended(process: asyncio.subprocess.Process) -> int:
    """Wait for the end of a process; gives its status. asyncio's own `wait` waits for its pipes too, and a grandchild may
    hold those for as long as it likes."""
    while process.returncode is None:
        await asyncio.sleep(0.1)
    return process.returncode


def let_go(process: asyncio.subprocess.Process) -> None:
    """Close the pipes of a process that has ended; asyncio keeps them while anybody else holds the other end."""
    transport = getattr(process, "_transport", None)
    if transport is not None:
        transport.close()


def command(config: Any, source: str, trigger: str, planned_at: str, bounds: Bounds) -> list[str]:
    """The command line of a crawl of one source; its configuration comes by the environment."""
    settings = config.settings
    paths = {"--db": settings.database, "--archive": settings.archive}
    words = [sys.executable, "-m", "crawler.run", "--sources", source, "--json-progress", "--until-stdin-closes"]
    for option, path in paths.items():
        words += [option, str(Path(path).absolute())]
    words += ["--trigger", trigger, "--planned-at", planned_at, "--memory-mb", str(bounds.memory_mb)]
    return words
