"""doctor, backup, init: on a real crawl's folder, each fault of which is made on purpose."""

from __future__ import annotations

import json
import shutil
import signal
import sqlite3
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

import db
from db import runs
from tests.house.house import House
from tests.web import ImitationWeb


@pytest.fixture(scope="module")
def crawled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    folder = tmp_path_factory.mktemp("crawled")
    with ImitationWeb(filler=True) as web:
        house = House(web, folder)
        house.run("crawl", "trulynews", "pboc_lists", status=None)
        yield house


@pytest.fixture
def house(crawled: House, tmp_path: Path) -> House:
    """A copy of the crawled folder, to be spoilt."""
    shutil.copytree(crawled.folder, tmp_path / "h", dirs_exist_ok=True)
    return House(crawled.web, tmp_path / "h")


def examine(house: House, *args: str, status: int = 0) -> dict[str, list[dict]]:
    """The findings of doctor by what was looked at."""
    out = house.run("doctor", "--json", *args, status=status).stdout
    found: dict[str, list[dict]] = {}
    for line in out.splitlines():
        finding = json.loads(line)
        found.setdefault(finding["check"], []).append(finding)
    return found


def states(findings: list[dict]) -> set[str]:
    return {f["state"] for f in findings}


# ------------------------------------------------------------------ doctor


def test_a_sound_house_is_sound(house: House) -> None:
    found = examine(house, "--thorough")
    for check in ("python", "sqlite", "packages", "disk", "clock", "database", "references", "search index", "queue", "messages",
                  "locks", "runs", "archive"):  # fmt: skip
        assert states(found[check]) == {"ok"}, found[check]
    assert "answers of sites agree" in found["clock"][0]["words"]
    text = house.run("doctor").stdout
    assert "bad " not in text
    assert all(f["remedy"] for findings in found.values() for f in findings if f["state"] == "bad")


def test_a_wrong_index_is_found_and_mended(house: House) -> None:
    conn = sqlite3.connect(house.database)
    conn.execute("delete from documents_fts_data where id > 10")
    conn.commit()
    conn.close()
    wrong = examine(house, status=1)["search index"][0]
    assert wrong["state"] == "bad"
    assert "--mend" in wrong["remedy"]
    mended = examine(house, "--mend")["search index"][0]
    assert mended["state"] == "ok"
    assert "made anew" in mended["words"]
    assert states(examine(house)["search index"]) == {"ok"}
    assert house.run("search", "人民银行", "--json").stdout.strip()


def test_a_missing_search_row_is_found(house: House) -> None:
    opened = db.connect(house.database)
    opened.conn.execute("delete from search_rows where document = (select max(document) from search_rows)")
    opened.conn.commit()
    opened.close()
    assert "not in the search index" in examine(house, status=1)["search index"][0]["words"]
    assert states(examine(house, "--mend")["search index"]) == {"ok"}


def test_a_damaged_database_is_bad(house: House) -> None:
    size = house.database.stat().st_size
    with open(house.database, "r+b") as file:
        for place in range(8192, size - 4096, 8192):
            file.seek(place)
            file.write(b"\xff" * 512)
    found = examine(house, status=1)
    assert "bad" in states(found["database"])
    assert "rebuild" in found["database"][0]["remedy"]


def test_not_a_database_at_all(house: House) -> None:
    house.database.write_bytes(b"not a database, really not" * 100)
    for ending in ("-wal", "-shm"):
        Path(f"{house.database}{ending}").unlink(missing_ok=True)
    assert states(examine(house, status=1)["database"]) == {"bad"}


def test_references_to_nothing(house: House) -> None:
    conn = sqlite3.connect(house.database)
    conn.execute(
        "insert into source_runs (id, source, trigger, started_at, state) values ('x', 'no-such', 'manual', '2026-01-01T00:00:00Z', 'done')"
    )
    conn.commit()
    conn.close()
    assert "source_runs" in examine(house, status=1)["references"][0]["words"]


def warcs(house: House) -> list[Path]:
    return sorted(house.archive.rglob("*.warc.gz"))


def test_a_file_of_the_archive_that_is_gone(house: House) -> None:
    warcs(house)[0].unlink()
    finding = next(f for f in examine(house, status=1)["archive"] if f["state"] == "bad")
    assert "1 files are gone" in finding["words"]
    assert "backup" in finding["remedy"]


