"""Every kind of broken configuration is refused with the sentence that people will read."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

import config
from config import ConfigError

FIXTURES = Path(__file__).parent / "fixtures"
CASES = yaml.safe_load((FIXTURES / "faults.yaml").read_text(encoding="utf-8"))


def test_the_small_configuration_is_good(small: Path) -> None:
    loaded = config.load(small, {})
    assert list(loaded.sources) == ["ministry", "bureau", "service"]


@pytest.mark.parametrize("case", CASES, ids=[case["name"].replace(" ", "-") for case in CASES])
def test_fault(case: dict[str, str], change: Callable[[str, str, str], Path]) -> None:
    folder = change(case["file"], case["old"], case["new"])
    with pytest.raises(ConfigError) as caught:
        config.load(folder, {})
    assert str(caught.value).replace(f"{folder}/", "") == case["says"]


@pytest.mark.parametrize("case", CASES, ids=[case["name"].replace(" ", "-") for case in CASES])
def test_fault_names_its_line(case: dict[str, str], change: Callable[[str, str, str], Path]) -> None:
    folder = change(case["file"], case["old"], case["new"])
    with pytest.raises(ConfigError) as caught:
        config.load(folder, {})
    for error in (caught.value, *caught.value.further):
        lines = (folder / error.file).read_text(encoding="utf-8").splitlines()
        assert 1 <= error.line <= len(lines)
        assert "\n" not in str(error)


def test_all_faults_of_a_file_are_known_at_once(change: Callable[[str, str, str], Path]) -> None:
    change("sources.yaml", "  kind: html-list", "  kind: htm-list")
    folder = change("sources.yaml", 'items: "data.rows[]"', 'items: "data..rows[]"')
    with pytest.raises(ConfigError) as caught:
        config.load_sources(folder)
    said = [str(error) for error in (caught.value, *caught.value.further)]
    assert any("htm-list" in text for text in said)
    assert any("data..rows" in text for text in said)
    assert [error.line for error in (caught.value, *caught.value.further)] == sorted(
        error.line for error in (caught.value, *caught.value.further)
    )


def test_a_missing_file_is_named(small: Path) -> None:
    (small / "sources.yaml").unlink()
    with pytest.raises(ConfigError, match=re.escape("sources.yaml: the file is missing from")):
        config.load(small, {})


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="there is no such configuration folder"):
        config.load(tmp_path / "nowhere", {})


def test_text_that_is_not_utf8(small: Path) -> None:
    path = small / "alerts.yaml"
    path.write_bytes("# 制造业\nversion: 1\n".encode("gb18030"))
    with pytest.raises(ConfigError, match=r"^alerts\.yaml, line 1: the text is not UTF-8"):
        config.load_alerts(small, {})


def test_an_error_survives_pickling() -> None:
    import pickle

    error = ConfigError("a.yaml", 3, "broken", [ConfigError("b.yaml", 0, "too")])
    again = pickle.loads(pickle.dumps(error))  # noqa: S301
    assert (str(again), again.file, again.line, str(again.further[0])) == (
        "a.yaml, line 3: broken",
        "a.yaml",
        3,
        "b.yaml: too",
    )
