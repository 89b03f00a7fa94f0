"""Alert rules: what users want to be told of. The query text itself is checked by the search that runs it."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from config.checking import build, line_of, raise_all
from config.errors import ConfigError, hint
from config.fields import Filled, Id, Model, Texts, check_time
from config.settings import check_recipient
from config.yaml_lines import Map, load

FILE = "alerts.yaml"


def check_pace(value: str) -> str:
    """`at once`, or `daily HH:MM` (in the operator's zone)."""
    if value == "at once":
        return value
    match = re.fullmatch(r"daily (\S+)", value)
    if not match:
        raise ValueError(f"{value!r} is not a pace; write 'at once' or 'daily HH:MM', for example 'daily 08:30'")
    check_time(match.group(1))
    return value


def check_variable(value: str) -> str:
    """The name of an environment variable."""
    if not re.fullmatch(r"CIRCULARWATCH_CHANNEL_[A-Z0-9_]+", value):
        raise ValueError(
            f"{value!r} is not the name of a channel's variable; name it CIRCULARWATCH_CHANNEL_… and keep the address there"
        )
    return value


def as_examples(value: object) -> object:
    """Examples may be plain texts; a text is a title."""
    if not isinstance(value, (list, tuple)):
        return value
    return [{"title": item} if isinstance(item, str) else item for item in value]


class Example(Model):
    """A made-up document that tries a rule: `circularwatch alerts check` runs it."""

    title: Filled = Field(description="title")
    text: str = Field("", description="text")
    tasks: Texts = Field((), description="tasks that the document carries")


Examples = Annotated[tuple[Example, ...], BeforeValidator(as_examples)]


class Channel(Model):
    """A way to send. Its address is a secret and stands in the environment."""

    kind: Literal["email", "webhook", "apprise"] = Field(
        description="email, webhook (JSON by POST) or an Apprise address"
    )
    variable: Annotated[str, AfterValidator(check_variable)] | None = Field(
        None, description="environment variable with the address (webhook, apprise)"
    )

    @model_validator(mode="after")
    def _needs_variable(self) -> Channel:
        if self.kind != "email" and self.variable is None:
            raise ValueError(
                f"a channel of kind {self.kind} needs 'variable', the environment variable with its address"
            )
        return self


class Rule(Model):
    """One rule. It fires exactly where a search for its query would find."""

    id: Id = Field(description="short name; stays the same when the rule changes")
    name: Filled = Field(description="what the message's subject says")
    query: Filled = Field(description="what is looked for, in the query language")
    to: Texts = Field(
        (), description="e-mail addresses; empty = settings.alerts_to, or no mail where channels are named"
    )
    channels: Texts = Field(
        (), description="names of channels; they take the place of settings.alerts_to, and go besides 'to'"
    )
    pace: Annotated[str, AfterValidator(check_pace)] = Field(
        "at once", description="'at once', or 'daily HH:MM' for one digest a day"
    )
    enabled: bool = Field(True, description="false = keep the rule, don't run it")
    must_match: Examples = Field((), description="documents that the rule must find")
    must_not_match: Examples = Field((), description="documents that it must not find")
    note: str = Field("", description="for people")

    @property
    def daily_at(self) -> str:
        """The digest's time as HH:MM, or "" for a rule that sends at once."""
        return self.pace.removeprefix("daily ") if self.pace.startswith("daily ") else ""


class Alerts(Model):
    """The file."""

    version: Literal[1] = Field(description="the form of this file")
    channels: dict[str, Channel] = Field(default_factory=dict, description="ways to send besides e-mail")
    rules: tuple[Rule, ...] = Field((), description="the rules")


def load_alerts(directory: Path) -> dict[str, Rule]:
    """The rules by id; raises ConfigError."""
    return {rule.id: rule for rule in read_alerts(directory).rules}


def read_alerts(directory: Path) -> Alerts:
    """The whole file, with channels; raises ConfigError. Without the file there are no rules."""
    if not (directory / FILE).exists():
        return Alerts.model_validate({"version": 1})
    data = load(directory / FILE)
    if not isinstance(data, Map):
        raise ConfigError(FILE, 1, "the file must hold the keys version, channels and rules")
    alerts = build(Alerts, data, FILE)
    found = []
    seen: dict[str, int] = {}
    for index, rule in enumerate(alerts.rules):
        if rule.id in seen:
            found.append(_fault(data, index, ("id",), f"the id {rule.id!r} is used twice"))
        seen[rule.id] = index
        for position, name in enumerate(rule.channels):
            if name not in alerts.channels:
                message = f"there is no channel {name!r}{hint(name, alerts.channels)}"
                found.append(
                    _fault(data, index, ("channels", position), f"{rule.id}: channels.{position + 1}: {message}")
                )
        for position, address in enumerate(rule.to):
            try:
                check_recipient(address)
            except ValueError as error:
                found.append(_fault(data, index, ("to", position), f"{rule.id}: to.{position + 1}: {error}"))
    if found:
        raise_all(found)
    return alerts


def _fault(data: Map, index: int, loc: tuple[str | int, ...], message: str) -> ConfigError:
    return ConfigError(FILE, line_of(data, ("rules", index, *loc)), message)


def delivers(rule: Rule, alerts_to: tuple[str, ...]) -> tuple[str, ...]:
    """To whom a rule sends mail: its own recipients, else the operator's, unless it goes by channels; empty = no mail."""
    return rule.to or (() if rule.channels else alerts_to)