def test_a_file_that_was_cut(house: House) -> None:
    path = warcs(house)[0]
    data = path.read_bytes()
    path.write_bytes(data[: len(data) // 2])
    assert any(f["state"] == "bad" and "damaged" in f["words"] for f in examine(house, status=1)["archive"])


def test_damage_in_the_middle_is_found_thoroughly(house: House) -> None:
    path = warcs(house)[0]
    data = bytearray(path.read_bytes())
    middle = len(data) // 2
    data[middle : middle + 40] = bytes(40)
    path.write_bytes(data)
    assert any("cannot be read" in f["words"] for f in examine(house, "--thorough", status=1)["archive"])


def test_exchanges_that_the_database_does_not_know(house: House) -> None:
    conn = sqlite3.connect(house.database)
    name = warcs(house)[0].relative_to(house.archive).as_posix()
    conn.execute("delete from fetches where archive_file = ?", (name,))
    conn.commit()
    conn.close()
    finding = next(f for f in examine(house)["archive"] if f["state"] == "warn")
    assert "does not know" in finding["words"]
    assert "process" in finding["remedy"]


def test_a_run_of_a_dead_process_is_found_and_mended(house: House) -> None:
    opened = db.connect(house.database)
    runs.start_run(opened, "dead", "trulynews", pid=1)
    opened.close()
    assert states(examine(house)["runs"]) == {"warn"}
    assert states(examine(house, "--mend")["runs"]) == {"ok"}
    opened = db.connect(house.database, readonly=True)
    assert opened.conn.execute("select state from source_runs where id = 'dead'").fetchone() == ("killed",)
    opened.close()


def test_a_clock_that_went_back(house: House) -> None:
    conn = sqlite3.connect(house.database)
    conn.execute(
        "update fetches set fetched_at = '2999-01-01T00:00:00Z' where id = (select max(id) from fetches where outcome = 'ok')"
    )
    conn.commit()
    conn.close()
    assert states(examine(house, status=1)["clock"]) == {"bad"}


def test_what_waits_for_nobody(house: House) -> None:
    conn = sqlite3.connect(house.database)
    conn.execute(
        "update fetches set state = 'pending', fetched_at = '2026-01-01T00:00:00Z' where id = (select min(id) from fetches where kind = 'document')"
    )
    conn.execute(
        "insert into alert_messages (id, rule, recipient, kind, state, created_at, next_attempt_at) values ('a', 'r', 'mail:x', 'alert', 'dead', '2026-01-01T00:00:00Z', '')"
    )
    conn.commit()
    conn.close()
    found = examine(house)
    assert found["queue"][0]["remedy"] == "run `circularwatch process`"
    assert "given up" in found["messages"][0]["words"]


def test_a_faulty_configuration_is_bad_and_the_rest_is_not_guessed(house: House, tmp_path: Path) -> None:
    folder = tmp_path / "config"
    folder.mkdir()
    (folder / "sources.yaml").write_text("version: 1\nsuorces: []\n", encoding="utf-8")
    found = examine(house, "--config", str(folder), status=1)
    assert states(found["configuration"]) == {"bad"}
    assert "database" not in found


def test_a_silent_source_is_named(house: House) -> None:
    opened = db.connect(house.database)
    with db.immediate(opened) as conn:
        conn.execute(
            "insert into source_events (id, source, kind, since, reason, opened_at) values ('e', 'trulynews', 'refused', '2026-01-01T00:00:00Z', '403', '2026-01-01T00:00:00Z')"
        )
    opened.close()
    assert any("trulynews" in f["words"] for f in examine(house)["sources"])


# ------------------------------------------------------------------ backup


def backed_up(house: House, folder: Path, *args: str, status: int = 0) -> dict:
    done = house.run("backup", str(folder), "--json", *args, status=status)
    return json.loads(done.stdout) if done.stdout else {"error": done.stderr}


def test_a_backup_is_whole_and_can_be_restored(house: House, tmp_path: Path) -> None:
    before = house.documents()
    made = backed_up(house, tmp_path / "b", "--copy")
    assert made["tables"]["documents"] == len(before)
    assert made["archive"]["copied"] == len(warcs(house))
    text = (tmp_path / "b" / "RESTORE.txt").read_text("utf-8")
    assert "circularwatch doctor" in text

    # everything is lost; go back as RESTORE.txt says
    shutil.rmtree(house.archive)
    for path in house.folder.glob("circularwatch.db*"):
        path.unlink()
    shutil.copytree(tmp_path / "b" / "archive", house.archive)
    shutil.copyfile(made["database"], house.database)
    assert house.documents() == before
    assert states(examine(house, "--thorough")["archive"]) == {"ok"}
    # the archive of the backup alone is enough too
    house.database.unlink()
    house.run("rebuild")
    assert house.documents() == before


def test_only_what_is_new_is_copied(house: House, tmp_path: Path) -> None:
    folder = tmp_path / "b"
    first = backed_up(house, folder)
    assert first["archive"]["linked"] == len(warcs(house))  # one disk
    house.run("crawl", "trulynews", status=None)
    second = backed_up(house, folder)
    assert second["archive"]["present"] == first["archive"]["linked"]
    assert second["archive"]["linked"] == 1
    third = backed_up(house, folder, "--keep", "1")
    assert sorted(third["removed"]) == sorted({Path(first["database"]).name, Path(second["database"]).name})
    assert len(list(folder.glob("*.db"))) == len(list(folder.glob("*.json"))) == len(list(folder.glob("*.config"))) == 1


def test_while_everything_goes_on(house: House, tmp_path: Path) -> None:
    """A writer commits all the time; each copy is of one moment, with the counts of that moment."""
    import subprocess
    import sys

    words = (
        "import sys, db\nfrom db import runs\nopened = db.connect(sys.argv[1])\nn = 0\n"
        "while True:\n    n += 1\n    runs.start_run(opened, f'w{n}', 'trulynews')\n    runs.finish_run(opened, f'w{n}')\n"
    )
    writer = subprocess.Popen([sys.executable, "-c", words, str(house.database)])
    try:
        counts = [backed_up(house, tmp_path / f"b{n}")["tables"]["source_runs"] for n in range(3)]
    finally:
        writer.kill()
        writer.wait()
    assert counts == sorted(counts)
    assert counts[-1] > counts[0]


def test_killed_in_the_middle_leaves_no_half_file(house: House, tmp_path: Path) -> None:
    folder = tmp_path / "b"
    for pause in (0.5, 0.7, 0.9, 1.1):
        process = house.start("backup", str(folder), "--copy")
        time.sleep(pause)
        process.send_signal(signal.SIGKILL)
        process.wait()
        for path in folder.glob("*.db"):
            conn = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
            assert conn.execute("pragma integrity_check").fetchone() == ("ok",)
            assert conn.execute("select count(*) from documents").fetchone()[0] > 0
            conn.close()
        for path in folder.rglob("*.warc.gz"):
            assert path.stat().st_size == (house.archive / path.relative_to(folder / "archive")).stat().st_size
    backed_up(house, folder)
    assert list(folder.rglob("*.partial*")) == []


def test_a_damaged_original_is_not_passed_off_as_a_backup(house: House, tmp_path: Path) -> None:
    conn = sqlite3.connect(house.database)
    conn.execute(
        "insert into source_runs (id, source, trigger, started_at, state) values ('x', 'no-such', 'manual', '2026-01-01T00:00:00Z', 'done')"
    )
    conn.commit()
    conn.close()
    assert "point at nothing" in backed_up(house, tmp_path / "b", status=1)["error"]
    assert list((tmp_path / "b").glob("*.db")) == []


def test_not_onto_the_originals(house: House) -> None:
    assert "originals" in backed_up(house, house.folder, status=1)["error"]
    assert "originals" in backed_up(house, house.archive, status=1)["error"]


# ------------------------------------------------------------------ init


def bare(house: House) -> House:
    house.extra |= {"CIRCULARWATCH_CONTACT": "", "CIRCULARWATCH_DB": str(house.database)}
    return house


def test_init_writes_what_it_was_told_and_leaves_the_rest(house: House) -> None:
    file = house.folder / "circularwatch.yaml"
    file.write_text(
        "# mine\nworkers: 2   # few\nalerts_to:\n  - old@example.org\n  - older@example.org\nlimits:\n  timeout_s: 9\n",
        encoding="utf-8",
    )
    bare(house).run(
        "init", "--contact", "ops@example.org", "--timezone", "Europe/London", "--to", "new@example.org", "--no-check"
    )
    text = file.read_text("utf-8")
    assert "# mine\nworkers: 2   # few\n" in text
    assert "limits:\n  timeout_s: 9\n" in text
    assert "old" not in text
    shown = json.loads(house.run("config", "check", "--json").stdout)
    values = {v["name"]: v["value"] for v in shown["settings"]}
    assert (values["contact"], values["timezone"], values["alerts_to"]) == (
        "ops@example.org",
        "Europe/London",
        ["new@example.org"],
    )
    assert not list(house.folder.glob("*.partial"))


@pytest.mark.parametrize(("words", "says"), [
    ((), "--contact"), (("--contact", "nobody"), "neither an e-mail address"),
    (("--contact", "a@example.org", "--timezone", "Asia/Bejing"), "time zone"),
    (("--contact", "a@example.org", "--to", "nobody"), "recipient"),
])  # fmt: skip
def test_init_refuses_what_is_wrong_and_writes_nothing(house: House, words: tuple[str, ...], says: str) -> None:
    assert says in bare(house).run("init", *words, status=2).stderr
    assert not (house.folder / "circularwatch.yaml").exists()


def test_init_sends_a_test_message(house: House) -> None:
    from tests.house.soak import MailServer

    server = MailServer()
    server.start()
    house.extra["CIRCULARWATCH_SMTP_URL"] = f"smtp://127.0.0.1:{server.port}"
    done = house.run("init", "--contact", "ops@example.org", "--to", "ops@example.org", "--no-check")
    assert "a test message was sent" in done.stderr
    (mail,) = [m for m in server.mails if "test message" in str(m["subject"])]
    assert "ops@example.org" in str(mail["to"])


def test_init_says_how_a_message_failed(house: House) -> None:
    house.extra["CIRCULARWATCH_SMTP_URL"] = "smtp://127.0.0.1:9"
    done = house.run("init", "--contact", "ops@example.org", "--to", "ops@example.org", "--no-check", status=1)
    assert "was not sent" in done.stderr


def test_init_looks_at_every_source(house: House) -> None:
    import config

    done = house.run("init", "--contact", "ops@example.org", "--to", "", status=None)
    assert all(s.id in done.stdout for s in config.load_sources().values() if s.enabled)
