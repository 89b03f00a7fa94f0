"""Runs a model over loaded YAML and turns what pydantic finds into sentences with file, line and the nearest name."""

from __future__ import annotations

import types
import typing
from collections.abc import Iterable, Sequence
from typing import Any, NoReturn, TypeVar

from pydantic import BaseModel, ValidationError

from config.errors import ConfigError, hint
from config.yaml_lines import Map, Seq

M = TypeVar("M", bound=BaseModel)
Loc = Sequence[str | int]


def build(model: type[M], data: Any, file: str, where: str = "") -> M:
    """The model made of `data`; raises ConfigError. `where` is put before the place in each sentence ("nfra")."""
    try:
        return model.model_validate(data)
    except ValidationError as error:
        found = [
            ConfigError(file, *_sentence(model, data, where, item))
            for item in error.errors(include_url=False, include_context=True)
        ]
        raise_all(found)


def raise_all(found: Sequence[ConfigError]) -> NoReturn:
    """Raise the first fault (by line) with the others hanging on it."""
    first, *rest = sorted(found, key=lambda e: (e.file, e.line))
    raise ConfigError(first.file, first.line, first.message, rest)


def fault(data: Any, loc: Loc, file: str, where: str, message: str) -> ConfigError:
    """A fault that a check after the model found at `loc`."""
    return ConfigError(file, line_of(data, loc), f"{place(where, loc)}: {message}" if place(where, loc) else message)


def place(where: str, loc: Iterable[str | int]) -> str:
    """ "nfra: list.items" : whose option is meant, for the beginning of a sentence."""
    path = ".".join(str(part) if isinstance(part, str) else str(part + 1) for part in loc)
    return ": ".join(part for part in (where, path) if part)


def line_of(data: Any, loc: Loc) -> int:
    """The line of the value at `loc`, or of the nearest thing around it that has one."""
    line = getattr(data, "line", 0)
    for part in loc:
        if isinstance(data, Map) and part in data:
            line = data.lines.get(part, line)
            data = data[part]
        elif isinstance(data, Seq) and isinstance(part, int) and part < len(data):
            line = data.lines[part] if part < len(data.lines) else line
            data = data[part]
        else:
            break
    return line


def _sentence(model: type[BaseModel], data: Any, where: str, item: Any) -> tuple[int, str]:
    loc: tuple[str | int, ...] = tuple(item["loc"])
    kind: str = item["type"]
    line = line_of(data, loc)
    if kind == "extra_forbidden":
        inside = place(where, loc[:-1])
        message = (
            f"unknown key {loc[-1]!r}{' in ' + inside if inside else ''}{hint(loc[-1], names_at(model, loc[:-1]))}"
        )
        return line, message
    if kind == "missing":
        inside = place(where, loc[:-1])
        return line, f"{inside + ' ' if inside else ''}lacks the key {str(loc[-1])!r}"
    return line, f"{place(where, loc)}: {_complaint(item, value_at(data, loc))}"


def _complaint(item: Any, value: Any) -> str:
    kind: str = item["type"]
    context: dict[str, Any] = item.get("ctx", {})
    shown = show(value)
    if kind == "value_error":
        return str(context["error"])
    if kind in ("literal_error", "enum"):
        return f"{shown} is not allowed{hint(value, _alternatives(str(context['expected'])))}"
    if kind == "string_type":
        return f"{shown} is not text" + ("; put it in quotes" if isinstance(value, (int, float, bool)) else "")
    if kind.startswith("int"):
        return f"{shown} is not a whole number"
    if kind.startswith("float") or kind == "finite_number":
        return f"{shown} is not a number"
    if kind.startswith("bool"):
        return f"{shown} is neither true nor false"
    if kind.startswith("date"):
        return f"{shown} is not a date; write YYYY-MM-DD"
    if kind in ("model_type", "dict_type", "model_attributes_type"):
        return f"{shown} is not a block of keys and values"
    if kind in ("tuple_type", "list_type"):
        return f"{shown} is not a list"
    if kind == "too_short":
        return "the list is empty"
    message = str(item["msg"])
    return f"{shown} is refused: {message[:1].lower()}{message[1:]}"


def show(value: Any) -> str:
    """A value as the sentence quotes it, cut to a readable length."""
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return str(value).lower()
    text = repr(dict(value)) if isinstance(value, Map) else repr(list(value)) if isinstance(value, Seq) else repr(value)
    return text if len(text) <= 80 else text[:77] + "…"


def value_at(data: Any, loc: Loc) -> Any:
    """The value that a fault is about (the last one that exists on the way to `loc`)."""
    for part in loc:
        try:
            data = data[part]
        except (KeyError, IndexError, TypeError):
            break
    return data


def names_at(model: type[BaseModel], loc: Loc) -> list[str]:
    """The keys that are allowed at `loc` inside a model."""
    current: Any = model
    inside_dict = False
    for part in loc:
        if isinstance(part, int) or inside_dict:
            inside_dict = False
            continue
        if isinstance(current, type) and issubclass(current, BaseModel):
            known = current.model_fields.get(part)
            inside_dict = known is not None and "dict[" in str(known.annotation)
            current = core_of(known.annotation) if known else None
    return list(current.model_fields) if isinstance(current, type) and issubclass(current, BaseModel) else []


def core_of(annotation: Any) -> Any:
    """The model inside Optional, tuple, dict or Annotated, if there is one."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    if typing.get_origin(annotation) is not None or isinstance(annotation, types.UnionType):
        for inner in typing.get_args(annotation):
            core = core_of(inner)
            if core is not None:
                return core
    return None


def _alternatives(expected: str) -> list[str]:
    return [part.strip().strip("'") for part in expected.replace(" or ", ", ").split(",") if part.strip()]
