"""`circularwatch sources`: what is watched, and whether it can be read."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from crawler.cli.common import CommandError, Failed, config_option, db_option, json_option, load_config, print_json, say
from crawler.cli.sources_health import health
from crawler.cli.sources_new import command as new
from crawler.cli.tables import print_table

if TYPE_CHECKING:
    from config.sources import Source
    from crawler.cli.sources_check import Checked


@click.group("sources")
def command() -> None:
    """What is watched: list, check, new, health."""


command.add_command(health)
command.add_command(new)


@command.command("list")
@db_option
@config_option
@json_option
@click.option("--disabled", is_flag=True, help="Only those that are switched off, with the reason.")
def list_(db_path: Path | None, config_dir: Path | None, as_json: bool, disabled: bool) -> None:
    """Every source with its kind, lists, interval, certainty and, where it is off, why."""
    from crawler.loader import refusal

    house = load_config(config_dir, db_path)
    rows = []
    for source in house.sources.values():
        off = refusal(source, named=False)
        if off or not disabled:
            rows.append(_listed(source, off))
    if as_json:
        for row in rows:
            print_json(row)
        return
    columns = ("id", "name", "kind", "lists", "every", "certainty", "state")
    print_table(rows, columns, "what is watched", right=("lists",))


def _listed(source: Source, off: str) -> dict[str, Any]:
    from crawler.schedule.plan import timing

    return {
        "id": source.id,
        "name": source.name,
        "kind": source.kind if not source.spider_class else f"{source.kind} ({source.spider_class})",
        "type": source.type,
        "language": source.language,
        "lists": len(source.lists),
        "every": timing(source).words(),
        "certainty": source.certainty,
        "enabled": not off,
        "state": source.note or off if off else "on",
        "base_url": source.base_url,
    }


@command.command("check")
@click.argument("ids", nargs=-1, metavar="[SOURCE]...")
@db_option
@config_option
@json_option
@click.option("--fixtures", is_flag=False, flag_value="", default=None, metavar="[DIR]",
              help="Read saved lists instead of the web: folders of input.* and expected.json.  [default: the project's own]")  # fmt: skip
@click.option(
    "--file",
    "file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Read this saved list page of the source instead of the web (give --url too).",
)
@click.option("--url", default="", help="Where the saved page came from.")
@click.option("--section", default="", help="Which list of the source the saved page is.  [default: the first]")
@click.option(
    "--entries",
    default=3,
    show_default=True,
    type=click.IntRange(1, 20),
    help="How many entries of each list are tried.",
)
def check(
    ids: tuple[str, ...],
    db_path: Path | None,
    config_dir: Path | None,
    as_json: bool,
    fixtures: str | None,
    file: Path | None,
    url: str,
    section: str,
    entries: int,
) -> None:
    """Dry run: read lists and a few documents, show what is found in them and what is missing. Nothing is stored.

    Without a name, every source that is on. With one name, every field of its first entries is shown.
    """
    from crawler.cli import sources_check as work

    house = load_config(config_dir, db_path)
    chosen = _chosen(house.sources, ids)
    if file is not None:
        if len(ids) != 1 or not url:
            raise CommandError("--file needs one source and --url, the address that the page was saved from")
        results = [work.check_file(chosen[0], file, url, section)]
    elif fixtures is not None:
        results = work.check_fixtures(chosen if ids else list(house.sources.values()), work.fixture_folder(fixtures))
    else:
        results = work.check_live(chosen, entries, house.directory)
    _show(results, as_json=as_json, detailed=len(results) == 1)
    bad = [r for r in results if r.verdict != "good"]
    if bad:
        raise Failed(f"{len(bad)} of {len(results)} sources need a look: {', '.join(r.source for r in bad)}")


def _chosen(sources: dict[str, Source], ids: tuple[str, ...]) -> list[Source]:
    from crawler.loader import unknown

    for name in ids:
        if name not in sources:
            raise CommandError(unknown(name, sources))
    return [sources[i] for i in dict.fromkeys(ids)] if ids else [s for s in sources.values() if s.enabled]


def _show(results: list[Checked], *, as_json: bool, detailed: bool) -> None:
    if as_json:
        for result in results:
            print_json(result.as_json())
        return
    if detailed:
        for number, entry in enumerate(results[0].entries, 1):
            say(f"\n{number}. {entry.get('title') or '(no title)'}")
            for name, value in entry.items():
                if name != "title":
                    say(f"   {name:22} {shorten(value)}")
        say("")
    rows = [r.as_row() for r in results]
    columns = ("source", "rows", "newest", "documents", "missing", "verdict", "what to do")
    print_table(rows, columns, "sources check", right=("rows",))


def shorten(value: Any, length: int = 160) -> str:
    """A value on one line."""
    text = " ".join(str(value).split())
    return text if len(text) <= length else f"{text[:length]}… ({len(text)} characters)"
