"""The operator's choices: which place wins, where a value came from, and that secrets stay out of files."""

from pathlib import Path

import pytest

import config
from config import ConfigError
from config.settings import VARIABLES, Settings, load_settings, unread_variables


@pytest.fixture
def places(tmp_path: Path) -> tuple[Path, Path]:
    """A configuration folder and a current folder, both empty."""
    folder, here = tmp_path / "conf", tmp_path / "here"
    folder.mkdir()
    here.mkdir()
    return folder, here


def test_defaults(places: tuple[Path, Path]) -> None:
    settings = load_settings(places[0], {}, places[1])
    assert settings.database == Path("data/circularwatch.db")
    assert settings.archive == Path("data/archive")
    assert settings.contact == ""
    assert settings.timezone == "Asia/Shanghai"
    assert {settings.origin(name) for name in Settings.model_fields} == {"default"}


def test_environment_wins_over_both_files(places: tuple[Path, Path]) -> None:
    folder, here = places
    (folder / "settings.yaml").write_text("contact: a@example.org\ntimezone: UTC\nworkers: 2\n", encoding="utf-8")
    (here / "circularwatch.yaml").write_text("\ncontact: b@example.org\ntimezone: Europe/Zurich\n", encoding="utf-8")
    settings = load_settings(folder, {"CIRCULARWATCH_CONTACT": "c@example.org"}, here)
    assert (settings.contact, settings.timezone, settings.workers) == ("c@example.org", "Europe/Zurich", 2)
    assert settings.origin("contact") == "environment CIRCULARWATCH_CONTACT"
    assert settings.origin("timezone") == f"file {here / 'circularwatch.yaml'}, line 3"
    assert settings.origin("workers") == f"file {folder / 'settings.yaml'}, line 3"
    assert settings.origin("proxy") == "default"


def test_limits_are_taken_key_by_key(places: tuple[Path, Path]) -> None:
    folder, here = places
    (folder / "settings.yaml").write_text("limits: {timeout_s: 9, max_redirects: 2}\n", encoding="utf-8")
    (here / "circularwatch.yaml").write_text("limits:\n  max_redirects: 1\n", encoding="utf-8")
    settings = load_settings(folder, {}, here)
    assert (settings.limits.timeout_s, settings.limits.max_redirects) == (9, 1)
    assert settings.limits.max_body_bytes == 50_000_000
    assert settings.origin("limits.timeout_s") == f"file {folder / 'settings.yaml'}, line 1"
    assert settings.origin("limits.max_redirects") == f"file {here / 'circularwatch.yaml'}, line 2"
    assert settings.origin("limits.max_body_bytes") == "default"


def test_every_block_is_taken_key_by_key(places: tuple[Path, Path]) -> None:
    folder, here = places
    (folder / "settings.yaml").write_text("third_reader: {model: small, budget_per_day: 7}\n", encoding="utf-8")
    (here / "circularwatch.yaml").write_text("third_reader: {decides: true}\n", encoding="utf-8")
    reader = load_settings(folder, {}, here).third_reader
    assert (reader.model, reader.budget_per_day, reader.decides) == ("small", 7, True)
    settings = load_settings(folder, {}, here)
    assert settings.origin("third_reader.model") == f"file {folder / 'settings.yaml'}, line 1"
    assert settings.origin("third_reader.decides") == f"file {here / 'circularwatch.yaml'}, line 1"


def test_paths_in_a_file_start_at_its_folder(places: tuple[Path, Path]) -> None:
    folder, here = places
    (here / "circularwatch.yaml").write_text("database: d/x.db\n", encoding="utf-8")
    settings = load_settings(folder, {}, here)
    assert settings.database == here / "d/x.db"
    assert settings.archive == here / "d/archive"
    assert "beside" in settings.origin("archive")


def test_every_variable(places: tuple[Path, Path], tmp_path: Path) -> None:
    ca = tmp_path / "ca.pem"
    ca.write_text("x", encoding="utf-8")
    given = {
        "database": "/d/x.db",
        "archive": "/a",
        "contact": "https://example.org/bot",
        "timezone": "Europe/London",
        "proxy": "http://127.0.0.1:8080",
        "ca_file": str(ca),
        "delay_s": "0",
        "user_agent": "watch (+{contact})",
        "log_level": "DEBUG",
        "workers": "3",
        "crawls_at_once": "2",
        "crawl_minutes": "15",
        "crawl_memory_mb": "512",
        "alerts_to": "a@example.org, b@example.org",
    }
    assert given.keys() == VARIABLES.keys()
    settings = load_settings(places[0], {VARIABLES[name]: text for name, text in given.items()}, places[1])
    assert settings.database == Path("/d/x.db")
    assert settings.archive == Path("/a")
    assert settings.contact == "https://example.org/bot"
    assert settings.timezone == "Europe/London"
    assert settings.proxy == "http://127.0.0.1:8080"
    assert settings.ca_file == ca
    assert settings.delay_s == 0
    assert settings.user_agent == "watch (+https://example.org/bot)"
    assert settings.log_level == "debug"
    assert settings.workers == 3
    assert (settings.crawls_at_once, settings.crawl_minutes, settings.crawl_memory_mb) == (2, 15, 512)
    assert settings.alerts_to == ("a@example.org", "b@example.org")
    assert all(settings.origin(name) == f"environment {variable}" for name, variable in VARIABLES.items())


