"""Which gates are open for a document, and which are shut: the conditions that a term alone does not meet."""

from __future__ import annotations

from dataclasses import dataclass, field

from pipelines.classify.lexicon import Lexicon
from pipelines.classify.terms import FieldReading, Hit


@dataclass(slots=True)
class GateStates:
    """For each gate of the taxonomy: met or not, and up to three of the words that opened it."""

    met: dict[str, bool] = field(default_factory=dict)
    words: dict[str, list[str]] = field(default_factory=dict)
    places: dict[str, set[tuple[str, int]]] = field(default_factory=dict)

    def shut(self, names: list[str]) -> list[str]:
        """Those of `names` that are not met."""
        return [n for n in names if not self.met.get(n, True)]

    def in_paragraph(self, names: list[str], field_name: str, paragraph: int) -> bool:
        """Whether every one of `names` is met by a word of that paragraph (or cannot be asked of the language)."""
        return all((field_name, paragraph) in self.places[n] for n in names if n in self.places)


def read_gates(lexicon: Lexicon, readings: list[FieldReading]) -> GateStates:
    """Open the gates. One without a list for the document's language counts as met (taxonomy.yaml, conventions)."""
    states = GateStates()
    languages = {r.language for r in readings if r.language}
    for name, listed in lexicon.gate_languages.items():
        found: list[tuple[FieldReading, Hit]] = [(r, h) for r in readings for h in r.gates.get(name, ())]
        states.met[name] = bool(found) or not languages <= listed
        states.words[name] = list(dict.fromkeys(h.role.term for _, h in found))[:3]
        if languages <= listed:
            states.places[name] = {(r.name, r.sentences[h.sentence].paragraph) for r, h in found}
    return states
