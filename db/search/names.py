"""The values that tag fields of a query may hold, taken from the configuration: what a query may name."""

from __future__ import annotations

from typing import TYPE_CHECKING, get_args

from db.documents import Kind, Level

if TYPE_CHECKING:
    from config import Config

LANGUAGES = frozenset({"zh", "en"})


def allowed(config: Config) -> dict[str, frozenset[str]]:
    """Field -> allowed values: tasks, measures and facets of the taxonomy, configured sources, kinds, levels, languages."""
    taxonomy = config.taxonomy
    measures = (measure.id for task in taxonomy.tasks for measure in task.measures)
    return {
        "task": frozenset(task.id for task in taxonomy.tasks),
        "measure": frozenset(measures),
        "source": frozenset(config.sources),
        "kind": frozenset(get_args(Kind)),
        "level": frozenset(get_args(Level)),
        "lang": LANGUAGES,
        "industry": frozenset(item.id for item in taxonomy.facets.industries),
        "instrument": frozenset(item.id for item in taxonomy.facets.instruments),
        "institution": frozenset(item.id for item in taxonomy.facets.institutions),
    }
