"""`config check`: what is in force and where it came from, as a table and as JSON, with the right exit status."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from config.effective import effective, source_values
from crawler.cli import cli
from crawler.cli.common import run

Change = Callable[[str, str, str], Path]


def check(*arguments: str, env: dict[str, str] | None = None) -> Result:
    return CliRunner().invoke(cli, ["config", "check", *arguments], env={"CIRCULARWATCH_CONFIG": None, **(env or {})})


def test_everything_in_force_with_its_origin(small: Path) -> None:
    found = effective(
        small, {"CIRCULARWATCH_TIMEZONE": "UTC", "CIRCULARWATCH_CHANNEL_TEAM": "https://hidden.example.org/x"}
    )
    values = {v.name: v for v in found.settings}
    assert values["contact"].origin == f"file {small / 'settings.yaml'}, line 1"
    assert (values["timezone"].value, values["timezone"].origin) == ("UTC", "environment CIRCULARWATCH_TIMEZONE")
    assert values["limits.max_redirects"].value == 3
    assert values["proxy"].origin == "default"
    assert {s.name: s.value for s in found.secrets} == {
        "CIRCULARWATCH_SMTP_URL": "not set",
        "CIRCULARWATCH_LLM_KEY": "not set",
        "CIRCULARWATCH_CHANNEL_TEAM": "set",
    }
    assert "hidden" not in json.dumps(found.as_json(), default=str)
    assert [s["id"] for s in found.sources] == ["ministry", "bureau", "service"]
    assert found.taxonomy["tasks"] == 2
    assert found.alerts[0]["to"] == ["desk@example.org"]
    assert found.warnings == []


def test_a_password_of_the_proxy_is_never_shown(small: Path) -> None:
    env = {"CIRCULARWATCH_PROXY": "http://desk:hid@den@proxy.example.org:3128"}
    found = effective(small, env)
    shown = {v.name: v.value for v in found.settings}["proxy"]
    assert shown == "http://…@proxy.example.org:3128"
    result = check("--config", str(small), "--json", env=env)
    assert result.exit_code == 0 and "proxy.example.org" in result.output
    assert "desk:" not in result.output and "hid" not in result.output.replace("hidden", "")


def test_warnings(tmp_path: Path) -> None:
    found = effective(None, {"CIRCULARWATCH_CONTCT": "x"})
    assert any(w.startswith("no contact address: a live crawl refuses to start") for w in found.warnings)
    assert any("CIRCULARWATCH_CONTCT is not read; did you mean 'CIRCULARWATCH_CONTACT'" in w for w in found.warnings)
    assert any("alert rules have no recipient" in w for w in found.warnings)


def test_a_rule_that_goes_by_channels_alone_is_neither_silent_nor_mailed(change: Change) -> None:
    folder = change("alerts.yaml", "    to: [desk@example.org]\n", "")
    env = {"CIRCULARWATCH_CHANNEL_TEAM": "https://hooks.example.org/x", "CIRCULARWATCH_ALERTS_TO": "ops@example.org"}
    found = effective(folder, env)
    assert (found.alerts[0]["to"], found.alerts[0]["channels"]) == ([], ["team"])
    assert found.warnings == [] and effective(folder, env | {"CIRCULARWATCH_ALERTS_TO": ""}).warnings == []


@pytest.mark.parametrize(
    ("name", "option", "value", "origin"),
    [
        ("bureau", "list.items", ["ol > li"], "file sources.yaml, line 39"),
        ("bureau", "list.link", ["a::attr(href)"], "file sources.yaml, line 25"),
        ("bureau", "article.body", ["#zoom"], "file sources.yaml, line 8"),
        ("ministry", "timezone", "Asia/Shanghai", "file sources.yaml, line 3"),
        ("ministry", "list.limit", None, "default"),
        ("service", "expect.newest_max_age_h", 24, "file sources.yaml, line 55"),
        ("service", "expect.min_items", 1, "default"),
    ],
)
def test_each_option_of_a_source_knows_its_line(
    small: Path, name: str, option: str, value: object, origin: str
) -> None:
    values = {v.name: v for v in source_values(name, small)}
    assert (values[option].value, values[option].origin) == (value, origin)
    assert values[option].meaning


def test_check_as_json(small: Path) -> None:
    done = check("--config", str(small), "--json", "--db", "/d/other.db")
    assert done.exit_code == 0
    found = json.loads(done.stdout)
    assert {v["name"]: v["value"] for v in found["settings"]}["database"] == "/d/other.db"


def test_check_as_a_table(small: Path) -> None:
    done = check("--config", str(small))
    assert done.exit_code == 0
    for word in ("contact", "desk@example.org", "settings.yaml, line 1", "ministry", "trade-news", "2 tasks"):
        assert word in done.stdout


def test_check_one_source(small: Path) -> None:
    done = check("ministry", "--config", str(small))
    assert done.exit_code == 0
    assert "sources.yaml, line 24" in done.stdout


def test_faults_are_all_named_and_the_status_is_2(change: Change, capsys: pytest.CaptureFixture[str]) -> None:
    change("sources.yaml", "  kind: html-list", "  kind: htm-list")
    folder = change("sources.yaml", 'items: "data.rows[]"', 'items: "data..rows[]"')
    assert run(cli, ["config", "check", "--config", str(folder)]) == 2
    said = capsys.readouterr().err
    assert "did you mean 'html-list'" in said
    assert "data..rows[]" in said
    assert "2 faults; nothing runs until they are mended" in said


def test_faults_as_json(change: Change, capsys: pytest.CaptureFixture[str]) -> None:
    folder = change("sources.yaml", "  kind: html-list", "  kind: htm-list")
    assert run(cli, ["config", "check", "--json", "--config", str(folder)]) == 2
    faults = json.loads(capsys.readouterr().out)["faults"]
    assert [(f["file"], f["line"]) for f in faults] == [("sources.yaml", 12)]


def test_a_source_that_does_not_exist(small: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(cli, ["config", "check", "ministri", "--config", str(small)]) == 2
    assert "there is no source 'ministri'; did you mean 'ministry'?" in capsys.readouterr().err
