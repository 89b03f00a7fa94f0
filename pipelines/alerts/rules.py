"""The configured rules, parsed and checked: what the matcher runs and what `alerts check` reports."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from typing import TYPE_CHECKING

from config.alerts import Example, Rule, delivers
from db import outbox
from db.search import Query, QueryError, parse
from db.search.index import refresh
from db.search.match import Matcher, empty_copy
from db.search.names import allowed

if TYPE_CHECKING:
    from config import Config


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong with a rule, in words."""

    rule: str
    reason: str

    def __str__(self) -> str:
        return f"rule {self.rule}: {self.reason}"


def recipients(rule: Rule, config: Config) -> tuple[str, ...]:
    """To whom a rule sends, as the outbox names them: `mail:ADDRESS` and `channel:NAME`."""
    mails = delivers(rule, config.settings.alerts_to) if not rule.channels or rule.to else ()
    return (*(f"mail:{address}" for address in mails), *(f"channel:{name}" for name in rule.channels))


def outbox_rule(rule: Rule, config: Config) -> outbox.Rule:
    """A configured rule as the outbox needs it."""
    return outbox.Rule(rule.id, rule.query, recipients(rule, config), "daily" if rule.daily_at else "at-once")


def enabled(config: Config) -> list[Rule]:
    """The rules that run."""
    return [rule for rule in config.alerts.values() if rule.enabled]


def parsed(config: Config) -> tuple[dict[str, Query], list[Fault]]:
    """The queries of all enabled rules, and a fault for each that cannot run."""
    rules = enabled(config)
    names = allowed(config) if rules else {}
    queries: dict[str, Query] = {}
    faults = []
    for rule in rules:
        try:
            queries[rule.id] = parse(rule.query, names)
        except QueryError as error:
            faults.append(Fault(rule.id, f"the query cannot run: {error}"))
    return queries, faults


def check(config: Config) -> list[Fault]:
    """Everything wrong with the rules: queries that do not parse, examples that go the wrong way."""
    queries, faults = parsed(config)
    for rule in enabled(config):
        if rule.id in queries:
            faults += [Fault(rule.id, reason) for reason in wrong_examples(rule, queries[rule.id])]
    return faults


def wrong_examples(rule: Rule, query: Query) -> list[str]:
    """Examples that the rule finds and must not, or must find and does not."""
    matcher = Matcher({rule.id: query})
    wrong = []
    for example in rule.must_match:
        if not fires(matcher, example):
            wrong.append(f"must_match: {example.title!r} is not found")
    for example in rule.must_not_match:
        if fires(matcher, example):
            clauses = ", ".join(why(matcher, rule.id, example))
            wrong.append(f"must_not_match: {example.title!r} is found (by {clauses or 'nothing but NOT'})")
    return wrong


def fires(matcher: Matcher, example: Example) -> bool:
    """Whether the (only) rule of a matcher finds an example."""
    return bool(matcher.match(example_database(example), [1]))


def why(matcher: Matcher, rule: str, example: Example) -> list[str]:
    """The clauses of a rule that are true of an example."""
    return matcher.clauses(example_database(example), 1, rule)


def example_database(example: Example) -> sqlite3.Connection:
    """A database in memory whose document 1 is the example."""
    connection = empty_copy()
    chinese = any("\u4e00" <= char <= "\u9fff" for char in example.title + example.text)
    connection.execute(
        "insert into documents(pk, id, identity, url, canonical_url, source, kind, title, text, language, first_seen_at, "
        "relevant, relevance, classifier, fetch) values (1, 'example', 'example', '', '', 'example', 'news', ?, ?, ?, "
        "'2024-04-16T00:00:00Z', ?, ?, 'example', 1)",
        (example.title, example.text, "zh" if chinese else "en", bool(example.tasks), float(bool(example.tasks))),
    )
    for task in example.tasks:
        connection.execute(
            "insert into document_tasks(document, task, score, classifier) values (1, ?, 1, 'example')", (task,)
        )
    refresh(connection)
    return connection
