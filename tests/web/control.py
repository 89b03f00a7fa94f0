"""The imitation web from a test or a script: start it, give it orders, read its log."""

from __future__ import annotations

import contextlib
import datetime as dt
import json
import os
import subprocess
import sys
import tempfile
import urllib.request
from collections.abc import Iterable
from pathlib import Path
from typing import Any

PROJECT = Path(__file__).resolve().parents[2]
_direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))  # never through a proxy of the environment


class ControlError(RuntimeError):
    """The server refused an order; the text says why."""


class Control:
    """Orders to a running imitation web, whoever started it. Attributes: proxy, control_url, ca_file."""

    proxy: str
    control_url: str
    ca_file: str

    def __init__(self, control_url: str) -> None:
        self.control_url = control_url
        about = self.order("/")
        self.proxy, self.ca_file = about["proxy"], about["ca_file"]

    def order(self, path: str, **order: Any) -> Any:
        """One order as JSON; raises ControlError with the server's sentence."""
        request = urllib.request.Request(self.control_url + path, json.dumps(order).encode(), method="POST")
        try:
            with _direct.open(request, timeout=60) as answer:
                return json.load(answer)
        except urllib.error.HTTPError as error:
            raise ControlError(json.load(error)["error"]) from None

    # ---- faults

    def fault(self, pattern: str, **fault: Any) -> int:
        """Order a fault for addresses that match `pattern` (* is a wildcard; "re:" starts a regular expression).

        status, delay, hang, reset, truncate, body, body_base64, size, headers, redirect, raw_base64, slow, certificate,
        connect, times, after: see tests.web.faults.Fault. Returns its number, which the log shows.
        """
        return int(self.order("/fault", pattern=pattern, **fault))

    def faults(self) -> list[dict[str, Any]]:
        return list(self.order("/faults"))

    def clear_faults(self, pattern: str | None = None) -> int:
        """Forget the faults of one pattern, or all of them and every order about robots.txt."""
        return int(self.order("/clear-faults", pattern=pattern))

    def robots(self, host: str, text: str | None = None, **fate: Any) -> None:
        """robots.txt of a host: its text, or status, redirect, hang, reset, delay; without arguments as it was."""
        given = {name: value for name, value in {"text": text, **fate}.items() if value is not None}
        self.order("/robots", host=host, **given)

    # ---- documents

    def add_document(self, document: dict[str, Any]) -> str:
        return str(self.order("/add", **document))

    def change_document(self, key: str, **changes: Any) -> None:
        self.order("/change", key=key, changes=changes)

    def remove_document(self, key: str) -> None:
        self.order("/remove", key=key)

    def bulk(self, source: str, count: int, section: str | None = None) -> int:
        """Add `count` generated documents to a source, over its sections in turn or to one of them."""
        return int(self.order("/bulk", source=source, count=count, section=section))

    def filler(self) -> int:
        """Add so many neutral documents that every source's `expect` of sources.yaml is met."""
        return int(self.order("/filler"))

    def documents(self) -> list[dict[str, Any]]:
        """All documents with their addresses and gold labels, newest first."""
        return list(self.order("/documents"))

    def problems(self) -> list[str]:
        """What could not be shown of the document files, in words."""
        return list(self.order("/problems"))

    def hosts(self) -> list[str]:
        return list(self.order("/hosts"))

    def set_today(self, day: dt.date | str | None) -> str:
        return str(self.order("/today", date=str(day) if day else None))

    def option(self, name: str, value: Any) -> None:
        self.order("/option", name=name, value=value)

    # ---- the log

    def log(self, since: int = 0, host: str | None = None, connects: bool = False) -> list[dict[str, Any]]:
        """Requests in order of arrival, those with a seq above `since`.

        t_start, t_end: this machine's monotonic clock in seconds, comparable between processes; t_end is None
        while the exchange goes on. Successful CONNECTs only with `connects`.
        """
        return list(self.order("/log", since=since, host=host, connects=connects))

    def clear_log(self) -> None:
        self.order("/clear-log")

    @property
    def control(self) -> Control:
        return self

    def environment(self) -> dict[str, str]:
        """The variables that point circularwatch at this web."""
        return {
            "CIRCULARWATCH_PROXY": self.proxy,
            "CIRCULARWATCH_CA_FILE": self.ca_file,
            "CIRCULARWATCH_CONTACT": "demo@example.org",
            "CIRCULARWATCH_DELAY": "0",
        }


def overlaps(entries: Iterable[dict[str, Any]]) -> list[tuple[dict[str, Any], dict[str, Any]]]:
    """Pairs of log entries of one host whose times overlap: empty where manners were kept."""
    by_host: dict[str, list[dict[str, Any]]] = {}
    for entry in entries:
        if entry["method"] != "CONNECT":
            by_host.setdefault(entry["host"], []).append(entry)
    found = []
    for rows in by_host.values():
        rows.sort(key=lambda entry: entry["t_start"])
        last = rows[0]
        for entry in rows[1:]:
            if last["t_end"] is None or entry["t_start"] < last["t_end"]:
                found.append((last, entry))
            if last["t_end"] is not None and (entry["t_end"] is None or entry["t_end"] > last["t_end"]):
                last = entry
    return found


class ImitationWeb(Control):
    """The imitation web in a process of its own; a context manager.

    today: the day to which days_ago counts (default: the real one in Beijing). documents: a folder of document files
    instead of tests/web/documents, or False for none. filler, bulk: see Control. ca_dir: keep the CA there.
    """

    def __init__(
        self,
        today: dt.date | str | None = None,
        *,
        documents: Path | str | bool = True,
        filler: bool = False,
        bulk: dict[str, int] | None = None,
        ca_dir: Path | str | None = None,
    ) -> None:
        self._arguments = ["--until-stdin-closes"]
        if today:
            self._arguments += ["--today", str(today)]
        if documents is False:
            self._arguments.append("--no-documents")
        elif documents is not True:
            self._arguments += ["--documents", str(documents)]
        if filler:
            self._arguments.append("--filler")
        for source, count in (bulk or {}).items():
            self._arguments += ["--bulk", f"{source}={count}"]
        self._ca_dir = ca_dir
        self._process: subprocess.Popen[str] | None = None
        self._folder: tempfile.TemporaryDirectory[str] | None = None

    def start(self) -> ImitationWeb:
        if self._ca_dir is None:
            self._folder = tempfile.TemporaryDirectory(prefix="imitation-web-")
        folder = str(self._ca_dir or (self._folder and self._folder.name))
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.web", "--ca-dir", folder, "--quiet", *self._arguments],
            cwd=PROJECT,
            env={**os.environ, "PYTHONPATH": str(PROJECT)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            code = self._process.wait()
            raise ControlError(f"the imitation web did not start (status {code}); its reason is on standard error")
        about = json.loads(line)
        self.proxy, self.control_url, self.ca_file = about["proxy"], about["control"], about["ca_file"]
        return self

    def stop(self) -> None:
        if self._process is not None:
            with contextlib.suppress(OSError):
                assert self._process.stdin is not None
                self._process.stdin.close()
            try:
                self._process.wait(10)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
            assert self._process.stdout is not None
            self._process.stdout.close()
            self._process = None
        if self._folder is not None:
            self._folder.cleanup()
            self._folder = None

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    def __enter__(self) -> ImitationWeb:
        return self.start()

    def __exit__(self, *exc: object) -> None:
        self.stop()
