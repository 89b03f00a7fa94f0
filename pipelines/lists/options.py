"""Reads an option of a source the same way from a validated model and from plain YAML, so that readers are not two."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def option(holder: Any, name: str, default: Any = None) -> Any:
    """The value of `name` in a model or mapping; None, a missing name and an unset one all give `default`."""
    if holder is None:
        return default
    if isinstance(holder, Mapping):
        value = holder.get(name)
    else:
        value = getattr(holder, name, None)
        if value is None or callable(value):
            value = getattr(holder, name + "_", None)
        if value is None:
            value = (getattr(holder, "model_extra", None) or {}).get(name)
    return default if value is None else value


def as_list(value: Any) -> list[Any]:
    """A single value as a list of one; None as an empty list."""
    if value is None or value == "":
        return []
    return list(value) if isinstance(value, (list, tuple)) else [value]


def texts(holder: Any, name: str) -> list[str]:
    """An option that is a string or a list of strings, as a list of strings."""
    return [str(getattr(v, "raw", v)) for v in as_list(option(holder, name))]
