"""However sources.yaml is broken, loading gives sources or a ConfigError, never anything else."""

import random
import re
import shutil
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import config
from config import ConfigError
from config.merging import complete
from config.selectors import check_source
from config.sources import Source
from config.yaml_lines import Map, Seq, parse

ROOT = Path(config.__file__).parent
TEXT = (ROOT / "sources.yaml").read_text(encoding="utf-8")
PIECES = ["", " ", "  ", "\t", "-", ":", "[", "]", "{", "}", "'", '"', "&a ", "*a", "!!int ", "|", ">", "#", "null", "true",
          "1e999", ".nan", "0", "-1", "999999999999999999999", "re:(", "xpath://[", "::attr(", "%", "\\", "国", "\u0085",
          "\u2028", "same_as: nfra", "like: nfra", "<<: x", "---", "...", "? ", "@"]  # fmt: skip


def outcome(text: str) -> None:
    """Load the text the way `load_sources` does; anything but sources or ConfigError fails the test."""
    try:
        document = parse(text, "sources.yaml")
        if isinstance(document, Map):
            assert all(isinstance(s, Source) for s in complete(document, "sources.yaml", check_source).values())
    except ConfigError as error:
        for fault in (error, *error.further):
            assert fault.file == "sources.yaml"
            # YAML's own line breaks; U+0085 and the separators of Unicode are among them
            assert 0 <= fault.line <= len(re.findall("\r\n|[\n\r\x85\u2028\u2029]", text)) + 2
            assert "\n" not in str(fault)
            assert str(fault).startswith("sources.yaml")


def block(seed: int) -> str:
    """One source of the file with the file's head: small enough to try many mutations."""
    head, _, rest = TEXT.partition("\nsources:\n")
    sources = rest.split("\n- id: ")
    chosen = random.Random(seed).choice(sources[1:])
    return f"{head}\nsources:\n- id: {chosen}"


@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.integers(0, 10**6), st.lists(st.tuples(st.floats(0, 1), st.integers(0, 12), st.sampled_from(PIECES)), max_size=4)
)
def test_mutated_characters(seed: int, edits: list[tuple[float, int, str]]) -> None:
    text = block(seed)
    for place, length, piece in edits:
        at = int(place * len(text))
        text = text[:at] + piece + text[at + length :]
    outcome(text)


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=10) | st.sampled_from(PIECES),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)


def seats(value: object) -> list[tuple[object, object]]:
    """Every place in the document that holds a value: (container, key)."""
    out: list[tuple[object, object]] = []
    if isinstance(value, Map):
        for key, inner in value.items():
            out += [(value, key), *seats(inner)]
    elif isinstance(value, Seq):
        for index, inner in enumerate(value):
            out += [(value, index), *seats(inner)]
    return out


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.integers(0, 10**6), st.integers(0, 10**9), VALUES)
def test_mutated_values(seed: int, place: int, value: object) -> None:
    document = parse(block(seed), "sources.yaml")
    found = seats(document)
    container, key = found[place % len(found)]
    container[key] = value  # type: ignore[index]
    try:
        complete(document, "sources.yaml", check_source)
    except ConfigError as error:
        assert "\n" not in str(error)  # noqa: PT017


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.floats(0, 1), st.integers(1, 30))
def test_missing_lines_of_the_whole_file(place: float, count: int) -> None:
    lines = TEXT.split("\n")
    at = int(place * len(lines))
    outcome("\n".join(lines[:at] + lines[at + count :]))


def test_a_cut_off_file(tmp_path: Path) -> None:
    shutil.copytree(ROOT / "taxonomy", tmp_path / "taxonomy")
    raw = TEXT.encode("utf-8")
    for end in range(0, len(raw), max(1, len(raw) // 12)):
        (tmp_path / "sources.yaml").write_bytes(raw[:end])
        try:
            config.load_sources(tmp_path)
        except ConfigError as error:
            assert error.file == "sources.yaml"  # noqa: PT017


@pytest.mark.parametrize("name", ["meta", "gates"])
def test_taxonomy_files_that_hold_something_else(tmp_path: Path, name: str) -> None:
    shutil.copytree(ROOT / "taxonomy", tmp_path / "taxonomy")
    for text in ("", "[]", "5", "a: b", "null", "- 1"):
        (tmp_path / "taxonomy" / f"{name}.yaml").write_text(text, encoding="utf-8")
        with pytest.raises(ConfigError) as caught:
            config.load_taxonomy(tmp_path)
        assert caught.value.file == f"taxonomy/{name}.yaml"
