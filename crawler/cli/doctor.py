"""`circularwatch doctor`: is the installation sound, and if not, what to do."""

from __future__ import annotations

from pathlib import Path

import click

from crawler.cli.common import DONE, FAILURES, common_options, environment, json_option, print_json, say

COLOURS = {"ok": "green", "warn": "yellow", "bad": "red"}


@click.command("doctor")
@click.option("--mend", is_flag=True, help="Put right what can be put right without losing anything.")
@click.option("--thorough", is_flag=True, help="Read every record of the archive, not only the last of each file.")
@common_options
@json_option
def command(mend: bool, thorough: bool, db_path: Path | None, config_dir: Path | None, as_json: bool) -> int:
    """Packages, configuration, disk, clock, database, search index, queue, messages, locks, archive, sources.

    One line each: ok, warn or bad, with the remedy. Exit status 1 if anything is bad. May run beside the service.
    """
    from crawler.doctor import examine

    env = environment(db_path)
    found = []
    for finding in examine(config_dir, env, mend=mend, thorough=thorough):
        found.append(finding)
        if as_json:
            print_json(finding.as_json())
            continue
        click.echo(
            f"{click.style(f'{finding.state:4}', fg=COLOURS[finding.state])}  {finding.check:14} {finding.words}"
        )
        if finding.remedy:
            click.echo(f"      {'':14} -> {finding.remedy}")
    counts = {state: sum(f.state == state for f in found) for state in COLOURS}
    say(f"{counts['ok']} ok, {counts['warn']} to look at, {counts['bad']} bad")
    return FAILURES if counts["bad"] else DONE
