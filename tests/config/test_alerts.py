"""Alert rules: what is shipped, examples, and when something is sent."""

from pathlib import Path

import pytest

import config
from config import ConfigError
from config.alerts import Channel, delivers, load_alerts, read_alerts
from config.checking import build
from config.yaml_lines import parse

ROOT = Path(config.__file__).parent
RULES = load_alerts(ROOT)
TAXONOMY = config.load_taxonomy(ROOT)


def test_nothing_is_sent_as_shipped() -> None:
    assert len(RULES) >= 3
    assert all(delivers(rule, ()) == () for rule in RULES.values())
    assert read_alerts(ROOT).channels == {}


def test_the_operators_recipient_gets_rules_that_name_none(small: Path) -> None:
    rule = next(iter(RULES.values()))
    assert delivers(rule, ("me@example.org",)) == ("me@example.org",)
    own = load_alerts(small)["trade-news"]
    assert delivers(own, ("me@example.org",)) == ("desk@example.org",)


@pytest.mark.parametrize("rule", RULES.values(), ids=list(RULES))
def test_shipped_rules_name_tasks_that_exist(rule: config.alerts.Rule) -> None:  # type: ignore[name-defined]
    import re

    tasks = re.findall(r"task:([a-z-]+)", rule.query) + [
        t for e in (*rule.must_match, *rule.must_not_match) for t in e.tasks
    ]
    assert set(tasks) <= set(TAXONOMY.by_id)
    institutions = re.findall(r"institution:([a-z-]+)", rule.query)
    assert set(institutions) <= {i.id for i in TAXONOMY.facets.institutions}


def test_pace_and_examples(small: Path) -> None:
    rule = load_alerts(small)["trade-news"]
    assert rule.daily_at == "08:30"
    assert rule.must_match[0].title == "Export credit grows"
    assert RULES["export-credit-insurance"].daily_at == ""


def test_without_a_file_there_are_no_rules(tmp_path: Path) -> None:
    assert load_alerts(tmp_path) == {}


def test_a_channel_other_than_email_needs_its_variable() -> None:
    with pytest.raises(ConfigError, match="a channel of kind webhook needs 'variable'"):
        build(Channel, parse("kind: webhook\n", "a"), "a")
