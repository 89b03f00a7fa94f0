"""`circularwatch schedule`: the scheduler, and what people ask of it (run, pause, resume, status)."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from crawler.cli.common import (
    DONE,
    CommandError,
    Failed,
    common_options,
    environment,
    json_option,
    load_config,
    open_database,
    print_json,
    say,
)

if TYPE_CHECKING:
    from config import Config

# A live scheduler looks for orders twice a second; a busy machine gets a little more.
ANSWER_S = 15.0


@click.group("schedule", invoke_without_command=True)
@click.option(
    "--every",
    metavar="SECONDS",
    type=click.FloatRange(1, 86_400 * 7),
    help="One interval for all sources, to try the schedule; only with a proxy on this machine (the imitation web).",
)
@click.option("--only", default="", metavar="ID,ID", help="Schedule these sources only.")
@click.option("--process/--no-process", "with_processor", default=True, show_default=True,
              help="Keep a processor running too, that reads what the crawls bring.")  # fmt: skip
@common_options
@json_option
@click.pass_context
def command(
    ctx: click.Context, every: float | None, only: str, with_processor: bool, db_path: Path | None,
    config_dir: Path | None, as_json: bool,
) -> int | None:  # fmt: skip
    """Crawl every source when it is due, until Ctrl-C or SIGTERM (then it ends within 15 seconds).

    Intervals and cron lines are in sources.yaml, in Beijing time. Each crawl is a process of its own. A changed
    configuration is taken over by itself, or on SIGHUP; a faulty one is told and the old one stays.
    """
    if ctx.invoked_subcommand is not None:
        refuse_options_before(ctx, ctx.invoked_subcommand)
        return None
    config = load_config(config_dir, db_path)
    chosen = tuple(n.strip() for n in only.split(",") if n.strip())
    check(config, every, chosen)
    if not with_processor:
        return run_scheduler(config, every, chosen, as_json=as_json, db_path=db_path)
    from crawler.cli.up import make_database, refuse_second
    from crawler.schedule.supervisor import parts_of, supervise

    refuse_second(config)
    make_database(config)
    parts = parts_of(
        config, every, chosen, sender=False, port=None, as_json=as_json, db_path=db_path, config_dir=config_dir
    )
    return supervise(parts, config, environment(db_path), as_json=as_json)


def refuse_options_before(ctx: click.Context, subcommand: str) -> None:
    """An option between `schedule` and its command would be dropped in silence, and the wrong database asked."""
    from click.core import ParameterSource

    given = [
        p.opts[0] for p in ctx.command.params if ctx.get_parameter_source(p.name or "") is ParameterSource.COMMANDLINE
    ]
    if given:
        raise CommandError(
            f"{', '.join(given)} must stand behind the command: circularwatch schedule {subcommand} … {given[0]} …"
        )


def check(config: Config, every: float | None, only: tuple[str, ...]) -> None:
    """Refuse what cannot run, before anything runs."""
    from crawler.house import on_loopback, why_not
    from crawler.schedule.plan import timings
    from crawler.spiders.refusal import refusal

    for name in only:
        known(config, name)
        if off := refusal(config.sources[name], named=False):
            raise CommandError(off)
    if refused := why_not(config.settings):
        raise CommandError(refused)
    if every and not on_loopback(config.settings.proxy):
        raise CommandError(
            "--every is for trying the schedule on the imitation web: set $CIRCULARWATCH_PROXY to it, "
            "or set interval_min in sources.yaml for the real one"
        )
    if not timings(config.sources):
        raise CommandError("no source is enabled; enable some in sources.yaml")


def known(config: Config, name: str) -> None:
    """Refuse a source that doesn't exist."""
    from config.errors import hint

    if name not in config.sources:
        raise CommandError(
            f"there is no source {name!r}{hint(name, list(config.sources))}; `circularwatch sources list` shows them"
        )


def run_scheduler(
    config: Config, every: float | None, only: tuple[str, ...], *, as_json: bool, db_path: Path | None
) -> int:
    """The scheduler itself, in this process."""
    import asyncio

    from crawler.schedule.control import SchedulerBusy
    from crawler.schedule.scheduler import Scheduler
    from crawler.schedule.talk import Talk

    async def main() -> int:
        talk = Talk(config.settings.timezone, as_json=as_json)
        return await Scheduler(config, environment(db_path), talk, every_s=every, only=only).run()

    try:
        return asyncio.run(main())
    except SchedulerBusy as e:
        raise Failed(str(e)) from e


# ---------------------------------------------------------------------- orders


def _names(config: Config, sources: tuple[str, ...], everything: bool) -> list[str]:
    for name in sources:
        known(config, name)
    if sources and everything:
        raise CommandError("name sources, or say --all, not both")
    if not sources and not everything:
        raise CommandError("name the sources, or say --all")
    return list(dict.fromkeys(sources)) if sources else [s.id for s in config.sources.values() if s.enabled]


all_option = click.option("--all", "everything", is_flag=True, help="All sources that are on.")


