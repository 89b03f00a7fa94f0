"""Writes `README.md` beside it: every key of every configuration file with its meaning, made from the models.

`python -m config.reference` writes it again; a test fails when it is out of date.
"""

from __future__ import annotations

import types
import typing
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from config.alerts import Channel, Example, Rule
from config.checking import core_of
from config.merging import DEFAULTABLE
from config.settings import SECRETS, VARIABLES, Limits, Settings
from config.sources import Source
from config.taxonomy import Circular, Industry, Institution, Instrument, Measure, Meta, Provenance, Task, Terms

INTRODUCTION = """\
# Configuration

What circularwatch watches, what it knows, whom it tells. Data for people to change; each file has a model beside it that
refuses whatever it does not know, with file, line and the nearest name. `circularwatch config check` reads everything,
shows all faults at once, and says where each value came from.

| file | what it holds | model |
|---|---|---|
| `sources.yaml` | what is watched | `sources.py`, `options.py`, `merging.py`, `selectors.py` |
| `taxonomy/` | the tasks of the circular with their words (one file per task), gates, facets | `taxonomy.py` |
| `alerts.yaml` | who wants to be told of what | `alerts.py` |
| `settings.yaml` | the operator's choices; the environment wins | `settings.py` |
| `metadata.yaml` | what Datasette shows about tables and columns | a test compares it with the schema |
| `training/`, `calibration.jsonl` | what the trained reader learns from, and the labelled documents that its probabilities and thresholds are fitted on (and nothing else); all written for this project | `pipelines/classify/training.py` |
| `model/` | what `circularwatch train` made of them, and the ideas it reads by (`concepts.yaml`) | `pipelines/classify/model.py` |

Use your own folder with `--config DIR` or `CIRCULARWATCH_CONFIG` (copy this one). YAML is read strictly: a key given twice
is a fault, only `true` and `false` are booleans, dates and times are plain text, merge keys are refused.

This page is made by `python -m config.reference`.
"""

SELECTORS = """\
Selectors are CSS by default; `::text` gives the text, `::attr(x)` an attribute. `xpath:…` is XPath, `re:…` a regular
expression on the text of the page, `re_url:…` one on the address; its group, if it has one, is the result. In JSON lists and
`format: json` articles, dotted paths stand in their place: `data.rows[]`, `[]` = each item. Where several are given, the
first that gives a non-empty value counts. `:has(>` is refused, because it finds nothing; write XPath.

`like: ID` makes a source like another one: only what differs is written, and the blocks list, article, paging, feed, sitemap,
wordpress, expect, headers and xhr_list are laid over the other's key by key. `same_as: NAME` inside a block takes the same
block of another source, or (in `article`) one of `templates`. `defaults` may set {defaults} for all sources.
"""


def text() -> str:
    """The whole page as Markdown."""
    parts = [INTRODUCTION, "## sources.yaml\n", SELECTORS.format(defaults=", ".join(f"`{d}`" for d in DEFAULTABLE))]
    seen: set[type[BaseModel]] = set()
    parts += _tables(Source, "A source", seen)
    parts.append("## taxonomy/\n")
    for title, model in (("A task", Task), ("An institution", Institution), ("An industry", Industry)):
        parts += _tables(model, title, seen)
    parts += _tables(Instrument, "An instrument", seen)
    parts += _tables(Meta, "meta.yaml", seen)
    parts.append("## alerts.yaml\n")
    parts += _tables(Rule, "A rule", seen)
    parts += _tables(Channel, "A channel", seen)
    parts.append("## settings.yaml\n")
    parts += _tables(Settings, "Settings", seen)
    parts.append("### Environment\n")
    rows = [f"| `{variable}` | `{name}` |" for name, variable in VARIABLES.items()]
    rows += [f"| `{variable}` | secret, environment only |" for variable in dict.fromkeys(SECRETS.values())]
    rows += ["| `CIRCULARWATCH_CONFIG` | the configuration folder |"]
    parts.append("\n".join(["| variable | sets |", "|---|---|", *rows]) + "\n")
    return "\n".join(parts)


def _tables(model: type[BaseModel], title: str, seen: set[type[BaseModel]]) -> Iterator[str]:
    if model in seen:
        return
    seen.add(model)
    yield f"### {title}\n"
    yield f"{(model.__doc__ or '').strip().splitlines()[0]}\n"
    rows = [
        f"| `{name}` | {_type(info)} | {_default(info)} | {(info.description or '').replace('|', chr(92) + '|')} |"
        for name, info in model.model_fields.items()
    ]
    yield "\n".join(["| key | value | default | meaning |", "|---|---|---|---|", *rows]) + "\n"
    for name, info in model.model_fields.items():
        inner = core_of(info.annotation)
        if inner is not None:
            yield from _tables(inner, f"`{name}`", seen)


def _default(info: FieldInfo) -> str:
    if info.is_required():
        return "required"
    if info.default_factory is not None or info.default in (None, "", ()):
        return ""
    if isinstance(info.default, bool):
        return f"`{str(info.default).lower()}`"
    return f"`{info.default}`"


def _type(info: FieldInfo) -> str:
    return _name(info.annotation)


def _name(annotation: Any) -> str:
    origin, arguments = typing.get_origin(annotation), typing.get_args(annotation)
    if origin is typing.Annotated:
        return _name(arguments[0])
    if origin is Literal:
        return ", ".join(f"`{a}`" if a != "" else "empty" for a in arguments)
    if origin in (typing.Union, types.UnionType):
        return " or ".join(dict.fromkeys(_name(a) for a in arguments if a is not type(None)))
    if origin is tuple:
        return "list of blocks" if core_of(arguments[0]) else "one or a list"
    if origin is dict:
        return "block" if core_of(arguments[1]) is None else "block of blocks"
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return "block"
    names = {str: "text", int: "whole number", float: "number", bool: "`true`, `false`", Path: "path"}
    return names.get(annotation, getattr(annotation, "__name__", "value"))


def models() -> tuple[type[BaseModel], ...]:
    """Every model whose keys users write, for the test that looks for missing descriptions."""
    return (Source, Task, Measure, Terms, Provenance, Institution, Industry, Instrument, Meta, Circular, Rule, Example,
            Channel, Settings, Limits)  # fmt: skip


if __name__ == "__main__":
    Path(__file__).with_name("README.md").write_text(text(), encoding="utf-8")
