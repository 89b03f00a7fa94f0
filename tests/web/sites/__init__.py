"""The sites that the imitation web plays, one module per platform or site; a module's SITES are found by themselves."""

from __future__ import annotations

import importlib
import pkgutil
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..world import World
    from .base import Site


def make_sites(world: World) -> list[Site]:
    sites: list[Site] = []
    for module in pkgutil.iter_modules(__path__):
        for site in getattr(importlib.import_module(f"{__name__}.{module.name}"), "SITES", ()):
            sites.append(site(world))
    return sites
