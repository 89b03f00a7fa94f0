"""Why a source is not crawled: switched off, a secret is missing, or its interface wants a signature."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from config.sources import Source

# own classes that are not written on purpose, with the reason that users are told
SIGNED = "its interface asks for a signature that the site's own script computes and changes; that is respected"
REFUSED_CLASSES = {"YicaiGlobalSpider": SIGNED, "ClsSpider": SIGNED}


def refusal(source: Source, *, named: bool, environment: Mapping[str, str] = os.environ) -> str:
    """Why a source is not crawled now, as a sentence; empty when it is. `named`: the user asked for this very source."""
    if source.spider_class in REFUSED_CLASSES:
        return f"{source.id} is not crawled: {REFUSED_CLASSES[source.spider_class]}"
    missing = [name for name in source.secrets if not environment.get(name)]
    if missing:
        return f"{source.id} needs {' and '.join(missing)} in the environment; see its note in sources.yaml"
    if not source.enabled and not named:
        why = f" ({source.note})" if source.note else ""
        return f"{source.id} is switched off{why}; name it to crawl it all the same: circularwatch crawl {source.id}"
    return ""
