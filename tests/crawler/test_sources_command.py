"""`sources list` and `sources check`: one table a person can act on, and every field of one source's first entries."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import config
from tests.web import ImitationWeb

ROOT = Path(__file__).resolve().parents[2]
FIXTURES = ROOT / "tests" / "pipelines" / "fixtures" / "lists"
SOURCES = config.load_sources(Path(config.__file__).parent)


def run(*words: str, env: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    clean = {k: v for k, v in os.environ.items() if not k.startswith("CIRCULARWATCH_")}
    command = [sys.executable, "-m", "crawler", "sources", *words]
    return subprocess.run(command, cwd=ROOT, env=clean | (env or {}), capture_output=True, text=True, timeout=120)


def lines(text: str) -> list[dict[str, object]]:
    return [json.loads(line) for line in text.splitlines()]


def test_list_shows_all_with_state() -> None:
    rows = {str(r["id"]): r for r in lines(run("list", "--json").stdout)}
    assert list(rows) == list(SOURCES)
    assert rows["nfra"]["state"] == "on"
    assert (
        "signature" in str(rows["yicai_global"]["state"])
        or rows["yicai_global"]["state"] == SOURCES["yicai_global"].note
    )
    assert rows["cdb_news"]["enabled"] is False


def test_a_source_with_a_cron_line_is_listed_with_it() -> None:
    from config import load_sources
    from crawler.cli.sources import _listed

    source = load_sources()["nfra"]
    assert _listed(source.model_copy(update={"cron": "30 8 * * 1-5"}), "")["every"] == "cron 30 8 * * 1-5"
    assert _listed(source, "")["every"] == f"{source.interval_min} min"


def test_list_of_what_is_off() -> None:
    rows = lines(run("list", "--disabled", "--json").stdout)
    assert {r["id"] for r in rows} == {i for i, s in SOURCES.items() if not s.enabled}
    assert all(r["state"] for r in rows)


def test_fixture_mode_reads_every_source() -> None:
    done = run("check", "--fixtures", "--json")
    rows = lines(done.stdout)
    assert [r["source"] for r in rows] == list(SOURCES)
    assert [r for r in rows if r["verdict"] != "good"] == []
    assert done.returncode == 0


def test_fixture_mode_prints_one_table() -> None:
    done = run("check", "--fixtures")
    assert all(name in done.stdout for name in SOURCES)
    assert "verdict" in done.stdout


def test_a_reading_that_differs_is_named_with_both_values(tmp_path: Path) -> None:
    shutil.copytree(FIXTURES / "safe_zcfg", tmp_path / "safe_zcfg")
    wanted = json.loads((tmp_path / "safe_zcfg" / "expected.json").read_text("utf-8"))
    wanted["first"]["title"], wanted["count"] = "另一个标题", 11
    (tmp_path / "safe_zcfg" / "expected.json").write_text(json.dumps(wanted), "utf-8")
    done = run("check", "safe_zcfg", "--fixtures", str(tmp_path), "--json")
    told = " ".join(lines(done.stdout)[0]["faults"])  # type: ignore[arg-type]
    assert "另一个标题" in told
    assert "10 rows, 11 expected" in told
    assert done.returncode == 1


def test_a_source_without_fixture_is_told(tmp_path: Path) -> None:
    done = run("check", "safe_zcfg", "--fixtures", str(tmp_path), "--json")
    assert "input.*" in str(lines(done.stdout)[0]["faults"])


def test_one_saved_page() -> None:
    file = next((FIXTURES / "pboc_lists").glob("input.*"))
    done = run(
        "check",
        "pboc_lists",
        "--file",
        str(file),
        "--url",
        "https://www.pbc.gov.cn/goutongjiaoliu/113456/113469/index.html",
        "--json",
    )
    row = lines(done.stdout)[0]
    assert (row["rows"], row["newest"], row["verdict"]) == (20, "2026-10-07", "good")
    assert len(row["entries"]) == 20  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("check", "ndrc_zcbf"), "did you mean 'ndrc_zcfb'"),
        (("check", "nfra", "--fixtures", "/nowhere"), "--fixtures DIR"),
        (("check", "nfra", "--file", str(Path(__file__))), "--url"),
        (
            ("check", "nfra", "--file", str(Path(__file__)), "--url", "https://x.example/", "--section", "xx"),
            "nfra has no list 'xx'",
        ),
        (("check", "nfra"), "contact"),
    ],
)
def test_bad_usage_is_one_sentence(words: tuple[str, ...], sentence: str) -> None:
    done = run(*words)
    assert sentence in done.stderr
    assert "Traceback" not in done.stderr
    assert done.returncode == 2


def test_a_dry_run_shows_every_field_and_stores_nothing(tmp_path: Path) -> None:
    with ImitationWeb() as web:
        env = web.environment() | {
            "CIRCULARWATCH_DB": str(tmp_path / "c.db"),
            "CIRCULARWATCH_ARCHIVE": str(tmp_path / "archive"),
        }
        done = run("check", "ndrc_zcfb", "--entries", "1", env=env)
        log = web.log()
    assert done.returncode == 0, done.stderr
    for name in ("list: published_on", "published_on", "issuers", "text", "fetched from"):
        assert name in done.stderr
    assert "ndrc_zcfb" in done.stdout
    assert list(tmp_path.iterdir()) == []
    pages = [e["url"] for e in log if "/t20" in e["url"]]
    assert 0 < len(pages) <= len(SOURCES["ndrc_zcfb"].lists)


def test_a_dry_run_names_what_is_wrong() -> None:
    with ImitationWeb() as web:
        web.fault("https://trulynews.cn/*", status=403)
        done = run("check", "trulynews", "--json", env=web.environment())
    assert "forbidden" in str(lines(done.stdout)[0]["faults"])
    assert done.returncode == 1
