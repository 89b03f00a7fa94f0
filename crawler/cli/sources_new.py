"""`circularwatch sources new URL`: a new source in five minutes. Shows the ways to watch a site, writes the one chosen."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from crawler.cli.common import DONE, CommandError, Failed, config_option, json_option, load_config, print_json, say

if TYPE_CHECKING:
    from crawler.propose.candidates import Candidate
    from crawler.propose.survey import Survey


@click.command("new")
@click.argument("url")
@config_option
@json_option
@click.option("--like", "like_id", default="", metavar="ID", help="Read the page as this known source is read.")
@click.option("--choose", type=click.IntRange(1), help="Take this way without being asked.")
@click.option("--id", "new_id", default="", help="The new source's id.  [default: by its host]")
@click.option("--write", is_flag=True, help="Write the block into sources.yaml and the fixture, then run the check.")
@click.option(
    "--fixtures",
    "fixtures",
    type=click.Path(file_okay=False, path_type=Path),
    default=None,
    help="Where the fixture folder is made.  [default: tests/pipelines/fixtures/lists of a checkout, else fixtures/ in the configuration folder]",
)
@click.option("--no-check", is_flag=True, help="Do not read documents of the new source afterwards.")
def command(
    url: str,
    config_dir: Path | None,
    as_json: bool,
    like_id: str,
    choose: int | None,
    new_id: str,
    write: bool,
    fixtures: Path | None,
    no_check: bool,
) -> int:
    """Propose how a site could be watched: feeds, news sitemaps, WordPress, known platforms, repeated rows.

    Everything is asked through the house's own door: robots.txt is obeyed, one request at a time.
    """
    from crawler.propose import survey as work

    house = load_config(config_dir)
    template = _template(house.sources, like_id)
    try:
        found = work.survey(url, house.directory, like=template, say=say)
    except RuntimeError as fault:
        raise CommandError(str(fault)) from fault
    _show(found, as_json=as_json, taken=house.sources)
    if not found.candidates:
        raise Failed(f"{url}: {found.why}")
    chosen = _chosen(found, choose, write)
    if chosen is None:
        return DONE
    _name(chosen, new_id, house.sources)
    if not write:
        from crawler.propose.writing import as_yaml

        click.echo(as_yaml(chosen.block), nl=False, err=as_json)
        say("nothing was written; give --write to put this into sources.yaml with its fixture")
        return DONE
    return _write(chosen, house.directory, fixtures, check=not no_check, as_json=as_json)


def _template(sources: Any, like_id: str) -> Any:
    if not like_id:
        return None
    from crawler.loader import unknown

    if like_id not in sources:
        raise CommandError(unknown(like_id, sources))
    return sources[like_id]


def _show(found: Survey, *, as_json: bool, taken: Any) -> None:
    from crawler.propose.writing import propose_id

    if as_json:
        for number, one in enumerate(found.candidates, 1):
            shown = {
                "number": number,
                "kind": one.kind or "like",
                "label": one.label,
                "url": one.url,
                "how": one.how,
                "rows": one.rows,
            }
            shown |= {
                "entries": one.entries(),
                "robots": one.robots,
                "missing": one.missing,
                "remarks": one.listed.remarks,
            }
            print_json(shown | {"block": one.block | {"id": propose_id(one, taken)}})
        if not found.candidates:
            print_json({"url": found.url, "why": found.why, "robots": found.robots, "asked": dict(found.asked)})
        return
    from crawler.cli.sources import shorten
    from crawler.cli.tables import print_table

    if found.site:
        say(
            f"{found.site.name} ({found.site.language}{', ' + found.site.system if found.site.system else ''}); {found.robots}"
        )
    for number, one in enumerate(found.candidates, 1):
        rows = [{"title": shorten(e["title"], 70), "url": e["url"], "date": e["date"]} for e in one.entries()]
        print_table(rows, ("title", "url", "date"), f"{number}. {one.label}: {one.rows} rows from {one.url}")
        say(f"   found: {one.how}; robots.txt: {one.robots}; missing: {', '.join(one.missing) or 'nothing'}")
        for remark in one.listed.remarks[:3]:
            say(f"   {remark}")
    for address, word in found.asked if not found.candidates else ():
        say(f"   {address}: {word}")


def _chosen(found: Survey, choose: int | None, write: bool) -> Candidate | None:
    count = len(found.candidates)
    if choose is None:
        if not (sys.stdin.isatty() and sys.stderr.isatty()):
            if write:
                raise CommandError(f"say which of the {count} ways is to be written: --choose 1")
            return None
        choose = click.prompt("Which way", type=click.IntRange(1, count), default=1, err=True)
    if choose > count:
        raise CommandError(f"there is no way {choose}: {count} were found")
    return found.candidates[choose - 1]


def _name(chosen: Candidate, new_id: str, taken: Any) -> None:
    from crawler.propose.writing import propose_id

    if new_id and new_id in taken:
        raise CommandError(f"there is a source {new_id!r} already; give another --id")
    chosen.block["id"] = new_id or propose_id(chosen, taken)
    chosen.block["evidence_on"] = datetime.now(UTC).date().isoformat()


def _write(chosen: Candidate, directory: Path, fixtures: Path | None, *, check: bool, as_json: bool) -> int:
    from crawler.propose import writing

    file = writing.add(chosen, directory)
    case = writing.add_fixture(chosen, fixtures or _fixture_folder(directory))
    say(f"{chosen.block['id']}: written at the end of {file}, its list in {case}")
    if not check:
        return DONE
    import config
    from crawler.cli import sources as listing
    from crawler.cli import sources_check as work

    source = config.load_sources(directory)[chosen.block["id"]]
    saved = work.check_fixtures([source], case.parent)
    results = work.check_live([source], 3, directory)
    for result in results:
        result.faults = [*saved[0].faults, *result.faults]
    listing._show(results, as_json=as_json, detailed=True)
    if any(r.verdict != "good" for r in results):
        raise Failed(f"{source.id} was written, and needs a look: {results[0].advice}")
    return DONE


def _fixture_folder(directory: Path) -> Path:
    """A checkout's own fixtures for the built-in configuration, else a folder beside the operator's files."""
    checkout = Path(__file__).parents[2] / "tests" / "pipelines" / "fixtures" / "lists"
    import config

    own = directory.resolve() == Path(config.__file__).parent.resolve()
    return checkout if own and checkout.is_dir() else directory / "fixtures"
