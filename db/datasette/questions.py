"""The canned queries: what analysts ask again and again, each a title, a sentence, SQL and its arguments, from a file."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

if TYPE_CHECKING:
    from db.datasette.site import Site

PATH = Path(__file__).parent / "queries.yaml"


@dataclass(frozen=True, slots=True)
class Parameter:
    """One argument of a query. `choices`: task, measure, source, level, industry, instrument, institution, or ""."""

    name: str
    zh: str
    en: str
    default: str = ""
    choices: str = ""
    number: bool = False


@dataclass(frozen=True, slots=True)
class Question:
    """One canned query; `title` and `description` by language."""

    id: str
    title: dict[str, str]
    description: dict[str, str]
    sql: str
    parameters: tuple[Parameter, ...] = field(default_factory=tuple)

    def values(self, asked: dict[str, str], site: Site) -> dict[str, Any]:
        """The arguments as SQL takes them; what is missing or no number has its default."""
        out: dict[str, Any] = {}
        for parameter in self.parameters:
            value = asked.get(parameter.name, parameter.default)
            if parameter.number:
                good = value.isascii() and value.isdigit() and len(value) < 10
                out[parameter.name] = int(value if good else parameter.default)
            else:
                out[parameter.name] = value
        return out

    def as_canned(self) -> dict[str, Any]:
        """The same for Datasette's own page of it."""
        return {
            "sql": self.sql,
            "title": f"{self.title['zh']} · {self.title['en']}",
            "description": f"{self.description['zh']} {self.description['en']}",
            "params": [p.name for p in self.parameters],
        }


def load(path: Path = PATH) -> tuple[dict[str, Question], dict[str, dict[str, str]]]:
    """Queries by id, and the headings of their columns: name -> language -> text."""
    data = yaml.safe_load(path.read_text(encoding="utf-8"))
    found = {}
    for id_, entry in data["queries"].items():
        parameters = tuple(Parameter(name, **values) for name, values in (entry.get("parameters") or {}).items())
        found[id_] = Question(
            id_,
            dict(zip(("zh", "en"), entry["title"], strict=True)),
            dict(zip(("zh", "en"), entry["description"], strict=True)),
            entry["sql"].strip(),
            parameters,
        )
    columns = {name: dict(zip(("zh", "en"), pair, strict=True)) for name, pair in data["columns"].items()}
    return found, columns
