"""`circularwatch crawl`: one pass. A child process downloads, this one reads and stores what has come meanwhile."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from datetime import datetime
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import click

from crawler.cli.common import (
    DONE,
    FAILURES,
    Failed,
    common_options,
    fail,
    json_option,
    load_config,
    open_database,
    say,
)

if TYPE_CHECKING:
    from crawler.cli.crawl_view import View

# The child ends within seconds of being asked to; after this it is killed. The archive is whole at any moment.
CHILD_S = 20.0


@click.command("crawl")
@click.argument("sources", nargs=-1, metavar="[SOURCE]...")
@click.option(
    "--since",
    type=click.DateTime(["%Y-%m-%d"]),
    help="Back-fill: follow the pages of the lists back to this date. Alerts nobody document by document.",
)
@json_option
@common_options
def command(
    sources: tuple[str, ...], since: datetime | None, as_json: bool, db_path: Path | None, config_dir: Path | None
) -> int:
    """One pass over SOURCES (ids; default: all that are enabled): download what is new, then process it."""
    from crawler.cli.crawl_view import make_view
    from crawler.house import why_not

    config = load_config(config_dir, db_path)
    names = check_names(config, sources)
    if why_not(config.settings):
        fail(why_not(config.settings))
    # made here, before two processes open it at once; and what is wrong with it is said before anything is asked for
    open_database(config.settings.database, must_exist=False).close()
    view = make_view(names, as_json=as_json)
    child = Child(config, names, since.strftime("%Y-%m-%d") if since else "", view)
    with view:
        child.start()
        summary = process_meanwhile(config, child, view)
    if child.status == 2:
        raise click.exceptions.Exit(2)
    view.close(child.ends, summary)
    if child.stopped:
        raise click.Abort
    if child.status < 0:
        raise Failed("the crawl was killed; what it received is kept, and the next crawl goes on")
    return FAILURES if child.status or (summary and summary.failed) else DONE


def check_names(config: Any, sources: tuple[str, ...]) -> list[str]:
    """The ids to crawl; refuses one that doesn't exist."""
    from crawler.run import chosen

    names = chosen(config, ",".join(sources))
    if not names:
        raise Failed("no source is enabled; name one, or enable some in sources.yaml")
    return names


class Child:
    """The crawl process: its start, the lines it tells, its end."""

    def __init__(self, config: Any, names: list[str], since: str, view: View) -> None:
        settings = config.settings
        self.arguments = [sys.executable, "-m", "crawler.run", "--sources", ",".join(names), "--json-progress"]
        self.arguments += [
            "--db",
            str(settings.database.absolute()),
            "--archive",
            str(settings.archive.absolute()),
            "--until-stdin-closes",
        ]
        self.arguments += ["--config", str(config.directory)]
        if since:
            self.arguments += ["--since", since, "--trigger", "backfill"]
        self.view = view
        self.ends: dict[str, dict[str, Any]] = {}
        self.ended = threading.Event()
        self.stopped = False
        self.process: subprocess.Popen[str] | None = None

    @property
    def status(self) -> int:
        assert self.process is not None
        return self.process.returncode or 0

    def start(self) -> None:
        # A process group of its own: Ctrl-C reaches it through us, once, so that both end in order.
        self.process = subprocess.Popen(
            self.arguments,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            encoding="utf-8",
            errors="replace",
            start_new_session=True,
            env=os.environ | {"PYTHONUNBUFFERED": "1"},
        )
        assert self.process.stdout is not None and self.process.stderr is not None
        readers = [
            threading.Thread(target=self._read_lines, args=(self.process.stdout,), daemon=True),
            threading.Thread(target=self._read_log, args=(self.process.stderr,), daemon=True),
        ]
        for reader in readers:
            reader.start()
        threading.Thread(target=self._wait, args=(readers,), daemon=True).start()

    def stop(self) -> None:
        """Ask the child to end."""
        self.stopped = True
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)

    def join(self) -> None:
        """Wait for its end; one that doesn't end is killed."""
        if not self.ended.wait(CHILD_S if self.stopped else None) and self.process is not None:
            self.process.kill()
            self.ended.wait()

    def _wait(self, readers: list[threading.Thread]) -> None:
        assert self.process is not None
        for reader in readers:
            reader.join()
        self.process.wait()
        self.ended.set()

    def _read_lines(self, stream: IO[str]) -> None:
        for line in stream:
            try:
                event = json.loads(line)
            except ValueError:
                event = None
            if not isinstance(event, dict) or "event" not in event:
                self.view.log(line.rstrip())
                continue
            if event["event"] == "end":
                self.ends[event["source"]] = event
            self.view.event(event)

    def _read_log(self, stream: IO[str]) -> None:
        for line in stream:
            self.view.log(line.rstrip())


def process_meanwhile(config: Any, child: Child, view: View) -> Any:
    """Read and store while the child downloads, until it has ended and nothing is pending; returns the Summary."""
    from pipelines.processor import ProcessorBusy, process

    stop = threading.Event()
    watcher = threading.Thread(target=_pass_on, args=(stop, child), daemon=True)
    watcher.start()
    try:
        summary = process(
            config,
            config.settings.database,
            config.settings.archive,
            stop=stop,
            drain=child.ended,
            progress=view.processed,
        )
    except ProcessorBusy as busy:
        say(f"circularwatch: {busy}")
        summary = None
        try:
            child.ended.wait()
        except KeyboardInterrupt:
            child.stop()
    except BaseException:
        child.stop()
        child.join()
        raise
    child.join()
    return summary


def _pass_on(stop: threading.Event, child: Child) -> None:
    """When this process is asked to stop (the processor catches the signal), tell the child."""
    while not child.ended.is_set():
        if stop.wait(0.2):
            child.stop()
            return
