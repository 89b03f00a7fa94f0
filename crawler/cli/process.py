"""`circularwatch process`: what was downloaded and is pending becomes documents with labels and evidence."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from crawler.cli.common import CommandError, Failed, common_options, json_option, load_config, print_json, say

if TYPE_CHECKING:
    from pipelines.processor import Summary

SHOWN = 20


@click.command("process")
@click.option("--follow", is_flag=True, help="Stay and read whatever a crawl brings, until Ctrl-C or SIGTERM.")
@click.option("--wait", is_flag=True, help="If another processor is at work, wait until it ends.")
@click.option("--workers", type=click.IntRange(0, 256), default=0, help="Reading processes.  [default: one per core]")
@common_options
@json_option
def command(
    follow: bool, wait: bool, workers: int, db_path: Path | None, config_dir: Path | None, as_json: bool
) -> None:
    """Read, classify and store all that is pending, in the order in which it was fetched.

    Ends when nothing is pending. Documents that could not be read are named with the reason; the status is then 1.
    Killed at any moment, it goes on where it was when it is called again.
    """
    from pipelines.processor import ProcessorBusy, process
    from pipelines.worker import WorkerError

    config = load_config(config_dir, db_path)
    settings = config.settings
    try:
        summary = process(
            config,
            settings.database,
            settings.archive,
            follow=follow,
            wait=wait,
            workers=workers or getattr(settings, "workers", 0),
            progress=None if as_json else show_progress,
        )
    except ProcessorBusy as e:
        raise Failed(str(e)) from e
    except WorkerError as e:
        raise CommandError(str(e)) from e
    report(summary, as_json)


def show_progress(summary: Summary, pending: int) -> None:
    """One line that counts on, where somebody is watching."""
    if sys.stderr.isatty():
        click.echo(f"\rread {summary.read}, pending {pending}, failed {len(summary.failed)}   ", err=True, nl=False)


def report(summary: Summary, as_json: bool) -> None:
    """The closing words of `process`; raises Failed where something could not be read."""
    if as_json:
        print_json(summary.as_json())
    else:
        if sys.stderr.isatty():
            click.echo("\r\033[K", err=True, nl=False)
        for loss in summary.losses:
            say(f"lost in the archive: {loss}")
        name_failures(summary.failed)
        adopted = f"; {summary.adopted} events adopted from the archive after a crash" if summary.adopted else ""
        say(
            f"{summary.read} read in {summary.seconds:.1f} s: {summary.new} new documents, {summary.changed} changed, "
            f"{summary.unchanged} unchanged, {len(summary.failed)} failed{adopted}"
        )
    if summary.failed:
        many = len(summary.failed)
        raise Failed(f"{many} {'fetch' if many == 1 else 'fetches'} could not be read; the others are stored")


def name_failures(failed: list[dict[str, Any]]) -> None:
    """The first failures, each with its reason."""
    for failure in failed[:SHOWN]:
        say(f"not read: {failure['url'] or failure['fetch']}: {failure['reason']}")
    if len(failed) > SHOWN:
        say(f"and {len(failed) - SHOWN} more; --json names all")
