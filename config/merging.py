"""Makes every source of sources.yaml complete: defaults, `like` (another source) and `same_as` (a block of options).

It works on loaded YAML before the models see it, and keeps the line of every key, so that a fault in an inherited
option is reported where it is written.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from config.checking import build, raise_all
from config.errors import ConfigError, hint
from config.options import ArticleOptions
from config.sources import Source
from config.yaml_lines import Map, Seq

# What the file may set for all sources at once
DEFAULTABLE = (
    "timezone",
    "encoding",
    "download_delay_s",
    "timeout_s",
    "headers",
    "blocked_body_markers",
    "attachment_ext",
)
# What a source that is `like` another one must say for itself
OWN = (
    "id",
    "name",
    "enabled",
    "certainty",
    "evidence",
    "evidence_on",
    "note",
    "base_url",
    "lists",
    "lists_off",
    "like",
)
# Blocks in which the keys of a source are laid over those of the source that it is like
BLOCKS = ("list", "article", "paging", "feed", "sitemap", "wordpress", "expect", "headers", "xhr_list")

Check = Callable[[Source, Any, str], Iterator[ConfigError]]


def complete(document: Map, file: str, check: Check) -> dict[str, Source]:
    """The sources of the document by id; `check` gives further faults of a source. Raises ConfigError."""
    merger = Merger(document, file)
    found: list[ConfigError] = []
    sources: dict[str, Source] = {}
    for entry in merger.entries.values():
        try:
            data = merger.source(entry)
            source = build(Source, data, file, str(entry["id"]))
            found += check(source, data, file)
            sources[source.id] = source
        except ConfigError as error:
            found += [error, *error.further]
    if found:
        raise_all(_once(found, merger.entries))
    return sources


def _once(found: list[ConfigError], names: Iterable[str]) -> list[ConfigError]:
    """A fault that several sources inherit is told once, where it is written."""
    out: dict[tuple[int, str], ConfigError] = {}
    for error in found:
        said = error.message
        for name in names:
            said = said.replace(f"{name}: ", "")
        out.setdefault((error.line, said), error)
    return list(out.values())


class Merger:
    """The blocks of one document, and every source of it with `like`, `same_as` and defaults laid in."""

    def __init__(self, document: Map, file: str) -> None:
        self.file = file
        self.defaults = self._block(document, "defaults")
        self.templates = self._block(document, "templates")
        for key in self.defaults:
            if key not in DEFAULTABLE:
                line = self.defaults.lines[key]
                raise ConfigError(file, line, f"unknown key {key!r} in defaults{hint(key, DEFAULTABLE)}")
        self.entries = self._entries(document)
        for name, block in self.templates.items():
            line = self.templates.lines[name]
            if name in self.entries:
                raise ConfigError(file, line, f"templates: {name!r} is the id of a source too; give it another name")
            if not isinstance(block, Map):
                raise ConfigError(file, line, f"templates.{name}: must be a block of article options")
            build(ArticleOptions, block, file, f"templates.{name}")

    def _block(self, document: Map, key: str) -> Map:
        value = document.get(key)
        if value is None:
            return Map(document.lines.get(key, 1))
        if not isinstance(value, Map):
            raise ConfigError(self.file, document.lines[key], f"{key}: must be a block of keys and values")
        return value

    def _entries(self, document: Map) -> dict[str, Map]:
        listed = document.get("sources")
        if not isinstance(listed, Seq) or not listed:
            raise ConfigError(
                self.file, document.lines.get("sources", 1), "sources: must be a list with a source in it"
            )
        out: dict[str, Map] = {}
        for entry, line in zip(listed, listed.lines, strict=True):
            if not isinstance(entry, Map):
                raise ConfigError(self.file, line, "each source must be a block that begins with '- id: …'")
            name = entry.get("id")
            if not isinstance(name, str):
                raise ConfigError(
                    self.file, line, "this source lacks the key 'id'" if name is None else "id: must be text"
                )
            at = entry.lines["id"]
            if name in out:
                raise ConfigError(
                    self.file, at, f"the id {name!r} is used twice (first in line {out[name].lines['id']})"
                )
            out[name] = entry
        return out

    def source(self, entry: Map) -> Map:
        """One source with everything laid in, as the model wants it."""
        whole = self._like(entry, ())
        for key in [key for key in BLOCKS if isinstance(whole.get(key), Map)]:
            whole.put(key, self._same_as(whole[key], key, str(entry["id"]), ()), whole.lines[key])
        for key, value in self.defaults.items():
            if key not in whole:
                whole.put(key, value, self.defaults.lines[key])
            elif key == "headers" and isinstance(value, Map) and isinstance(whole[key], Map):
                whole.put(key, whole[key].over(value), whole.lines[key])
        return whole

    def _like(self, entry: Map, seen: tuple[str, ...]) -> Map:
        name = str(entry["id"])
        if "like" not in entry:
            return entry.copy()
        at = entry.lines["like"]
        other = entry["like"]
        if not isinstance(other, str) or other not in self.entries:
            raise ConfigError(
                self.file, at, f"{name}: like: there is no source {str(other)!r}{hint(other, self._others(name))}"
            )
        if other == name or other in seen:
            raise ConfigError(self.file, at, f"{name}: like: {other!r} leads back to itself")
        base = self._like(self.entries[other], (*seen, name))
        out = Map(entry.line)
        for key, value in base.items():
            if key not in OWN:
                out.put(key, value, base.lines[key])
        for key, value in entry.items():
            if key == "like":
                continue
            inherited = out.get(key)
            if key in BLOCKS and isinstance(value, Map) and isinstance(inherited, Map) and "same_as" not in value:
                value = value.over(inherited)
            out.put(key, value, entry.lines[key])
        return out

    def _same_as(self, block: Map, key: str, name: str, seen: tuple[str, ...]) -> Map:
        if "same_as" not in block:
            return block
        at = block.lines["same_as"]
        other = block["same_as"]
        known = [*self._others(name), *(self.templates if key == "article" else ())]
        if not isinstance(other, str) or other not in known:
            raise ConfigError(self.file, at, f"{name}: {key}.same_as: there is no {str(other)!r}{hint(other, known)}")
        if other in seen:
            raise ConfigError(self.file, at, f"{name}: {key}.same_as: {other!r} leads back to itself")
        source = None if other in self.templates else self._like(self.entries[other], (name,))
        base = self.templates[other] if source is None else source.get(key)
        if not isinstance(base, Map):
            raise ConfigError(self.file, at, f"{name}: {key}.same_as: the source {other!r} has no block {key!r}")
        out = block.over(self._same_as(base, key, other, (*seen, name, other)))
        del out["same_as"]
        return out

    def _others(self, name: str) -> list[str]:
        return [other for other in self.entries if other != name]
