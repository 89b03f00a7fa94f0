"""Reads values out of JSON answers by dotted paths: `data.rows[]`, `groupData.0.data`, `[]`, `searchVO.catMap.*.listVO[]`."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import Any

from pipelines.lists.selectors import strip_tags

_JSONP = re.compile(r"^\s*[\w$.]{1,80}\s*\((.*)\)\s*(?:;\s*)?$", re.DOTALL)


class NotJson(ValueError):
    """Text that should be JSON and is not; str() says where it breaks."""


def parse_json(text: str) -> Any:
    """The value of JSON or JSONP text; NotJson when it is neither. A leading byte order mark is ignored."""
    text = text.lstrip("\ufeff \t\r\n")
    try:
        try:
            return json.loads(text)
        except ValueError:
            wrapped = _JSONP.match(text)
            if wrapped is None:
                raise
            return json.loads(wrapped.group(1))
    except RecursionError as error:
        raise NotJson("nested too deeply") from error
    except ValueError as error:
        raise NotJson(str(error)) from error


@lru_cache(maxsize=1024)
def steps(path: str) -> tuple[str, ...]:
    """`data.rows[].x` as (`data`, `rows`, `[]`, `x`)."""
    return tuple(s for s in path.replace("[]", ".[].").split(".") if s)


def walk(value: Any, path: str) -> Iterator[tuple[Any, tuple[dict[str, Any], ...]]]:
    """Every value at the path, with the objects passed on the way (outermost first)."""
    yield from _walk(value, steps(path), ())


def _walk(
    value: Any, todo: tuple[str, ...], above: tuple[dict[str, Any], ...]
) -> Iterator[tuple[Any, tuple[dict[str, Any], ...]]]:
    if not todo:
        yield value, above
        return
    step, rest = todo[0], todo[1:]
    if step == "[]":
        for item in value if isinstance(value, list) else ():
            yield from _walk(item, rest, above)
    elif isinstance(value, dict):
        children = value.values() if step == "*" else (value[step],) if step in value else ()
        for child in children:
            yield from _walk(child, rest, (*above, value))
    elif isinstance(value, list) and step.isdigit() and int(step) < len(value):
        yield from _walk(value[int(step)], rest, above)


def get(value: Any, path: str) -> Any:
    """The first value at the path that is neither null nor empty, else None."""
    for found, _ in walk(value, path):
        if found is not None and found != "":
            return found
    return None


def items(value: Any, paths: Iterable[str]) -> list[tuple[dict[str, Any], tuple[dict[str, Any], ...]]]:
    """The objects of all the paths (an answer may hold several arrays; every one counts), with the objects above them."""
    out = []
    for path in paths:
        out += [(found, above) for found, above in walk(value, path) if isinstance(found, dict)]
    return out


def as_text(value: Any) -> str:
    """A JSON value as one line of plain text: markup stripped, list members joined by blanks."""
    if value is None or isinstance(value, bool):
        return ""
    if isinstance(value, list):
        return " ".join(t for t in map(as_text, value) if t)
    if isinstance(value, dict):
        return as_text(value.get("rendered") or value.get("name") or value.get("title"))
    return strip_tags(str(value))


def text(row: Any, paths: Iterable[str]) -> str:
    """The first non-empty text at the paths; `tags[].name` joins all of its values."""
    for path in paths:
        found = [t for t in (as_text(v) for v, _ in walk(row, path)) if t]
        if found:
            return " ".join(dict.fromkeys(found)) if "[]" in path else found[0]
    return ""


def raw(row: Any, paths: Iterable[str]) -> str:
    """The first non-empty string at the paths with its markup kept (bodies)."""
    for path in paths:
        value = get(row, path)
        if isinstance(value, str) and value.strip():
            return value
    return ""


def holds(row: Any, condition: Any) -> bool:
    """Whether `{path, equals}` is true of the row; numbers and strings that look the same are the same."""
    if isinstance(condition, dict):
        path, wanted = condition.get("path"), condition.get("equals")
    else:
        path, wanted = getattr(condition, "path", None), getattr(condition, "equals", None)
    found = next((v for v, _ in walk(row, str(path))), None)
    return bool(found == wanted or (found is not None and str(found).lower() == str(wanted).lower()))
