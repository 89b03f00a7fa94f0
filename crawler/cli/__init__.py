"""The command line: `circularwatch COMMAND`. One module per command beside this file, imported only when it is called.

Exit status: 0 done, 1 done with failures (each named), 2 bad usage or configuration. Machine-readable output goes to
standard output, everything else to standard error.
"""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Sequence

import click

# command -> (module below crawler.cli, what it does); help is printed from here, so that `--help` imports nothing heavy
COMMANDS: dict[str, tuple[str, str]] = {
    "crawl": ("crawl", "One pass over the sources: download what is new, then process it."),
    "process": ("process", "Read, classify and store what was downloaded and is pending."),
    "rebuild": ("rebuild", "Make the database again from the archive."),
    "reclassify": ("reclassify", "Labels of the whole store again; what they move; one switch."),
    "extract": ("extract", "One saved page or file to one JSON document; no database."),
    "classify": ("classify", "JSONL of {id, title, text} to JSONL with relevance, tasks and evidence."),
    "search": ("search", "Find documents by words, phrases, fields and dates."),
    "explain": ("explain", "Why a document carries a task, and why not another."),
    "judge": ("judge", "Say whether a label is right; training learns from it."),
    "review": ("review", "The documents whose verdict would teach most."),
    "alerts": ("alerts", "Alert rules: check, test, backtest, send, log, retry."),
    "init": ("init", "The first run: contact, time zone, recipient, a test message, a look at every source."),
    "doctor": ("doctor", "Is the installation sound? Each line ok, warn or bad, with what to do."),
    "backup": ("backup", "A verified copy of database, archive and configuration, while everything goes on."),
    "schedule": ("schedule", "Crawl every source when it is due; run, pause, resume, status."),
    "up": ("up", "The whole service: schedule, processor, sender and Datasette."),
    "serve": ("serve", "The pages in a browser: task ledger, search, sources, exports, feeds."),
    "sources": ("sources", "What is watched: list, check, new, health."),
    "config": ("config", "The effective configuration and where each value came from."),
    "bench": ("bench", "Benchmarks: figures as ratios, measured in one run (needs a checkout)."),
    "evaluate": ("evaluate", "Precision, recall and F1 against labelled documents."),
    "train": ("train", "Make the trained reader again from the training passages."),
}


class LazyGroup(click.Group):
    """A group that knows its commands' names and one-line help without importing them."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        module = importlib.import_module(f"crawler.cli.{COMMANDS[cmd_name][0]}")
        command: click.Command = module.command
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        name = args[0] if args else ""
        if name not in COMMANDS and not name.startswith("-"):
            from difflib import get_close_matches

            near = get_close_matches(name, COMMANDS, n=1)
            hint = f"; did you mean {near[0]!r}?" if near else "; `circularwatch --help` lists them"
            ctx.fail(f"there is no command {name!r}{hint}")
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, text) in COMMANDS.items()])


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="circularwatch")
def cli() -> None:
    """Watch sources on manufacturing finance in China, label what is new with the tasks of the April 2024 circular,
    and show the words that prove each label."""


def main(argv: Sequence[str] | None = None) -> None:
    """Run the command line; faults that users can mend are one sentence and a status, never a traceback."""
    from crawler.cli.common import run

    # worker processes must not pick up a `config/` or `db/` that happens to lie in the folder the user stands in
    os.environ.setdefault("PYTHONSAFEPATH", "1")
    sys.exit(run(cli, argv))
