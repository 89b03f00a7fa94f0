"""Hands files to the warden process and takes their text back; one warden per process that reads, started when first needed."""

from __future__ import annotations

import atexit
import contextlib
import json
import os
import select
import subprocess
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from pipelines.attachments import sniff
from pipelines.attachments.limits import DEFAULT, MB, Limits
from pipelines.attachments.warden import HEAD, REPLY

# beyond the child's own limit: the warden kills it, so waiting longer means that the warden itself is stuck
_GRACE_S = 15.0
_OLE = ("doc", "xls", "ole", "ppt")


@dataclass(slots=True)
class Reading:
    """What came out of a file: `text` or the reason (`error`, without the prefix that users see).

    `note` says what was left out if only a part was read; `cpu` are the seconds of computing in the other process.
    """

    media_type: str = ""
    text: str | None = None
    error: str = ""
    reader: str = ""
    pages: int | None = None
    confidence: float | None = None
    note: str = ""
    kind: str = ""
    cpu: float = 0.0


class Warden:
    """The helper process and the pipe to it. Not for several threads at once."""

    def __init__(self) -> None:
        self.owner = os.getpid()
        root = str(Path(__file__).resolve().parents[2])
        # a bare environment: no secret of the operator reaches the process that reads hostile files
        keep = {k: v for k, v in os.environ.items() if k in ("PATH", "LANG", "LC_ALL", "HOME", "LD_LIBRARY_PATH", "TZ")}
        paths = [root, *filter(None, os.environ.get("PYTHONPATH", "").split(os.pathsep))]
        single = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
        self.process = subprocess.Popen(
            [sys.executable, "-c", "from pipelines.attachments.warden import main; main()"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={**keep, **single, "PYTHONPATH": os.pathsep.join(paths), "PYTHONDONTWRITEBYTECODE": "1"},
            bufsize=0,
        )

    def ask(self, options: dict[str, Any], body: bytes, wall: float) -> dict[str, Any]:
        """One request and its answer. Raises OSError, EOFError when the warden is gone or stuck."""
        assert self.process.stdin is not None and self.process.stdout is not None
        head = json.dumps(options).encode()
        for data in (HEAD.pack(len(head), len(body)) + head, body):
            view = memoryview(data)
            while view:
                view = view[self.process.stdin.write(view) or 0 :]
        end = time.monotonic() + wall
        size = REPLY.unpack(self._take(REPLY.size, end))[0]
        answer: dict[str, Any] = json.loads(self._take(size, end))
        return answer

    def _take(self, size: int, end: float) -> bytes:
        assert self.process.stdout is not None
        data = bytearray()
        poll = select.poll()
        poll.register(self.process.stdout, select.POLLIN | select.POLLHUP)
        while len(data) < size:
            if not poll.poll(max(0.0, end - time.monotonic()) * 1000):
                raise TimeoutError("the reading process does not answer")
            chunk = os.read(self.process.stdout.fileno(), min(MB, size - len(data)))
            if not chunk:
                raise EOFError("the reading process is gone")
            data += chunk
        return bytes(data)

    def close(self) -> None:
        """End the helper; its child ends with it."""
        if self.owner != os.getpid():  # a copy of the object in a forked process must not end the original's helper
            return
        for pipe in (self.process.stdin, self.process.stdout):
            if pipe is not None:
                with contextlib.suppress(OSError):
                    pipe.close()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(1)
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()


_held: Warden | None = None


def read(body: bytes, name: str = "", *, limits: Limits = DEFAULT, wall: float | None = None) -> Reading:
    """Read one file in a process of its own; never raises for what the file holds. `name` is for hints, not for trust.

    `wall` shortens the wall-clock limit (what is left of a document's budget).
    """
    if len(body) > limits.file:
        return Reading(error=f"larger than {limits.file // MB} MB")
    kind = sniff.kind_of(body, name)
    reading = _attempt(kind, body, name, limits, wall, ocr=False)
    if reading.error == "scanned" or kind == "image":
        before = reading.cpu
        reading = _attempt(kind, body, name, limits, wall, ocr=True)
        reading.cpu += before
    # an OLE file inside another may fool the sniffer, but not the reader
    kind = reading.reader if kind in _OLE and reading.reader in _OLE else kind
    reading.kind, reading.media_type = kind, sniff.media_type(kind, body)
    return reading


def _attempt(kind: str, body: bytes, name: str, limits: Limits, wall: float | None, *, ocr: bool) -> Reading:
    seconds = limits.ocr_wall_s if ocr else limits.wall_s
    seconds = seconds if wall is None else max(1.0, min(seconds, wall))
    bounds = {**asdict(limits), "ocr_wall_s" if ocr else "wall_s": seconds}
    options = {"kind": kind, "name": name, "limits": bounds, "ocr": ocr}
    for last in (False, True):
        try:
            return Reading(**_warden().ask(options, body, seconds + _GRACE_S))
        except (OSError, EOFError, ValueError, TypeError) as error:
            stop()
            # the warden itself was lost (killed from outside, no memory): another one is tried once
            if last or isinstance(error, TimeoutError):
                return Reading(error=f"its reader was lost ({error or type(error).__name__})")
        except BaseException:  # a time limit of the owner in mid-answer: what still comes belongs to no one
            stop()
            raise
    raise AssertionError("unreachable")


def _warden() -> Warden:
    global _held
    if _held is None or _held.owner != os.getpid() or _held.process.poll() is not None:
        _held = Warden()
    return _held


def stop() -> None:
    """End the helper of this process, if there is one."""
    global _held
    held, _held = _held, None
    if held is not None:
        held.close()


atexit.register(stop)
