"""The taxonomy compiled for reading: every spelling of every term, what it speaks for, and one automaton over all.

The automaton's cost grows with the length of the text, not with the number of terms.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Literal

import ahocorasick_rs

from pipelines.classify import variants

Kind = Literal["task", "negative", "gate", "facet", "facet-negative", "concept"]

# the last third of each list is "weak evidence on its own" (taxonomy.yaml, conventions)
TAIL = 0.66
FIRST, LAST = 0.85, 0.35

# the formula of caution that circulars attach to everything; it orders nothing about risk
_FORMULA = frozenset(
    [
        "风险可控",
        "商业自愿",
        "风险可控商业自愿",
        "依法合规、风险可控",
        "商业可持续",
        "keep risks under control",
        "keeping risk controllable",
        "controllable risk",
        "risks are controllable",
        "commercially sustainable",
        "willing from a commercial perspective",
    ]
)


@dataclass(frozen=True, slots=True)
class Role:
    """What one spelling speaks for. `key` is a task, gate, concept or `facet:value`; `term` as the taxonomy writes it."""

    kind: Kind
    key: str
    term: str
    measure: str = ""
    weight: float = 1.0
    tail: bool = False
    formula: bool = False
    exact: str = ""
    ambiguous: bool = False


@dataclass(frozen=True, slots=True)
class Lexicon:
    """The automaton, and for each of its patterns the roles and whether its ends must be word boundaries."""

    automaton: ahocorasick_rs.AhoCorasick
    roles: list[tuple[Role, ...]]
    bounded: list[tuple[bool, bool]]
    tasks: list[str]
    measures: dict[str, list[str]]
    gates: dict[str, list[str]]
    gate_languages: dict[str, frozenset[str]]


def get(thing: Any, name: str, default: Any = None) -> Any:
    """A field of a taxonomy entry, which is a model or (in tests) a plain mapping."""
    value = thing.get(name, default) if isinstance(thing, dict) else getattr(thing, name, default)
    return default if value is None else value


def words(entry: Any, name: str, language: str) -> list[str]:
    """The list of terms under `name` for a language; empty where the taxonomy has none."""
    return list(get(get(entry, name, {}), language, []))


class _Builder:
    def __init__(self) -> None:
        self.patterns: dict[str, list[Role]] = {}

    def add(self, language: str, term: str, **role: Any) -> None:
        exact = term if variants.is_exact(term) else ""
        made = Role(term=term, exact=exact, **role)
        for spelling in variants.chinese(term) if language == "zh" else variants.english(term):
            roles = self.patterns.setdefault(spelling, [])
            if made not in roles:
                roles.append(made)

    def ranked(self, language: str, terms: list[str], **role: Any) -> None:
        for i, term in enumerate(terms):
            place = i / max(1, len(terms) - 1) if len(terms) > 1 else 0.0
            weight = FIRST - (FIRST - LAST) * place
            self.add(language, term, kind="task", weight=weight, tail=place > TAIL, formula=term in _FORMULA, **role)


def _entries(tasks: Iterable[Any]) -> Iterable[tuple[str, str, Any]]:
    """(task, measure or "", entry) for every task and every measure beneath it."""
    for task in tasks:
        yield get(task, "id"), "", task
        for measure in get(task, "measures", []):
            yield get(task, "id"), get(measure, "id"), measure


def compile_lexicon(taxonomy: Any, concepts: dict[str, dict[str, list[str]]] | None = None) -> Lexicon:
    """The lexicon of a taxonomy (and of `concepts`: name -> language -> words, for the trained reader)."""
    build = _Builder()
    tasks: list[str] = []
    measures: dict[str, list[str]] = {}
    gates: dict[str, list[str]] = {}
    for task, measure, entry in _entries(get(taxonomy, "tasks", [])):
        if not measure:
            tasks.append(task)
        measures.setdefault(task, [])
        if measure:
            measures[task].append(measure)
        gates[measure or task] = list(get(entry, "gate", []))
        for language in ("zh", "en"):
            build.ranked(language, words(entry, "terms", language), key=task, measure=measure)
            for term in words(entry, "negative", language):
                build.add(language, term, kind="negative", key=task)
    gate_languages: dict[str, frozenset[str]] = {}
    listed = get(taxonomy, "gates", {})
    for name in listed:
        entry = listed[name]
        gate_languages[name] = frozenset(lang for lang in ("zh", "en") if get(entry, lang, []))
        for language in gate_languages[name]:
            for term in get(entry, language, []):
                build.add(language, term, kind="gate", key=name)
    _facets(build, get(taxonomy, "facets", {}))
    for name, by_language in (concepts or {}).items():
        for language, listed_words in by_language.items():
            for term in listed_words:
                build.add(language, term, kind="concept", key=name)
    patterns = sorted(build.patterns)
    return Lexicon(
        automaton=ahocorasick_rs.AhoCorasick(patterns),
        roles=[tuple(build.patterns[p]) for p in patterns],
        bounded=[(_latin(p[0]), _latin(p[-1])) for p in patterns],
        tasks=tasks,
        measures=measures,
        gates=gates,
        gate_languages=gate_languages,
    )


def _latin(char: str) -> bool:
    return char.isalnum() and ord(char) < 0x250


def _facets(build: _Builder, facets: Any) -> None:
    names = {"institutions": "institution", "industries": "industry", "instruments": "instrument"}
    for group, facet in names.items():
        for entry in get(facets, group, []):
            key = f"{facet}:{get(entry, 'id')}"
            for language in ("zh", "en"):
                name = get(entry, language, "")
                listed = words(entry, "aliases", language) + words(entry, "former", language)
                listed += words(entry, "terms", language) + ([name] if isinstance(name, str) and name else [])
                for term in dict.fromkeys(listed):
                    build.add(language, term, kind="facet", key=key)
                for term in words(entry, "ambiguous", language):
                    build.add(language, term, kind="facet", key=key, ambiguous=True)
                for term in words(entry, "negative", language):
                    build.add(language, term, kind="facet-negative", key=key)
