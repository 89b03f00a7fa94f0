"""The tasks of the April 2024 circular, the words that point at each, and the facets: what the classifier knows.

One file per task (`taxonomy/tasks/<id>.yaml`), so that a person can change a task's words without seeing the others.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

from pydantic import Field

from config.checking import build, fault, raise_all
from config.errors import ConfigError, hint
from config.fields import Filled, Id, Model, Texts, Url, empty
from config.yaml_lines import Map, load


class Text(Model):
    """The same text in both languages."""

    zh: Filled = Field(description="Chinese")
    en: Filled = Field(description="English")


class Terms(Model):
    """Words and phrases by language, from the most to the least specific."""

    zh: Texts = Field((), description="Chinese (Simplified), matched as substrings")
    en: Texts = Field((), description="English, matched on word boundaries; acronyms are case-sensitive")


class Provenance(Model):
    """Where a task or measure comes from, and how sure that is."""

    seed: str | None = Field(None, description="paragraph of the seed article")
    circular: str | None = Field(None, description="section of the circular")
    evidence: Texts = Field((), description="codes of meta.evidence_codes")
    refs: Texts = Field((), description="keys of meta.references")
    confidence: Literal["", "high", "medium", "low"] = Field("", description="how sure it is that the circular says so")


class Measure(Model):
    """A measure under a task."""

    id: Id = Field(description="short name")
    zh: Filled = Field(description="name in Chinese")
    en: Filled = Field(description="name in English")
    description: Text = Field(description="what it asks for")
    seed_quote: str = Field("", description="the words of the seed article that name it")
    source: Provenance = Field(default_factory=empty(Provenance), description="where it comes from")
    addressed: Texts = Field((), description="who must act: keys of meta.addressees")
    gate: Texts = Field((), description="gates that must be open too: one term of each in the same document")
    terms: Terms = Field(description="words that point at it")
    negative: Terms = Field(
        default_factory=empty(Terms), description="look-alikes: they take away the hit that they overlap"
    )

    @property
    def confidence(self) -> str:
        """How sure it is that the circular asks for this ("" = not known)."""
        return self.source.confidence


class Task(Measure):
    """A task of the circular, with its measures."""

    status: Literal["key-task", "measure", "provisional"] = Field(
        description="key-task = one of the four the circular names, measure = a measure it asks for, "
        "provisional = reported second-hand only, not used for evaluation"
    )
    measures: tuple[Measure, ...] = Field((), description="the measures under it")

    @property
    def provisional(self) -> bool:
        """Whether the task is known at second hand only."""
        return self.status == "provisional"


class Institution(Model):
    """An institution that documents name."""

    id: Id = Field(description="short name")
    role: Literal["issuer", "local", "authority", "executor", "infrastructure"] = Field(
        description="its part in the matter"
    )
    zh: Filled = Field(description="name in Chinese")
    en: Filled = Field(description="name in English")
    aliases: Terms = Field(default_factory=empty(Terms), description="other names")
    ambiguous: Terms = Field(default_factory=empty(Terms), description="short names that count only beside a clear one")
    former: Terms = Field(default_factory=empty(Terms), description="names it had before")
    negative: Terms = Field(default_factory=empty(Terms), description="look-alikes")
    parent: str | None = Field(None, description="the institution that it belongs to")
    note: str = Field("", description="for people")


class Industry(Model):
    """An industry that documents name."""

    id: Id = Field(description="short name")
    group: Literal["strategic-emerging", "export", "circular-only", "follow-up"] = Field(
        description="where it was named"
    )
    in_seed: bool = Field(False, description="whether the seed article names it")
    zh: Filled = Field(description="name in Chinese")
    en: Filled = Field(description="name in English")
    terms: Terms = Field(description="words that point at it")
    negative: Terms = Field(default_factory=empty(Terms), description="look-alikes")
    note: str = Field("", description="for people")


class Instrument(Model):
    """A financial instrument that documents name."""

    id: Id = Field(description="short name")
    zh: Filled = Field(description="name in Chinese")
    en: Filled = Field(description="name in English")
    terms: Terms = Field(description="words that point at it")
    negative: Terms = Field(default_factory=empty(Terms), description="look-alikes")
    note: str = Field("", description="for people")


class Circular(Model):
    """The circular that everything is about."""

    zh: Filled = Field(description="title in Chinese")
    en: Filled = Field(description="title in English")
    published: date = Field(description="day of publication")
    doc_number: Filled = Field(description="文号")
    doc_number_verified: bool = Field(False, description="whether the number was seen on an official page")


class Reference(Model):
    """A text in which evidence was seen."""

    url: Url = Field(description="its address")
    what: Filled = Field(description="what it is")


class Meta(Model):
    """About the taxonomy: the circular, the order of tasks, conventions and evidence."""

    version: Filled = Field(description="version of the taxonomy; part of every classifier id")
    compiled_on: date = Field(description="day it was compiled")
    circular: Circular = Field(description="the circular")
    order: Texts = Field(description="ids of all tasks, in the order in which users see them")
    conventions: Texts = Field((), description="how terms are written and matched")
    evidence_codes: dict[str, str] = Field(default_factory=dict, description="what the codes in source.evidence mean")
    addressees: dict[str, Text] = Field(default_factory=dict, description="who must act")
    references: dict[str, Reference] = Field(default_factory=dict, description="texts in which evidence was seen")


class Gates(Model):
    """Lists of words of which at least one must be in a document for certain labels."""

    gates: dict[str, Terms] = Field(description="the lists by name; a language without a list counts as met")


class Facets(Model):
    """Who and what documents mention."""

    institutions: tuple[Institution, ...] = Field(description="institutions")
    industries: tuple[Industry, ...] = Field(description="industries")
    instruments: tuple[Instrument, ...] = Field(description="financial instruments")


class Taxonomy(Model):
    """Everything the classifier knows by words."""

    meta: Meta
    gates: dict[str, Terms]
    tasks: tuple[Task, ...]
    facets: Facets

    @property
    def circular(self) -> Circular:
        """The circular that everything is about."""
        return self.meta.circular

    @cached_property
    def by_id(self) -> dict[str, Task]:
        """The tasks by id."""
        return {task.id: task for task in self.tasks}

    def task(self, name: str) -> Task:
        """The task with this id; KeyError names the nearest one."""
        if name not in self.by_id:
            raise KeyError(f"there is no task {name!r}{hint(name, self.by_id)}")
        return self.by_id[name]


def load_taxonomy(directory: Path) -> Taxonomy:
    """The taxonomy in `directory`/taxonomy; raises ConfigError."""
    meta_data, meta = _read(directory, "taxonomy/meta.yaml", Meta)
    _, gates = _read(directory, "taxonomy/gates.yaml", Gates)
    tasks, found = _tasks(directory, meta, gates)
    found += [
        fault(
            meta_data,
            ("order", index),
            "taxonomy/meta.yaml",
            "",
            f"there is no file tasks/{name}.yaml{hint(name, tasks)}",
        )
        for index, name in enumerate(meta.order)
        if name not in tasks
    ]
    facets = _facets(directory)
    if found:
        raise_all(found)
    return Taxonomy(meta=meta, gates=gates.gates, tasks=tuple(tasks[name] for name in meta.order), facets=facets)


def _read(directory: Path, name: str, model: type[Any]) -> tuple[Any, Any]:
    data = load(directory / name, name)
    return data, build(model, data, name)


def _tasks(directory: Path, meta: Meta, gates: Gates) -> tuple[dict[str, Task], list[ConfigError]]:
    tasks: dict[str, Task] = {}
    found: list[ConfigError] = []
    for path in sorted((directory / "taxonomy" / "tasks").glob("*.yaml")):
        file = f"taxonomy/tasks/{path.name}"
        data, task = _read(directory, file, Task)
        found += [fault(data, loc, file, "", message) for loc, message in _task_faults(task, path.stem, meta, gates)]
        tasks[task.id] = task
    if not tasks:
        raise ConfigError("taxonomy/tasks", 0, "the folder holds no task; it needs one .yaml file per task")
    return tasks, found


def _task_faults(task: Task, stem: str, meta: Meta, gates: Gates) -> Iterator[tuple[tuple[str | int, ...], str]]:
    if task.id != stem:
        yield ("id",), f"{task.id!r} differs from the file's name {stem!r}; make them the same"
    elif task.id not in meta.order:
        yield ("id",), f"{task.id!r} is not in the list 'order' of taxonomy/meta.yaml; add it there"
    seen: set[str] = set()
    for index, measure in enumerate(task.measures):
        if measure.id in seen:
            yield ("measures", index, "id"), f"the id {measure.id!r} is used twice"
        seen.add(measure.id)
    for prefix, part in [((), task), *((("measures", i), m) for i, m in enumerate(task.measures))]:
        if not part.terms.zh and not part.terms.en:
            yield (*prefix, "terms"), "there is no term in either language"
        for key, names, known in (
            (("gate",), part.gate, gates.gates),
            (("addressed",), part.addressed, meta.addressees),
            (("source", "evidence"), part.source.evidence, meta.evidence_codes),
            (("source", "refs"), part.source.refs, meta.references),
        ):
            for index, name in enumerate(names):
                if name not in known:
                    yield (*prefix, *key, index), f"there is no {name!r}{hint(name, known)}"


def _facets(directory: Path) -> Facets:
    parts: dict[str, Any] = {}
    for name in ("institutions", "industries", "instruments"):
        file = f"taxonomy/facets/{name}.yaml"
        data = load(directory / file, file)
        wrapper = Map(1)
        wrapper.put(name, data, 1)
        partial = build(_ONE[name], wrapper, file)
        entries = getattr(partial, name)
        ids = [entry.id for entry in entries]
        found = [
            fault(wrapper, (name, i, "id"), file, "", f"the id {e.id!r} is used twice")
            for i, e in enumerate(entries)
            if e.id in ids[:i]
        ]
        found += [
            fault(wrapper, (name, i, "parent"), file, "", f"there is no {e.parent!r}{hint(e.parent, ids)}")
            for i, e in enumerate(entries)
            if getattr(e, "parent", None) and e.parent not in ids
        ]
        if found:
            raise_all(found)
        parts[name] = entries
    return Facets.model_construct(**parts)


class _Institutions(Model):
    institutions: tuple[Institution, ...]


class _Industries(Model):
    industries: tuple[Industry, ...]


class _Instruments(Model):
    instruments: tuple[Instrument, ...]


_ONE: dict[str, type[Model]] = {"institutions": _Institutions, "industries": _Industries, "instruments": _Instruments}
