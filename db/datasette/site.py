"""What every page needs and no request changes: configuration, names in both languages, the clock, templates."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from datetime import UTC, date, datetime
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary
from zoneinfo import ZoneInfo

import jinja2

from db.datasette import questions, text
from db.datasette.words import Words

if TYPE_CHECKING:
    from datasette.app import Datasette

    from config import Config

HERE = Path(__file__).parent


def utc_now() -> datetime:
    return datetime.now(UTC)


class Site:
    """The configuration behind the pages, and what is made of it once."""

    def __init__(self, config: Config, clock: Callable[[], datetime] = utc_now, writable: bool = False) -> None:
        self.config, self.clock, self.writable = config, clock, writable
        self.words = Words.load(HERE / "words.yaml")
        self.questions, self.columns = questions.load()
        self.zone = ZoneInfo(str(config.settings.timezone))
        self.env = jinja2.Environment(
            loader=jinja2.FileSystemLoader(HERE / "templates"),
            autoescape=True,
            undefined=jinja2.StrictUndefined,
            # whatever a template forgets: no mark of direction and no control character reaches a page
            finalize=lambda value: text.plain(value) if type(value) is str else value,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self.env.filters |= text.FILTERS
        self.env.filters["local"] = self.local
        css = (HERE / "static" / "cw.css").read_bytes()
        self.env.globals["css_version"] = hashlib.sha256(css).hexdigest()[:12]

    def now(self) -> datetime:
        """This moment, in UTC."""
        return self.clock()

    def today(self) -> date:
        """The civil date in the operator's zone."""
        return self.now().astimezone(self.zone).date()

    def local(self, instant: str | None, seconds: bool = False) -> str:
        """An instant in UTC as the operator's clock shows it; "" for none."""
        if not instant:
            return ""
        try:
            moment = datetime.fromisoformat(instant.replace("Z", "+00:00"))
        except ValueError:
            return text.clip(instant, 40)
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=UTC)
        return moment.astimezone(self.zone).strftime("%Y-%m-%d %H:%M:%S" if seconds else "%Y-%m-%d %H:%M")

    @cached_property
    def allowed(self) -> dict[str, frozenset[str]]:
        """The values that fields of a query may hold."""
        from db.search.names import allowed

        return allowed(self.config)

    @cached_property
    def names(self) -> dict[str, dict[str, tuple[str, str]]]:
        """kind -> id -> (Chinese, English), of everything the taxonomy and the sources name."""
        taxonomy = self.config.taxonomy
        measures = [m for task in taxonomy.tasks for m in task.measures]
        plain: dict[str, Any] = {
            "task": taxonomy.tasks,
            "measure": measures,
            "industry": taxonomy.facets.industries,
            "instrument": taxonomy.facets.instruments,
            "institution": taxonomy.facets.institutions,
        }
        found = {kind: {item.id: (item.zh, item.en) for item in items} for kind, items in plain.items()}
        found["source"] = {s.id: (s.name or s.id,) * 2 for s in self.config.sources.values()}
        return found

    def name(self, kind: str, id_: str, lang: str) -> str:
        """The name of a task, measure, industry … in a language; its id where it has none any more."""
        pair = self.names.get(kind, {}).get(id_)
        if pair is None:
            return self.words.value(kind, id_, lang)
        return pair[0] if lang == "zh" else pair[1]


_sites: WeakKeyDictionary[Datasette, Site] = WeakKeyDictionary()


def attach(datasette: Datasette, site: Site) -> None:
    """Make `site` the one of this Datasette."""
    _sites[datasette] = site


def site_of(datasette: Datasette) -> Site | None:
    """The site of a Datasette; None for one that is not ours (plugins are loaded for all of a process)."""
    return _sites.get(datasette)
