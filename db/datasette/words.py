"""What the pages say, in Chinese and in English, from one file, so that neither language is a translation of the other."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

LANGUAGES = ("zh", "en")


@dataclass(frozen=True, slots=True)
class Words:
    """`sentences`: key -> language -> text with {places}; `values`: kind -> stored value -> language -> text."""

    sentences: dict[str, dict[str, str]]
    values: dict[str, dict[str, dict[str, str]]]

    @classmethod
    def load(cls, path: Path) -> Words:
        """Read words.yaml: every entry has both languages."""
        data = yaml.safe_load(path.read_text(encoding="utf-8"))
        return cls(
            {key: _pair(key, pair) for key, pair in data["sentences"].items()},
            {
                kind: {str(value): _pair(f"{kind}.{value}", pair) for value, pair in values.items()}
                for kind, values in data["values"].items()
            },
        )

    def say(self, key: str, lang: str, /, **places: Any) -> str:
        """A sentence; a key that does not exist is a fault of ours and raises KeyError."""
        sentence = self.sentences[key][lang]
        return sentence.format(**places) if places else sentence

    def value(self, kind: str, value: str | None, lang: str) -> str:
        """A stored value (a kind, a level, an outcome) in words; itself where there are none."""
        found = self.values.get(kind, {}).get(str(value or ""))
        return found[lang] if found else str(value or "")


def _pair(key: str, pair: Any) -> dict[str, str]:
    if not isinstance(pair, list) or len(pair) != 2:
        raise ValueError(f"words.yaml, {key}: two texts are needed, [Chinese, English]")
    return dict(zip(LANGUAGES, map(str, pair), strict=True))


def language_of(asked: str | None, cookie: str | None, accept: str) -> str:
    """The language of a page: asked for by `hl`, remembered, or what the browser likes better."""
    for wish in (asked, cookie):
        if wish in LANGUAGES:
            return wish
    likes: list[tuple[float, int, str]] = []
    for place, part in enumerate(accept.split(",")):
        name, _, quality = part.strip().partition(";q=")
        try:
            weight = float(quality) if quality else 1.0
        except ValueError:
            weight = 0.0
        likes.append((-weight, place, name.strip().lower()[:2]))
    return next((name for _, _, name in sorted(likes) if name in LANGUAGES), "en")
