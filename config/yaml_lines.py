"""YAML that remembers where it was written, so that every fault can name its line.

`load` gives plain values, but mappings are `Map` and sequences are `Seq`: a dict and a list that know the line of each
key and item. Rules that differ from plain PyYAML, each because the surprise has bitten people: a key given twice is an
error; only true and false are booleans (`on`, `no` and `08:30` stay text); dates stay text; merge keys (`<<`), tags and
documents after the first are refused; aliases may not blow up the size of the file.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import yaml

from config.errors import ConfigError

try:
    from yaml import CSafeLoader as _Base
except ImportError:  # PyYAML built without libyaml: slower, same result
    from yaml import SafeLoader as _Base  # type: ignore[assignment]

# The largest real file has about 6,000 values. A bomb of aliases passes this limit long before it fills the memory.
# (Nesting of brackets without aliases is bounded by libyaml itself, at 1,000.)
MAX_VALUES = 200_000
MAX_DEPTH = 40
MAX_BYTES = 5_000_000


class Map(dict[Any, Any]):
    """A mapping that knows its own first line (`line`) and the line of each key (`lines`)."""

    __slots__ = ("line", "lines")

    def __init__(self, line: int = 0) -> None:
        super().__init__()
        self.line = line
        self.lines: dict[Any, int] = {}

    def put(self, key: Any, value: Any, line: int) -> None:
        """Set a key and remember where it came from."""
        self[key] = value
        self.lines[key] = line

    def copy(self) -> Map:
        """A shallow copy that keeps the lines."""
        out = Map(self.line)
        out.update(self)
        out.lines.update(self.lines)
        return out

    def over(self, other: Map) -> Map:
        """This mapping laid over another one: keys of `self` win, each key keeps its own line."""
        out = other.copy()
        out.line = self.line
        for key, value in self.items():
            out.put(key, value, self.lines.get(key, self.line))
        return out


class Seq(list[Any]):
    """A sequence that knows its own first line and the line of each item."""

    __slots__ = ("line", "lines")

    def __init__(self, line: int = 0) -> None:
        super().__init__()
        self.line = line
        self.lines: list[int] = []


class _Loader(_Base):
    """The safe loader with the YAML 1.2 core rules for plain scalars."""

    yaml_implicit_resolvers: dict[str, Any] = {}  # noqa: RUF012  (PyYAML's own convention)


for _tag, _pattern, _first in (
    ("null", r"~|null|Null|NULL|", ["~", "n", "N", ""]),
    ("bool", r"true|True|TRUE|false|False|FALSE", list("tTfF")),
    ("int", r"[-+]?(?:0|[1-9][0-9]{0,17})", list("-+0123456789")),
    ("float", r"[-+]?(?:[0-9]+\.[0-9]*|\.[0-9]+)(?:[eE][-+]?[0-9]{1,3})?", list("-+.0123456789")),
    ("merge", r"<<", ["<"]),
):
    _Loader.add_implicit_resolver(f"tag:yaml.org,2002:{_tag}", re.compile(f"^(?:{_pattern})$"), _first)

_PLAIN = {f"tag:yaml.org,2002:{name}" for name in ("str", "null", "bool", "int", "float", "map", "seq")}


def load(path: Path, name: str = "") -> Any:
    """Read one YAML file; `name` is how messages call it (default: the file's own name). Raises ConfigError only."""
    name = name or path.name
    try:
        raw = path.read_bytes()
    except FileNotFoundError:
        raise ConfigError(name, 0, f"the file is missing from {path.parent}") from None
    except OSError as error:
        raise ConfigError(name, 0, f"the file cannot be read: {error.strerror or error}") from None
    if len(raw) > MAX_BYTES:
        raise ConfigError(name, 0, f"the file has {len(raw):,} bytes; at most {MAX_BYTES:,} are read")
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise ConfigError(name, line, "the text is not UTF-8; save the file as UTF-8") from None
    return parse(text, name)


def parse(text: str, name: str) -> Any:
    """The value of one YAML text, with lines; raises ConfigError for everything that is not right in it."""
    try:
        loader = _Loader(text)
        try:
            node = loader.get_single_node()
            return None if node is None else _Builder(loader, name).value(node, 0)
        finally:
            loader.dispose()
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        problem = error.problem or error.context or "cannot be parsed"
        raise ConfigError(name, mark.line + 1 if mark else 0, f"not valid YAML: {problem}") from None
    except yaml.YAMLError as error:
        raise ConfigError(name, 0, f"not valid YAML: {str(error).splitlines()[0]}") from None
    except (ValueError, RecursionError) as error:
        raise ConfigError(name, 0, f"not valid YAML: {error}") from None


class _Builder:
    """Turns the node graph into values, counting them so that aliases cannot multiply without end."""

    def __init__(self, loader: Any, name: str) -> None:
        self.loader = loader
        self.name = name
        self.count = 0

    def value(self, node: Any, depth: int) -> Any:
        """The value of one node with all that is in it."""
        self.count += 1
        line = node.start_mark.line + 1
        if self.count > MAX_VALUES:
            raise ConfigError(self.name, line, f"more than {MAX_VALUES:,} values; aliases multiply them")
        if depth > MAX_DEPTH:
            raise ConfigError(self.name, line, f"nested more than {MAX_DEPTH} deep (does an alias hold itself?)")
        if node.tag not in _PLAIN:
            self._refuse_tag(node, line)
        if isinstance(node, yaml.MappingNode):
            return self._map(node, depth, line)
        if isinstance(node, yaml.SequenceNode):
            out = Seq(line)
            for item in node.value:
                out.append(self.value(item, depth + 1))
                out.lines.append(item.start_mark.line + 1)
            return out
        try:
            return self.loader.construct_object(node)
        except (
            ValueError,
            LookupError,
            TypeError,
            OverflowError,
        ):  # a tag that its value does not fit: !!int without digits
            kind = node.tag.rpartition(":")[2]
            raise ConfigError(
                self.name, line, f"{str(node.value)[:40]!r} is not a value of the kind {kind!r}"
            ) from None

    def _map(self, node: Any, depth: int, line: int) -> Map:
        out = Map(line)
        for key_node, value_node in node.value:
            at = key_node.start_mark.line + 1
            if not isinstance(key_node, yaml.ScalarNode):
                raise ConfigError(self.name, at, "a key must be plain text")
            key = self.value(key_node, depth + 1)
            if not isinstance(key, str):
                raise ConfigError(self.name, at, f"the key {key_node.value!r} is not text; put it in quotes")
            if key in out:
                raise ConfigError(self.name, at, f"the key {key!r} is given twice (first in line {out.lines[key]})")
            out.put(key, self.value(value_node, depth + 1), at)
        return out

    def _refuse_tag(self, node: Any, line: int) -> None:
        if node.tag.endswith(":merge"):
            raise ConfigError(self.name, line, "merge keys ('<<') are not read here; write 'same_as' or 'like'")
        raise ConfigError(self.name, line, f"the tag {node.tag!r} is not allowed; write plain values")
