"""What a person sees of a crawl: a bar per source on a terminal, a line per source elsewhere, a table at the end."""

from __future__ import annotations

import sys
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from crawler.cli.common import print_json

# Failures named per source in the closing table; all are in source_runs.
SHOWN_FAILURES = 5


class View:
    """Lines on standard error: for pipes, logs and `--json`."""

    def __init__(self, names: list[str], *, as_json: bool = False) -> None:
        self.names, self.as_json = names, as_json
        self.console = Console(stderr=True, width=None if sys.stderr.isatty() else 140, highlight=False)
        self.lag: dict[str, Any] = {}

    def __enter__(self) -> View:
        return self

    def __exit__(self, *_: object) -> None:
        return

    def event(self, event: dict[str, Any]) -> None:
        """A line of the crawl process."""
        if event["event"] == "process":
            self.lag = event
        if event["event"] != "end":
            return
        if self.as_json:
            print_json({k: v for k, v in event.items() if k != "event"})
        else:
            self.log(one_line(event))

    def processed(self, summary: Any, pending: int) -> None:
        """The processor stored a batch."""

    def log(self, line: str) -> None:
        self.console.print(line, markup=False, soft_wrap=True)

    def close(self, ends: dict[str, dict[str, Any]], summary: Any) -> None:
        """The closing table."""
        if not self.as_json:
            self.console.print(table_of(ends, self.names))
            self._failures(ends)
        if summary is not None:
            self.log(
                f"processed {summary.read}: {summary.new} new documents, {summary.changed} changed, "
                f"{len(summary.failed)} unreadable"
            )
            for failure in summary.failed[: SHOWN_FAILURES * 4]:
                self.log(f"  {failure.get('url') or failure.get('fetch')}: {failure.get('reason')}")

    def _failures(self, ends: dict[str, dict[str, Any]]) -> None:
        for event in ends.values():
            failures = event.get("failures") or []
            for failure in failures[:SHOWN_FAILURES]:
                self.log(f"{event['source']}: {failure['outcome']}: {failure['url']}: {failure['reason']}")
            if len(failures) > SHOWN_FAILURES:
                self.log(f"{event['source']}: and {len(failures) - SHOWN_FAILURES} more, see source_runs.failures")


class Bars(View):
    """A bar per source, and one for what is read and stored."""

    def __init__(self, names: list[str]) -> None:
        super().__init__(names)
        self.progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(bar_width=24),
            TextColumn("{task.completed:.0f}/{task.total:.0f}"),
            TextColumn("{task.fields[said]}"),
            TimeElapsedColumn(),
            console=self.console,
            transient=True,
        )
        self.bars = {name: self.progress.add_task(name, total=0, said="", start=False) for name in names}
        self.store = self.progress.add_task("read and stored", total=0, said="")

    def __enter__(self) -> View:
        self.progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.progress.stop()

    def event(self, event: dict[str, Any]) -> None:
        if event["event"] == "process":
            self.lag = event
        bar = self.bars.get(event.get("source", ""))
        if bar is None:
            return
        if event["event"] == "start":
            self.progress.start_task(bar)
            return
        said = f"{event.get('list_rows', 0)} rows, {event.get('requests', 0)} requests"
        if event["event"] == "end":
            said = f"{event['state']} {said}" if event["outcome"] == "ok" else f"{event['state']}, {event['outcome']}"
            self.progress.stop_task(bar)
        self.progress.update(bar, completed=event.get("documents", 0), total=event.get("wanted", 0), said=said)

    def processed(self, summary: Any, pending: int) -> None:
        self.progress.update(
            self.store, completed=summary.read, total=summary.read + pending, said=f"{summary.new} new"
        )

    def log(self, line: str) -> None:
        self.progress.console.print(line, markup=False, soft_wrap=True)


def make_view(names: list[str], *, as_json: bool) -> View:
    """Bars on a terminal, lines elsewhere."""
    return Bars(names) if not as_json and sys.stderr.isatty() else View(names, as_json=as_json)


def one_line(event: dict[str, Any]) -> str:
    """What became of one source."""
    counts = f"{event.get('list_rows', 0)} rows, {event.get('new', 0)} new, {event.get('documents', 0)} documents"
    tail = "" if event["outcome"] == "ok" else f"; {event['outcome']}: {event['reason']}"
    return f"{event['source']}: {event['state']}, {counts}, {event.get('requests', 0)} requests{tail}"


def table_of(ends: dict[str, dict[str, Any]], names: list[str]) -> Table:
    """All sources with their figures."""
    table = Table(title="Crawl", title_justify="left")
    table.add_column("source")
    for name in ("rows", "new", "known", "documents", "failed", "refused", "requests", "kB"):
        table.add_column(name, justify="right")
    table.add_column("outcome", overflow="fold")
    for name in names:
        event = ends.get(name, {"state": "did not run", "outcome": ""})
        figures = [
            event.get(k, 0) for k in ("list_rows", "new", "unchanged", "documents", "failed", "refused", "requests")
        ]
        outcome = (
            event["state"] if event["outcome"] in ("ok", event["state"]) else f"{event['state']}, {event['outcome']}"
        )
        table.add_row(name, *map(str, figures), str(event.get("bytes", 0) // 1024), outcome)
    return table
