"""One request at a time per host, across spiders and processes, with the pause between two requests kept across them.

A lease on a host is an exclusive `flock` on `<locks>/<host>.lock`; the kernel drops it when its process dies. The file
holds when the host was last used and until when it asked to be left alone. So that a busy process doesn't starve a
waiting one (release and take again take microseconds, a waiting process looks every few milliseconds), a process must
first hold `<host>.turn`: whoever waits for the lease keeps the turn, and the busy one queues behind it.
Inside one process waiting is first come, first served.
"""

from __future__ import annotations

import asyncio
import fcntl
import hashlib
import os
import re
import struct
import time
from pathlib import Path

# How a waiting process looks for a lock of another process: from 1 ms, doubling, to 20 ms. A request takes longer.
FIRST_LOOK, LAST_LOOK = 0.001, 0.02
# A stored instant further ahead than this is a clock that was set back, not a request of the host.
SANE = 86_400.0
# last use (Unix time), not before (Unix time)
VALUE = struct.Struct("<dd")


class AskedToWait(Exception):
    """The host asked for a pause longer than this crawl is ready to wait; `until` is a Unix time."""

    def __init__(self, host: str, until: float) -> None:
        self.host, self.until = host, until
        clock = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(until))
        super().__init__(f"{host} asked to be left alone until {clock}")


class Lease:
    """One host as this process sees it."""

    __slots__ = ("_lock_fd", "_mine", "_turn_fd", "host", "waiting")

    def __init__(self, folder: Path, host: str) -> None:
        safe = re.sub(r"[^a-z0-9.-]", "_", host.lower())[:100]
        if safe != host:
            safe += "-" + hashlib.sha256(host.encode()).hexdigest()[:8]
        self.host = host
        self.waiting = 0
        self._mine = asyncio.Lock()
        self._turn_fd = os.open(folder / f"{safe}.turn", os.O_RDWR | os.O_CREAT, 0o644)
        self._lock_fd = os.open(folder / f"{safe}.lock", os.O_RDWR | os.O_CREAT, 0o644)

    async def take(self, delay: float, patience: float) -> None:
        """Wait for the host to be free and rested. `delay` is the pause after its last use in seconds.

        Raises AskedToWait when the host is to be left alone for longer than `patience` seconds.
        """
        await self._mine.acquire()
        try:
            await _flock(self._turn_fd)
            try:
                await _flock(self._lock_fd)
            finally:
                fcntl.flock(self._turn_fd, fcntl.LOCK_UN)
            try:
                await self._rest(delay, patience)
                # Noted before the request too: a process that is killed in it must not shorten the next one's pause.
                self._note(time.time(), self._read()[1])
            except BaseException:
                fcntl.flock(self._lock_fd, fcntl.LOCK_UN)
                raise
        except BaseException:
            self._mine.release()
            raise

    def give_back(self, not_before: float = 0.0) -> None:
        """End the lease; `not_before` (Unix time) is when the host may be asked again, where it said so."""
        now = time.time()
        self._note(now, max(not_before, self._read()[1]))
        fcntl.flock(self._lock_fd, fcntl.LOCK_UN)
        self._mine.release()

    async def _rest(self, delay: float, patience: float) -> None:
        while True:
            last, not_before = self._read()
            now = time.time()
            if not_before - now > patience:
                raise AskedToWait(self.host, not_before)
            pause = max(last + delay, not_before) - now
            if pause <= 0:
                return
            await asyncio.sleep(pause)

    def _read(self) -> tuple[float, float]:
        data = os.pread(self._lock_fd, VALUE.size, 0)
        if len(data) != VALUE.size:
            return 0.0, 0.0
        last, not_before = VALUE.unpack(data)
        now = time.time()
        # NaN fails both comparisons and so counts as nothing known
        return (last if last <= now + 1 else 0.0), (not_before if not_before <= now + SANE else 0.0)

    def _note(self, last: float, not_before: float) -> None:
        os.pwrite(self._lock_fd, VALUE.pack(last, not_before), 0)

    def close(self) -> None:
        os.close(self._turn_fd)
        os.close(self._lock_fd)


async def _flock(fd: int) -> None:
    """Take an exclusive lock: at once if it is free (a microsecond), else look again and again without blocking."""
    look = FIRST_LOOK
    while True:
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return
        except BlockingIOError:
            await asyncio.sleep(look)
            look = min(look * 2, LAST_LOOK)


class Leases:
    """The leases of one process, made as hosts come up."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self._hosts: dict[str, Lease] = {}

    def of(self, host: str) -> Lease:
        lease = self._hosts.get(host)
        if lease is None:
            lease = self._hosts[host] = Lease(self.folder, host)
        return lease

    def close(self) -> None:
        for lease in self._hosts.values():
            lease.close()
        self._hosts.clear()


class SourceLock:
    """One crawl per source at a time: held from start to end of a crawl, dropped by the kernel when it dies."""

    def __init__(self, folder: Path, source: str) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._fd: int | None = os.open(folder / f"source-{source}.lock", os.O_RDWR | os.O_CREAT, 0o644)
        try:
            fcntl.flock(self._fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.pread(self._fd, 20, 0).decode("ascii", "replace").strip()
            self.close()
            raise SourceBusy(source, holder) from None
        os.ftruncate(self._fd, 0)
        os.pwrite(self._fd, str(os.getpid()).encode(), 0)

    def close(self) -> None:
        if self._fd is not None:
            os.close(self._fd)
            self._fd = None


class SourceBusy(Exception):
    """Another process crawls this source at the moment."""

    def __init__(self, source: str, holder: str) -> None:
        who = f" (process {holder})" if holder else ""
        super().__init__(f"{source} is being crawled by another process{who}; this crawl leaves it alone")