@command.command("run")
@click.argument("sources", nargs=-1, metavar="[SOURCE]...")
@all_option
@common_options
@json_option
def run_now(
    sources: tuple[str, ...], everything: bool, db_path: Path | None, config_dir: Path | None, as_json: bool
) -> int:
    """Ask the live scheduler to crawl these sources now, also paused ones."""
    from crawler.schedule import control

    config = load_config(config_dir, db_path)
    names = _names(config, sources, everything)
    path = config.settings.database
    if control.scheduler_of(path) is None:
        raise Failed(
            f"no scheduler is running on {path}; `circularwatch crawl {' '.join(sources)}` crawls now without one"
        )
    opened = open_database(path)
    numbers = {name: control.order(opened, "run", name) for name in names}
    silent: list[str] = []
    for name, number in numbers.items():
        # one that did not answer the first order need not be waited for with every other one
        said = control.wait_for(opened, number, 0.0 if silent else ANSWER_S)
        if said is None:
            control.withdraw(opened, number)
            silent.append(name)
        if as_json:
            print_json({"source": name, "answer": said})
        else:
            click.echo(f"{name}: {said or 'no answer'}")
    if silent:
        raise Failed(
            f"the scheduler did not answer within {ANSWER_S:g} s for {', '.join(silent)}; the order is withdrawn"
        )
    return DONE


@command.command("pause")
@click.argument("sources", nargs=-1, metavar="[SOURCE]...")
@all_option
@click.option("--why", default="", help="The reason, shown wherever the pause is.")
@common_options
@json_option
def pause(
    sources: tuple[str, ...], everything: bool, why: str, db_path: Path | None, config_dir: Path | None, as_json: bool
) -> int:
    """Don't crawl these sources until `resume`; a crawl under way goes on to its end. Kept over restarts."""
    from crawler.schedule import book

    config = load_config(config_dir, db_path)
    names = _names(config, sources, everything)
    opened = open_database(config.settings.database, must_exist=False)
    changed = book.pause(opened, names, why)
    _told(config, names, changed, "paused", "was paused already", as_json)
    return DONE


@command.command("resume")
@click.argument("sources", nargs=-1, metavar="[SOURCE]...")
@all_option
@common_options
@json_option
def resume(
    sources: tuple[str, ...], everything: bool, db_path: Path | None, config_dir: Path | None, as_json: bool
) -> int:
    """Let paused sources go on, at their next time (`run` does it at once)."""
    from crawler.schedule import book

    config = load_config(config_dir, db_path)
    opened = open_database(config.settings.database, must_exist=False)
    names = sorted(book.paused(opened)) if everything and not sources else _names(config, sources, everything)
    changed = book.resume(opened, names)
    _told(config, names, changed, "resumed", "was not paused", as_json)
    return DONE


def _told(config: Config, names: list[str], changed: list[str], done: str, already: str, as_json: bool) -> None:
    from crawler.schedule import control

    live = control.scheduler_of(config.settings.database)
    for name in names:
        words = done if name in changed else already
        if as_json:
            print_json({"source": name, "changed": name in changed, "scheduler": live is not None})
        else:
            click.echo(f"{name}: {words}")
    if not names:
        say("nothing is paused")
    if live is None:
        say("no scheduler is running now; this is kept and holds when one starts")


# ---------------------------------------------------------------------- status


@command.command("status")
@click.argument("sources", nargs=-1, metavar="[SOURCE]...")
@common_options
@json_option
def status(sources: tuple[str, ...], db_path: Path | None, config_dir: Path | None, as_json: bool) -> int:
    """Whether a scheduler is running; for each source what it does now, when it is due next, how the last crawl ended."""
    from crawler.schedule import control
    from crawler.schedule.state import rows_of

    config = load_config(config_dir, db_path)
    for name in sources:
        known(config, name)
    path = config.settings.database
    live = control.scheduler_of(path)
    opened = open_database(path, readonly=True)
    rows = rows_of(opened, config, live, datetime.now(UTC), sources)
    if as_json:
        print_json({"scheduler": live, "sources": rows})
        return DONE
    show_status(config, live, rows)
    return DONE


def _now(row: dict[str, Any], zone: str) -> str:
    """What a source is doing, in words."""
    from crawler.schedule.talk import moment

    since = (
        row["running_since"] if row["state"] == "running" else row["paused_at"] if row["state"] == "paused" else None
    )
    tail = f" since {moment(since, zone)}" if since else ""
    return f"{row['state']}{tail}" + (f": {row['why']}" if row["why"] else "")


def show_status(config: Config, live: dict[str, Any] | None, rows: list[dict[str, Any]]) -> None:
    """The table for people, times in the operator's zone."""
    from crawler.cli.tables import print_table
    from crawler.schedule.talk import moment

    zone = config.settings.timezone
    columns = ("source", "every", "now", "due next", "last crawl", "how it ended")
    print_table(
        [
            {
                "source": r["source"],
                "every": r["every"],
                "now": _now(r, zone),
                "due next": moment(r["next_at"], zone),
                "last crawl": moment(r["last_at"], zone),
                "how it ended": r["last"],
            }
            for r in rows
        ],
        columns,
        f"schedule (times in {zone})",
    )
    if live is None:
        say("no scheduler is running; start one with `circularwatch up` or `circularwatch schedule`")
    else:
        say(f"the scheduler is process {live.get('pid')}, since {moment(live.get('since'), zone)}")
