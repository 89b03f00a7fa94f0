"""What is watched, as data, and the models that check it; the ground floor: imports nothing of the house.

`load()` gives everything; `load_sources`, `load_taxonomy` and `load_settings` give just one part. Every fault is a
`ConfigError`: one sentence with file, line, the offending value and the nearest allowed name.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from config.errors import ConfigError

if TYPE_CHECKING:
    from config.alerts import Rule
    from config.settings import Settings
    from config.sources import Source
    from config.taxonomy import Taxonomy

__all__ = [
    "Config",
    "ConfigError",
    "directory_of",
    "load",
    "load_alerts",
    "load_settings",
    "load_sources",
    "load_taxonomy",
]


@dataclass(frozen=True)
class Config:
    """The whole configuration: `sources` and `alerts` by id, `taxonomy`, `settings`, and the folder it came from."""

    directory: Path
    sources: dict[str, Source]
    taxonomy: Taxonomy
    alerts: dict[str, Rule]
    settings: Settings


def directory_of(directory: Path | str | None = None, env: Mapping[str, str] | None = None) -> Path:
    """The configuration folder: the given one, else $CIRCULARWATCH_CONFIG, else the one inside the package.

    Never the `config/` of the current folder, which may belong to something else.
    """
    environment = os.environ if env is None else env
    chosen = directory or environment.get("CIRCULARWATCH_CONFIG") or Path(__file__).parent
    path = Path(chosen).expanduser().absolute()
    if not path.is_dir():
        raise ConfigError(
            str(chosen), 0, "there is no such configuration folder; check --config and CIRCULARWATCH_CONFIG"
        )
    return path


def load(directory: Path | str | None = None, env: Mapping[str, str] | None = None) -> Config:
    """Read and check everything; raises ConfigError. Not cached: callers keep the result."""
    folder = directory_of(directory, env)
    return Config(
        directory=folder,
        sources=load_sources(folder, env),
        taxonomy=load_taxonomy(folder, env),
        alerts=load_alerts(folder, env),
        settings=load_settings(folder, env),
    )


def load_sources(directory: Path | str | None = None, env: Mapping[str, str] | None = None) -> dict[str, Source]:
    """The sources by id, in the order of the file."""
    from config.sources import load_sources as read

    return read(directory_of(directory, env))


def load_taxonomy(directory: Path | str | None = None, env: Mapping[str, str] | None = None) -> Taxonomy:
    """The tasks of the circular with their terms, the gates and the facets."""
    from config.taxonomy import load_taxonomy as read

    return read(directory_of(directory, env))


def load_alerts(directory: Path | str | None = None, env: Mapping[str, str] | None = None) -> dict[str, Rule]:
    """The alert rules by id."""
    from config.alerts import load_alerts as read

    return read(directory_of(directory, env))


def load_settings(directory: Path | str | None = None, env: Mapping[str, str] | None = None) -> Settings:
    """The operator's choices, from the environment and settings files, each with its origin."""
    from config.settings import load_settings as read

    return read(directory_of(directory, env), os.environ if env is None else env)
