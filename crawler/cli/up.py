"""`circularwatch up`: the whole service in one command: schedule, processor, sender and Datasette, kept alive."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from crawler.cli.common import Failed, common_options, environment, json_option, load_config
from crawler.cli.schedule import check

if TYPE_CHECKING:
    from config import Config


@click.command("up")
@click.option(
    "--port", type=click.IntRange(0, 65535), default=8001, show_default=True, help="Port of Datasette on this machine."
)
@click.option("--serve/--no-serve", "with_pages", default=True, show_default=True, help="Datasette's pages too.")
@click.option("--send/--no-send", "with_sender", default=True, show_default=True, help="Send alerts too.")
@click.option(
    "--every",
    metavar="SECONDS",
    type=click.FloatRange(1, 86_400 * 7),
    help="One interval for all sources, to try the service; only with a proxy on this machine (the imitation web).",
)
@click.option("--only", default="", metavar="ID,ID", help="Schedule these sources only.")
@common_options
@json_option
def command(
    port: int, with_pages: bool, with_sender: bool, every: float | None, only: str, db_path: Path | None,
    config_dir: Path | None, as_json: bool,
) -> int:  # fmt: skip
    """Run everything until Ctrl-C or SIGTERM: crawls when they are due, one processor, the sender of alerts, Datasette.

    A part that dies is started again, later each time, and said so. After SIGTERM all has ended within 15 seconds. A
    changed configuration is taken over by itself; a faulty one is told and the old one stays.
    """
    from crawler.cli import COMMANDS
    from crawler.schedule.supervisor import parts_of, supervise

    config = load_config(config_dir, db_path)
    chosen = tuple(n.strip() for n in only.split(",") if n.strip())
    check(config, every, chosen)
    refuse_second(config)
    make_database(config)
    parts = parts_of(
        config, every, chosen, sender=with_sender and "alerts" in COMMANDS,
        port=port if with_pages and "serve" in COMMANDS else None, as_json=as_json, db_path=db_path, config_dir=config_dir,
    )  # fmt: skip
    return supervise(parts, config, environment(db_path), as_json=as_json)


def refuse_second(config: Config) -> None:
    """One scheduler per database."""
    from crawler.schedule import control

    live = control.scheduler_of(config.settings.database)
    if live is not None:
        raise Failed(
            f"a scheduler (process {live.get('pid')}) is at work on {config.settings.database} already; "
            "`circularwatch schedule status` shows it"
        )


def make_database(config: Config) -> None:
    """Make it (or bring it up to date) before several processes open it, and refuse here what they would all refuse."""
    import db
    from db.tables import sync

    opened = db.connect(config.settings.database)
    sync(opened, config)
    opened.close()
