"""`circularwatch alerts`: are the rules right, what would they have sent, what was sent, and the sending itself."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from crawler.cli.common import (
    CommandError,
    Failed,
    common_options,
    json_option,
    load_config,
    open_database,
    print_json,
    say,
)

if TYPE_CHECKING:
    from sqlite_utils import Database

    from config import Config
    from db.search import Query

WEEKS = 12


@click.group("alerts")
def command() -> None:
    """Alert rules (config/alerts.yaml): check, try on the past, send, and see what was sent."""


@contextmanager
def opened(
    config_dir: Path | None, db_path: Path | None, *, readonly: bool = True
) -> Iterator[tuple[Config, Database]]:
    config = load_config(config_dir, db_path)
    database = open_database(config.settings.database, readonly=readonly)
    try:
        yield config, database
    finally:
        database.close()


@command.command("check")
@common_options
@json_option
def check(db_path: Path | None, config_dir: Path | None, as_json: bool) -> None:
    """Refuse bad rules in words and run their must_match and must_not_match examples; no database needed."""
    from config.alerts import read_alerts
    from pipelines.alerts.channels import Channels
    from pipelines.alerts.rules import check as find_faults
    from pipelines.alerts.rules import enabled, parsed, recipients

    config = load_config(config_dir, db_path)
    faults = find_faults(config)
    queries, _ = parsed(config)
    channels = Channels(config, read_alerts(config.directory).channels)
    rows: list[dict[str, Any]] = []
    for rule in enabled(config):
        to = recipients(rule, config)
        rows.append(
            {
                "rule": rule.id, "understood": str(queries.get(rule.id, "")), "pace": rule.pace, "to": list(to),
                "examples": len(rule.must_match) + len(rule.must_not_match),
                "faults": [f.reason for f in faults if f.rule == rule.id],
                "cannot_send": [f"{name}: {why}" for name in to if (why := channels.problem(name))],
            }
        )  # fmt: skip
    if as_json:
        print_json({"rules": rows})
    else:
        for row in rows:
            click.echo(
                f"{row['rule']} ({row['pace']}; to {', '.join(row['to']) or 'nobody: matches are kept, nothing is sent'})"
            )
            click.echo(f"  understood as {row['understood']}")
            for note in row["cannot_send"]:
                click.echo(f"  cannot send yet: {note}")
            for reason in row["faults"]:
                click.echo(f"  wrong: {reason}")
    if faults:
        wrong = dict.fromkeys(f.rule for f in faults)
        raise CommandError(f"{len(wrong)} of {len(rows)} rules are wrong: {', '.join(wrong)}")
    say(f"{len(rows)} rules are right, {sum(r['examples'] for r in rows)} examples among them")


def query_of(config: Config, rule: str) -> Query:
    """The query of a rule; CommandError for one that does not exist, is wrong or is switched off."""
    from config.errors import hint
    from pipelines.alerts.rules import parsed

    if rule not in config.alerts:
        raise CommandError(f"there is no rule {rule!r}{hint(rule, config.alerts)}")
    queries, faults = parsed(config)
    for fault in faults:
        if fault.rule == rule:
            raise CommandError(str(fault))
    if rule not in queries:
        raise CommandError(f"the rule {rule!r} is switched off (enabled: false in alerts.yaml)")
    return queries[rule]


def finds(database: Database, query: Query) -> list[tuple]:
    """All stored documents that a query finds: (id, title, outlet or source, published_on, first_seen_at)."""
    from db.search import compile_query

    compiled = compile_query(query)
    columns = "d.id, d.title, coalesce(nullif(d.outlet, ''), d.source), d.published_on, d.first_seen_at"
    return list(database.conn.execute(compiled.statement(columns, limit=False), compiled.values).fetchall())


def weekly(rows: list[tuple], now: datetime) -> list[int]:
    """Finds in each of the last weeks, by publication (first sight where there is no date), newest last."""
    counts = [0] * WEEKS
    for row in rows:
        day = datetime.fromisoformat(row[3] or row[4][:10]).replace(tzinfo=UTC)
        week = max(0, (now - day) // timedelta(days=7))  # a day that has begun in Beijing may lie ahead in UTC
        if week < WEEKS:
            counts[WEEKS - 1 - week] += 1
    return counts


@command.command("test")
@click.argument("rule")
@click.option("--limit", type=click.IntRange(min=1), default=20, show_default=True, help="How many documents to show.")
@common_options
@json_option
def test(rule: str, limit: int, db_path: Path | None, config_dir: Path | None, as_json: bool) -> None:
    """What RULE would have sent over the stored past, and how many a week."""
    with opened(config_dir, db_path) as (config, database):
        rows = finds(database, query_of(config, rule))
        weeks = weekly(rows, datetime.now(UTC))
    if as_json:
        documents = [dict(zip(("id", "title", "outlet", "published_on"), row[:4], strict=True)) for row in rows[:limit]]
        print_json({"rule": rule, "total": len(rows), "per_week": weeks, "documents": documents})
        return
    for _, title, outlet, published, _ in rows[:limit]:
        click.echo(f"{published or 'no date   '}  {title}  ({outlet})")
    say(f"{rule}: {len(rows)} documents in all; by week, the last {WEEKS}: {' '.join(map(str, weeks))}")


@command.command("backtest")
@common_options
@json_option
def backtest(db_path: Path | None, config_dir: Path | None, as_json: bool) -> None:
    """Every rule over the stored past: how many documents a week each would have told."""
    from pipelines.alerts.rules import parsed

    now = datetime.now(UTC)
    with opened(config_dir, db_path) as (config, database):
        queries, faults = parsed(config)
        if faults:
            raise CommandError(str(faults[0]))
        found = {name: finds(database, query) for name, query in queries.items()}
    rows = [{"rule": name, "total": len(hits), "per_week": weekly(hits, now)} for name, hits in found.items()]
    if as_json:
        print_json({"rules": rows})
        return
    for row in rows:
        weeks: list[int] = row["per_week"]  # type: ignore[assignment]
        click.echo(f"{row['rule']:<36} {row['total']:>6} in all   {' '.join(f'{n:>3}' for n in weeks)}")
    say(f"documents of the last {WEEKS} weeks, newest last, by publication")


@command.command("send")
@click.option("--follow", is_flag=True, help="Stay and send what comes, until Ctrl-C.")
@click.option("--summaries", is_flag=True, help="Send digests and summaries now, before their time of the day.")
@common_options
@json_option
def send(follow: bool, summaries: bool, db_path: Path | None, config_dir: Path | None, as_json: bool) -> None:
    """Deliver what is due: alerts, digests, summaries, notices of silent sources."""
    import signal
    import threading

    from pipelines.alerts.sender import SenderBusy
    from pipelines.alerts.sender import send as deliver

    stop = threading.Event()
    if follow:
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: stop.set())
    with opened(config_dir, db_path, readonly=False) as (config, database):
        try:
            done = deliver(config, database, follow=follow, stop=stop, summaries_now=summaries, say=say)
        except SenderBusy as error:
            raise Failed(str(error)) from error
    if as_json:
        print_json({"sent": done.sent, "failed": done.failed, "dead": done.dead, "blocked": done.blocked})
    for recipient, reason in done.blocked.items():
        say(f"messages to {recipient} wait: {reason}")
    say(f"{len(done.sent)} sent, {len(done.failed)} to be tried again, {len(done.dead)} given up")
    if done.failed or done.dead or done.blocked:
        raise Failed("not everything could be sent; `circularwatch alerts log` shows each attempt")


@command.command("log")
@click.option("--rule", help="Only messages of this rule.")
@click.option("--state", type=click.Choice(["pending", "sent", "dead"]), help="Only messages in this state.")
@click.option("--limit", type=click.IntRange(min=1), default=50, show_default=True)
@common_options
@json_option
def log(
    rule: str | None, state: str | None, limit: int, db_path: Path | None, config_dir: Path | None, as_json: bool
) -> None:
    """What was sent, what waits, what was given up, with every attempt."""
    with opened(config_dir, db_path) as (config, database):
        rows = messages(database, rule, state, limit)
    if as_json:
        print_json({"messages": rows})
        return
    zone = config.settings.timezone
    for row in rows:
        click.echo(
            f"{local(row['created_at'], zone)}  {row['state']:<8} {row['kind']:<8} {row['rule']} -> {row['recipient']}  ({row['documents']} documents)  {row['id']}"
        )
        for attempt in row["attempts"]:
            click.echo(
                f"    attempt {attempt['number']} {local(attempt['started_at'], zone)}: {attempt['outcome']} {attempt['reason']}"
            )
    dead = sum(row["state"] == "dead" for row in rows)
    say(
        f"{len(rows)} messages"
        + (f", {dead} given up; `circularwatch alerts retry ID` tries one again" if dead else "")
    )


def messages(database: Database, rule: str | None, state: str | None, limit: int) -> list[dict[str, Any]]:
    """Messages, newest first, each with its attempts."""
    import json

    found = database.conn.execute(
        "select id, rule, recipient, kind, state, created_at, sent_at, error, sequences from alert_messages "
        "where (?1 is null or rule = ?1) and (?2 is null or state = ?2) order by created_at desc, id limit ?3",
        (rule, state, limit),
    ).fetchall()
    out = []
    for row in found:
        names = ("id", "rule", "recipient", "kind", "state", "created_at", "sent_at", "error")
        attempts = database.conn.execute(
            "select number, started_at, finished_at, outcome, reason from alert_attempts where message = ? order by number",
            (row[0],),
        ).fetchall()
        fields = ("number", "started_at", "finished_at", "outcome", "reason")
        out.append(
            dict(zip(names, row[:8], strict=True))
            | {"documents": len(json.loads(row[8])), "attempts": [dict(zip(fields, a, strict=True)) for a in attempts]}
        )
    return out


@command.command("retry")
@click.argument("message", metavar="ID")
@common_options
def retry(message: str, db_path: Path | None, config_dir: Path | None) -> None:
    """Give a message that was given up another series of attempts, under the same key."""
    from db import immediate, outbox

    with opened(config_dir, db_path, readonly=False) as (_, database), immediate(database) as connection:
        revived = outbox.revive(connection, message, datetime.now(UTC))
    if not revived:
        raise CommandError(
            f"no message {message!r} was given up; `circularwatch alerts log --state dead` lists those that were"
        )
    say(f"{message} is tried again with the next `circularwatch alerts send`")


def local(instant: str, zone: str) -> str:
    """A stored instant in the operator's zone."""
    from zoneinfo import ZoneInfo

    return datetime.fromisoformat(instant).astimezone(ZoneInfo(zone)).strftime("%Y-%m-%d %H:%M")
