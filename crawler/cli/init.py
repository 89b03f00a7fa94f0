"""`circularwatch init`: the first run: contact, time zone, first recipient, a test message, and a look at every source."""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from crawler.cli.common import DONE, FAILURES, CommandError, common_options, load_config, say

if TYPE_CHECKING:
    from collections.abc import Callable

    from config import Config

FILE = Path("circularwatch.yaml")
HEAD = "# The operator's choices, written by `circularwatch init`; `circularwatch config check` shows what holds and why.\n"


@click.command("init")
@click.option("--contact", help="E-mail or web address by which site owners reach you. Every request carries it.")
@click.option("--timezone", help="Zone in which times are shown and digests are sent, such as Asia/Shanghai.")
@click.option(
    "--to", "recipient", help="First recipient of alerts and of notices that a source fell silent; '' = nobody."
)
@click.option("--test-message/--no-test-message", "message", default=True, show_default=True,
              help="Send the recipient a test message, if a mail server is set.")  # fmt: skip
@click.option("--check/--no-check", "look", default=True, show_default=True,
              help="Then read every source once (some minutes, polite) and show a table.")  # fmt: skip
@common_options
def command(
    contact: str | None, timezone: str | None, recipient: str | None, message: bool, look: bool,
    db_path: Path | None, config_dir: Path | None,
) -> int:  # fmt: skip
    """Ask for what a live crawl needs and write it to ./circularwatch.yaml; other lines of that file stay as they are.

    What is given by an option is not asked for. Without a terminal, --contact is needed and the rest has defaults.
    """
    from config.settings import check_contact, check_recipient

    before = load_config(config_dir, db_path).settings
    given = {
        "contact": _value(
            contact, "Your e-mail or web address, for site owners", before.contact, _filled(check_contact)
        ),
        "timezone": _value(timezone, "Time zone", before.timezone, _zone),
    }
    to = _value(recipient, "First recipient of alerts (e-mail, empty = nobody)", ", ".join(before.alerts_to[:1]),
                lambda text: check_recipient(text) if text else "")  # fmt: skip
    write(FILE, given | {"alerts_to": [to] if to else []})
    say(f"written: {FILE.absolute()}")
    config = load_config(config_dir, db_path)
    _warn_of_environment(config, given | {"alerts_to": to})
    status = DONE
    if to and message:
        status = max(status, send_test(config, to))
    if look:
        status = max(status, look_at_sources(config))
    say("next: `circularwatch crawl` for one pass, or `circularwatch up` for the service")
    return status


def _value(given: str | None, question: str, default: str, check: Callable[[str], str]) -> str:
    """The option, or the answer to the question; asked again until it is right. Without a terminal, the default."""
    if given is None and sys.stdin.isatty():
        while True:
            answer: str = click.prompt(question, default=default, show_default=bool(default), err=True).strip()
            try:
                return check(answer)
            except ValueError as e:
                say(f"{e}")
    try:
        return check(given.strip() if given is not None else default)
    except ValueError as e:
        raise CommandError(f"{question}: {e}") from None


def _filled(check: Callable[[str], str]) -> Callable[[str], str]:
    def checked(text: str) -> str:
        if not text:
            raise ValueError("needed: a crawl must say who asks; give it with --contact")
        return check(text)

    return checked


def _zone(text: str) -> str:
    from config.fields import check_zone

    return check_zone(text)


def write(path: Path, values: dict[str, Any]) -> None:
    """Set these keys in a settings file and leave all other lines alone; the file is there whole or as it was."""
    import json

    lines = path.read_text("utf-8").splitlines() if path.exists() else HEAD.splitlines()
    for key, value in values.items():
        line = f"{key}: {json.dumps(value, ensure_ascii=False)}"
        at = next((n for n, text in enumerate(lines) if re.match(rf"{key}\s*:", text)), None)
        if at is None:
            lines.append(line)
            continue
        end = at + 1
        while end < len(lines) and re.match(r"(\s+\S|\s*-\s)", lines[end]):  # the rest of a value of several lines
            end += 1
        lines[at:end] = [line]
    partial = path.with_name(path.name + ".partial")
    partial.write_text("\n".join(lines) + "\n", encoding="utf-8")
    os.replace(partial, path)


def _warn_of_environment(config: Config, given: dict[str, Any]) -> None:
    """The environment wins over the file: say so where it does."""
    for name in given:
        origin = config.settings.origin(name)
        if origin.startswith("environment"):
            say(f"note: {name} comes from the {origin}, which wins over the file")


def send_test(config: Config, to: str) -> int:
    """A test message through outbox and sender, if mail is set up; says how it went."""
    from datetime import UTC, datetime

    import db
    from db import outbox
    from pipelines.alerts.channels import Channels
    from pipelines.alerts.sender import SenderBusy, send

    recipient = f"mail:{to}"
    if reason := Channels(config, {}).problem(recipient):
        say(f"no test message: {reason}; then `circularwatch init` again, or go on without mail")
        return DONE
    now = datetime.now(UTC)
    payload = {
        "subject": "circularwatch: a test message",
        "lines": [
            "This is what a message of circularwatch looks like. Nothing has happened; it was asked for by init.",
            "这是一封测试邮件，无需处理。",
            f"Asked for at {outbox.stamp(now)}.",
        ],
    }
    opened = db.connect(config.settings.database)
    try:
        with db.immediate(opened) as conn:
            key = outbox.put(conn, "circularwatch", recipient, "test", [], now, payload)
        try:
            send(config, opened)
        except SenderBusy:
            say("the test message is queued; the sender that is running sends it")
            return DONE
        state, error = opened.conn.execute("select state, error from alert_messages where id = ?", (key,)).fetchone()
    finally:
        opened.close()
    if state == "sent":
        say(f"a test message was sent to {to}")
        return DONE
    say(f"the test message to {to} was not sent: {error or 'see circularwatch alerts log'}")
    return FAILURES


def look_at_sources(config: Config) -> int:
    """`sources check` of all that are on, one table."""
    from crawler.cli import sources_check
    from crawler.cli.sources import _show

    results = sources_check.check_live([s for s in config.sources.values() if s.enabled], 1, config.directory)
    _show(results, as_json=False, detailed=False)
    bad = [r.source for r in results if r.verdict != "good"]
    if bad:
        say(f"{len(bad)} of {len(results)} sources need a look: {', '.join(bad)}")
        return FAILURES
    return DONE
