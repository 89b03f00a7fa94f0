"""YAML is read strictly, and every value knows its line."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config import ConfigError
from config.yaml_lines import MAX_VALUES, Map, Seq, load, parse


def refused(text: str) -> str:
    with pytest.raises(ConfigError) as caught:
        parse(text, "f.yaml")
    return str(caught.value)


def test_keys_and_items_know_their_lines() -> None:
    data = parse("# head\na: 1\nb:\n  - x\n  -\n    c: 2\n", "f.yaml")
    assert data.lines == {"a": 2, "b": 3}
    assert data["b"].lines == [4, 6]
    assert data["b"][1].lines == {"c": 6}


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("true", True), ("False", False), ("yes", "yes"), ("off", "off"), ("no", "no"), ("null", None), ("", None),
        ("~", None), ("12", 12), ("-3", -3), ("007", "007"), ("08:30", "08:30"), ("10:30", "10:30"), ("1.5", 1.5),
        ("1e3", "1e3"), ("2024-04-16", "2024-04-16"), ("0x1F", "0x1F"), ("1_000", "1_000"), ("'12'", "12"), ("=", "="),
    ],
)  # fmt: skip
def test_plain_values(text: str, value: object) -> None:
    found = parse(f"key: {text}\n", "f.yaml")["key"]
    assert found == value
    assert type(found) is type(value)


def test_a_key_given_twice() -> None:
    assert refused("a: 1\nb: 2\na: 3\n") == "f.yaml, line 3: the key 'a' is given twice (first in line 1)"


def test_a_key_that_is_not_text() -> None:
    assert refused("a: 1\n2: b\n") == "f.yaml, line 2: the key '2' is not text; put it in quotes"


def test_a_bomb_of_aliases() -> None:
    bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n" + "".join(
        f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]\n" for n in range(1, 12)
    )
    assert f"more than {MAX_VALUES:,} values; aliases multiply them" in refused(bomb)


def test_an_alias_that_holds_itself() -> None:
    assert "nested more than" in refused("a: &a [*a]\n")


def test_few_aliases_are_fine() -> None:
    assert parse("a: &a [1]\nb: *a\n", "f.yaml") == {"a": [1], "b": [1]}


@pytest.mark.parametrize("opening", ["[", "{a: ", "- ", "[\n"])
def test_deep_nesting_is_refused_and_does_not_end_the_process(opening: str) -> None:
    assert refused(opening * 100_000).startswith("f.yaml")


def test_a_second_document() -> None:
    assert "not valid YAML" in refused("a: 1\n---\nb: 2\n")


def test_a_file_of_another_kind(tmp_path: Path) -> None:
    (tmp_path / "f.yaml").write_bytes(b"\x00\x01\x02")
    with pytest.raises(ConfigError, match="not valid YAML"):
        load(tmp_path / "f.yaml")
    with pytest.raises(ConfigError, match="cannot be read"):
        load(tmp_path)


def test_a_byte_order_mark_is_harmless(tmp_path: Path) -> None:
    (tmp_path / "f.yaml").write_text("a: 1\n", encoding="utf-8-sig")
    assert load(tmp_path / "f.yaml") == {"a": 1}


def test_one_mapping_over_another_keeps_the_lines() -> None:
    low, high = parse("a: 1\nb: 2\n", "f"), parse("\n\nb: 3\nc: 4\n", "f")
    both = high.over(low)
    assert both == {"a": 1, "b": 3, "c": 4}
    assert both.lines == {"a": 1, "b": 3, "c": 4}


# line separators are folded inside quotes, and control characters are no part of YAML
WORDS = st.text(
    st.characters(exclude_categories=("Cs", "Cc", "Zl", "Zp"), exclude_characters="\ufeff\ufffe\uffff"), max_size=8
)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**9), 10**9) | WORDS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(WORDS, inner, max_size=4),
    max_leaves=12,
)


@given(st.dictionaries(WORDS, VALUES, max_size=5))
def test_what_yaml_writes_is_read_back(value: dict[str, object]) -> None:
    import json

    # JSON is YAML with everything in quotes
    assert parse(json.dumps(value, indent=1, ensure_ascii=False), "f.yaml") == value


@given(st.text(max_size=200))
def test_any_text_gives_a_value_or_a_config_error(text: str) -> None:
    try:
        assert isinstance(parse(text, "f.yaml"), (Map, Seq, str, int, float, bool, type(None)))
    except ConfigError as error:
        assert str(error).startswith("f.yaml")  # noqa: PT017


@pytest.mark.parametrize("value", ["!!int ''", "!!float x", "!!bool maybe", "!!int"])
def test_a_tag_that_does_not_fit_its_value_is_refused(value: str) -> None:
    with pytest.raises(ConfigError, match=r"line 2: '.*' is not a value of the kind|line 2: .*tag"):
        parse(f"a: 1\nb: {value}\n", "x.yaml")