@pytest.mark.parametrize(
    ("variable", "text", "says"),
    [
        ("CIRCULARWATCH_CONTACT", "nobody", "contact: 'nobody' is neither an e-mail address nor a web address (https://…)"),
        ("CIRCULARWATCH_CONTACT", "a@b", "contact: 'a@b' is neither an e-mail address nor a web address (https://…)"),
        ("CIRCULARWATCH_DELAY", "soon", "'soon' is not a number"),
        ("CIRCULARWATCH_DELAY", "nan", "delay_s: nan is not a number"),
        ("CIRCULARWATCH_PROXY", "localhost:8080", "proxy: 'localhost:8080' is not a proxy; write http://host:port"),
        ("CIRCULARWATCH_TIMEZONE", "Beijing", "timezone: 'Beijing' is not a time zone; write Area/City, such as Asia/Shanghai"),
        ("CIRCULARWATCH_LOG_LEVEL", "loud", "log_level: 'loud' is not allowed; allowed: debug, info, warning, error"),
        ("CIRCULARWATCH_USER_AGENT", "Mozilla", "user_agent: 'Mozilla' must hold {contact}, so that site owners know whom to write to"),
        ("CIRCULARWATCH_CA_FILE", "/no/such/file", "ca_file: there is no file '/no/such/file'"),
    ],
)  # fmt: skip
def test_broken_variables(places: tuple[Path, Path], variable: str, text: str, says: str) -> None:
    with pytest.raises(ConfigError) as caught:
        load_settings(places[0], {variable: text}, places[1])
    assert str(caught.value) == f"environment {variable}: {says}"


def test_an_empty_variable_is_not_set(places: tuple[Path, Path]) -> None:
    settings = load_settings(places[0], {"CIRCULARWATCH_CONTACT": ""}, places[1])
    assert settings.origin("contact") == "default"


def test_secrets_come_from_the_environment_and_are_never_shown(places: tuple[Path, Path]) -> None:
    settings = load_settings(places[0], {"CIRCULARWATCH_SMTP_URL": "smtps://me:hidden@mail"}, places[1])
    assert settings.secret("smtp_url") == "smtps://me:hidden@mail"
    assert "hidden" not in repr(settings)
    assert "hidden" not in settings.model_dump_json()


def test_mistyped_variables_are_noticed() -> None:
    env = {"CIRCULARWATCH_CONTCT": "x", "CIRCULARWATCH_DB": "y", "PATH": "z"}
    assert unread_variables(env) == [
        "the environment variable CIRCULARWATCH_CONTCT is not read; did you mean 'CIRCULARWATCH_CONTACT'?"
    ]


def test_asking_for_the_origin_of_what_does_not_exist(places: tuple[Path, Path]) -> None:
    with pytest.raises(KeyError, match="did you mean 'contact'"):
        load_settings(places[0], {}, places[1]).origin("contct")


def test_the_folder_comes_from_the_argument_then_the_environment(small: Path, tmp_path: Path) -> None:
    assert config.directory_of(None, {"CIRCULARWATCH_CONFIG": str(small)}) == small
    assert config.directory_of(tmp_path, {"CIRCULARWATCH_CONFIG": str(small)}) == tmp_path
    assert config.directory_of(None, {}) == Path(config.__file__).parent


@pytest.mark.parametrize(
    "line", (Path(config.__file__).parent / "settings.yaml").read_text(encoding="utf-8").splitlines()
)
def test_every_example_in_the_shipped_file_is_right(places: tuple[Path, Path], line: str) -> None:
    example = line.removeprefix("# ").split("  ")[0]
    name = example.partition(":")[0]
    if name not in Settings.model_fields or name in ("limits", "ca_file"):
        return
    (places[0] / "settings.yaml").write_text(example + "\n", encoding="utf-8")
    settings = load_settings(places[0], {}, places[1])
    assert "settings.yaml, line 1" in settings.origin(name)
