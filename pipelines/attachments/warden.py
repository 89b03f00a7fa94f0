"""The process that stands between hostile files and the rest: warm, forks one child per file, and kills it when it is over a limit.

Started by `pipelines.attachments.sandbox`, with which it speaks over its standard input and output. A child is forked from
libraries that are already imported (a few milliseconds), reads one file that it has in memory, writes one JSON answer to a
pipe and ends. So no state of one file reaches the next, nothing has to be recycled, and a crash of a C library costs one
file. The warden ends when its input closes, also when its owner was killed.
"""

from __future__ import annotations

import contextlib
import ctypes
import gc
import json
import os
import resource
import select
import signal
import struct
import sys
import time
from typing import Any, BinaryIO, NoReturn

from pipelines.attachments.limits import MB, Limits

HEAD = struct.Struct(">II")
REPLY = struct.Struct(">I")
# an answer is text of at most Limits.characters, as UTF-8 JSON; more than this is a fault of the child
MOST_OUTPUT = 32 * MB
_PR_SET_PDEATHSIG = 1


def main() -> None:
    """Answer requests until the input closes."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole group; the owner decides
    requests, answers = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    # what a library prints must not get between the answers
    null = os.open(os.devnull, os.O_RDWR)
    for fd in (0, 1, 2):
        os.dup2(null, fd)
    os.close(null)
    from pipelines.attachments import readers

    readers.preload("")
    gc.collect()
    gc.freeze()
    while True:
        head = requests.read(HEAD.size)
        if len(head) < HEAD.size:
            return
        options_size, body_size = HEAD.unpack(head)
        options = json.loads(requests.read(options_size))
        body = requests.read(body_size)
        if len(body) < body_size:
            return
        answer = _serve(options, body, requests)
        del body
        answers.write(REPLY.pack(len(answer)) + answer)
        answers.flush()


def _serve(options: dict[str, Any], body: bytes, requests: BinaryIO) -> bytes:
    """The answer to one request: what the child wrote, or why it could not, and the seconds of computing it took."""
    from pipelines.attachments import readers

    limits = Limits(**options["limits"])
    readers.preload(options["kind"])
    reading, writing = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(reading)
        _child(options, body, limits, writing)
    os.close(writing)
    wall = limits.ocr_wall_s if options.get("ocr") else limits.wall_s
    output, over = _collect(reading, pid, wall, requests.fileno())
    os.close(reading)
    _, status, usage = os.wait4(pid, 0)
    if os.WIFSIGNALED(status) and not over:
        over = _killed(os.WTERMSIG(status), limits, bool(options.get("ocr")))
    elif not output and not over:
        over = f"damaged (its reader ended with status {os.WEXITSTATUS(status)})"
    spent = b'{"cpu": %.4f, ' % (usage.ru_utime + usage.ru_stime)
    return spent + (_refusal(over) if over else output)[1:]


def _collect(fd: int, pid: int, wall: float, owner: int) -> tuple[bytes, str]:
    """The child's answer, and the reason if it had to be killed. Ends the warden with the child when the owner is gone."""
    end = time.monotonic() + wall
    parts: list[bytes] = []
    size = 0
    poll = select.poll()
    poll.register(fd, select.POLLIN | select.POLLHUP)
    poll.register(owner, select.POLLIN | select.POLLHUP)
    while True:
        ready = dict(poll.poll(max(0.0, end - time.monotonic()) * 1000))
        if owner in ready:  # nothing is asked before the answer: this is the end of the owner
            os.kill(pid, signal.SIGKILL)
            os._exit(0)
        if not ready:
            os.kill(pid, signal.SIGKILL)
            return b"", f"time limit of {wall:g} s"
        chunk = os.read(fd, MB)
        if not chunk:
            return b"".join(parts), ""
        size += len(chunk)
        if size > MOST_OUTPUT:
            os.kill(pid, signal.SIGKILL)
            return b"", f"gives more than {MOST_OUTPUT // MB} MB of text"
        parts.append(chunk)


def _child(options: dict[str, Any], body: bytes, limits: Limits, writing: int) -> NoReturn:
    status = 1
    try:
        from pipelines.attachments import readers

        if options.get("ocr"):  # the models lie in files, so they are loaded first
            from pipelines.attachments.readers import ocr

            ocr.prepare()
        _confine(limits, bool(options.get("ocr")))
        answer = json.dumps(readers.read(options["kind"], body, options, limits)).encode()
        view = memoryview(answer)
        while view:
            view = view[os.write(writing, view) :]
        status = 0
    except MemoryError:
        with contextlib.suppress(BaseException):
            os.write(writing, _refusal(_memory(limits, bool(options.get("ocr")))))
            status = 0
    except BaseException as error:
        with contextlib.suppress(BaseException):
            os.write(writing, _refusal(f"damaged ({type(error).__name__}: {str(error)[:120]})"))
            status = 0
    finally:
        os._exit(status)


def _confine(limits: Limits, ocr: bool) -> None:
    """Bounds that the system keeps: computing time, memory, no new files or sockets, no core; dies with the warden."""
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    sys.setrecursionlimit(1000)
    cpu = limits.ocr_cpu_s if ocr else limits.cpu_s
    resource.setrlimit(resource.RLIMIT_CPU, (cpu, cpu + 1))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    memory = limits.ocr_memory if ocr else limits.memory
    with contextlib.suppress(ValueError, OSError):  # macOS knows the limit and refuses to set it
        resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    sys.addaudithook(_deny)
    # no descriptor beyond those in use: nothing can be opened, neither a file nor a socket
    resource.setrlimit(resource.RLIMIT_NOFILE, (0, 0))


def _deny(event: str, arguments: tuple[Any, ...]) -> None:
    """Python's own doors to network, programs and code are shut as well."""
    if event.startswith(
        ("socket.", "subprocess.", "os.exec", "os.system", "os.posix_spawn", "os.fork", "urllib.", "ftplib.")
    ):
        raise PermissionError(f"{event} is not allowed while a file is read")


def _killed(number: int, limits: Limits, ocr: bool) -> str:
    if number == signal.SIGXCPU:
        return f"time limit of {limits.ocr_cpu_s if ocr else limits.cpu_s} s"
    if number == signal.SIGKILL:
        return "its reader was killed, probably for want of memory"
    name = signal.Signals(number).name if number in signal.Signals._value2member_map_ else str(number)
    # PDFium ends itself with one of these when memory is refused, and C libraries when a file fools them
    return f"damaged, or larger than the memory limit of {limits.memory // MB} MB (its reader ended with {name})"


def _memory(limits: Limits, ocr: bool) -> str:
    return f"memory limit of {(limits.ocr_memory if ocr else limits.memory) // MB} MB"


def _refusal(reason: str) -> bytes:
    return json.dumps({"error": reason}).encode()
