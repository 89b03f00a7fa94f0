"""`circularwatch config check`: what is in force, where each value came from, and every fault of the files at once."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from crawler.cli.common import CommandError, common_options, environment, json_option, print_json, say

if TYPE_CHECKING:
    from config.effective import Effective, Value
    from config.errors import ConfigError


@click.group()
def command() -> None:
    """The effective configuration and where each value came from."""


@command.command()
@click.argument("source", required=False)
@common_options
@json_option
def check(source: str | None, db_path: Path | None, config_dir: Path | None, as_json: bool) -> None:
    """Check every file, then show what is in force; with SOURCE, every option of that source."""
    from config.effective import effective
    from config.errors import ConfigError

    try:
        if source:
            _show_source(_options_of(source, config_dir), as_json)
            return
        found = effective(config_dir, environment(db_path))
    except ConfigError as error:
        _show_faults(error, as_json)
        raise CommandError(_count(error)) from None
    if as_json:
        print_json(found.as_json())
    else:
        _show(found)


def _options_of(source: str, config_dir: Path | None) -> list[Value]:
    """The options of a source; a name that no source has is bad usage, not a fault of the files."""
    import config
    from config.effective import source_values
    from config.errors import hint

    known = config.load_sources(config_dir)
    if source not in known:
        raise CommandError(f"there is no source {source!r}{hint(source, known)}")
    return source_values(source, config_dir)


def _count(error: ConfigError) -> str:
    faults = 1 + len(error.further)
    return (
        "the configuration has one fault; nothing runs until it is mended"
        if faults == 1
        else (f"the configuration has {faults} faults; nothing runs until they are mended")
    )


def _show_faults(error: ConfigError, as_json: bool) -> None:
    faults = [error, *error.further]
    if as_json:
        print_json({"faults": [{"file": f.file, "line": f.line, "message": f.message} for f in faults]})
    for fault in faults:
        say(str(fault))


def _show_source(values: list[Value], as_json: bool) -> None:
    if as_json:
        print_json([{"name": v.name, "value": v.value, "origin": v.origin, "meaning": v.meaning} for v in values])
        return
    _table(["option", "value", "from"], [(v.name, _text(v.value), v.origin) for v in values if v.origin != "default"])


def _show(found: Effective) -> None:
    click.echo(f"configuration folder: {found.directory}\n")
    _table(["setting", "value", "from"], [(v.name, _text(v.value), v.origin) for v in found.settings])
    _table(["secret", "", "for"], [(v.name, v.value, v.meaning) for v in found.secrets])
    _table(
        ["source", "kind", "grade", "on", "lists", "every", "note"],
        [
            (
                s["id"],
                s["kind"],
                s["certainty"],
                "yes" if s["enabled"] else "no",
                str(s["lists"]),
                f"{s['interval_min']} min",
                s["note"],
            )
            for s in found.sources
        ],
    )
    _table(
        ["alert rule", "pace", "to", "query"],
        [(r["id"], r["pace"], ", ".join(r["to"] + r["channels"]) or "nobody", r["query"]) for r in found.alerts],
    )
    facts = found.taxonomy
    click.echo(
        f"taxonomy {facts['version']}: {facts['tasks']} tasks, {facts['measures']} measures, {facts['terms']} terms, "
        f"{facts['negative_terms']} look-alikes; {facts['institutions']} institutions, {facts['industries']} industries, "
        f"{facts['instruments']} instruments"
    )
    for warning in found.warnings:
        say(f"note: {warning}")


def _text(value: Any) -> str:
    if value is None or value == "" or value == []:
        return "-"
    if isinstance(value, list):
        return ", ".join(str(item) for item in value)
    return str(value)


def _table(heads: list[str], rows: list[tuple[str, ...]]) -> None:
    """A plain table: cut to the terminal on a terminal, whole lines in a file or pipe."""
    if not rows:
        return
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    wide = None if sys.stdout.isatty() else 4000
    table = Table(box=None, pad_edge=False, header_style="bold", expand=False)
    for head in heads:
        table.add_column(head, overflow="fold", no_wrap=wide is not None)
    for row in rows:
        table.add_row(*(Text(cell) for cell in row))
    Console(width=wide, highlight=False, soft_wrap=False).print(table)
    click.echo()
