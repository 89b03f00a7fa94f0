"""Makes every configured source a Scrapy spider named by its id, so that `scrapy list` and `scrapy crawl ID` know them all."""

from __future__ import annotations

import builtins
from collections.abc import Mapping
from importlib import import_module
from typing import TYPE_CHECKING, Any

from config.errors import ConfigError, hint
from crawler.house import configuration
from crawler.spiders.kinds import KINDS
from crawler.spiders.refusal import REFUSED_CLASSES, refusal

__all__ = ["CircularwatchSpiderLoader", "refusal", "spider_class", "unknown"]

if TYPE_CHECKING:
    from scrapy import Request
    from scrapy.settings import BaseSettings

    from config.sources import Source
    from crawler.spiders.base import SourceSpider

# own classes, and the module below crawler.spiders that each lives in
OWN_CLASSES = {
    "NfraSpider": "nfra",
    "MiitSpider": "miit",
    "GovCnLibrarySpider": "govcn",
    "EpaperSpider": "epaper",
    "StcnSpider": "stcn",
    "CaixinGlobalSpider": "caixin",
}


class CircularwatchSpiderLoader:
    """Scrapy's SPIDER_LOADER_CLASS. Reads the configuration once and makes classes when they are asked for."""

    def __init__(self, sources: Mapping[str, Source]) -> None:
        self.sources = sources
        self._classes: dict[str, type[SourceSpider]] = {}

    @classmethod
    def from_settings(cls, settings: BaseSettings) -> CircularwatchSpiderLoader:
        """The loader for the configuration that the settings name. Raises ConfigError."""
        return cls(configuration(settings.get("CIRCULARWATCH_CONFIG") or None).sources)

    def list(self) -> list[str]:
        """The ids of all sources, disabled ones too, in the order of the file."""
        return list(self.sources)

    def load(self, spider_name: str) -> type[SourceSpider]:
        """The spider class of a source; KeyError in words when there is none."""
        if spider_name not in self._classes:
            source = self.sources.get(spider_name)
            if source is None:
                raise KeyError(unknown(spider_name, self.sources))
            self._classes[spider_name] = spider_class(source)
        return self._classes[spider_name]

    def find_by_request(self, request: Request) -> builtins.list[str]:
        """The sources that may ask for this address (`scrapy fetch` and `parse` use it)."""
        return [name for name, source in self.sources.items() if source.allows(request.url)]


def unknown(name: str, sources: Mapping[str, Any]) -> str:
    """The sentence for a source that does not exist."""
    return f"there is no source {name!r}{hint(name, list(sources))}; `circularwatch sources list` shows them"


def spider_class(source: Source) -> type[SourceSpider]:
    """A spider class for one source, made from its own class or that of its kind; raises ConfigError for an unknown one."""
    base = KINDS[source.kind]
    own = source.spider_class
    if own in OWN_CLASSES:
        base = getattr(import_module(f"crawler.spiders.{OWN_CLASSES[own]}"), own)
    elif own and own not in REFUSED_CLASSES:
        raise ConfigError(
            "sources.yaml",
            0,
            f"{source.id}: spider: there is no class {own!r}{hint(own, OWN_CLASSES)}; for a site without one write 'generic'",
        )
    name = "".join(part.capitalize() for part in source.id.replace("-", "_").split("_")) + "Spider"
    return type(name, (base,), {"name": source.id, "source": source, "__module__": __name__, "__doc__": source.name})
