"""What is in force and where it came from, as data: for `circularwatch config check` and for people who ask why."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from pydantic import BaseModel

import config
from config.alerts import delivers, read_alerts
from config.errors import ConfigError, hint
from config.settings import BLOCKS, SECRETS, VARIABLES, Settings, unread_variables
from config.sources import FILE, Source
from config.yaml_lines import Map, load


@dataclass(frozen=True)
class Value:
    """One value in force: `origin` is "default", "file …, line n" or "environment NAME"."""

    name: str
    value: Any
    origin: str
    meaning: str = ""


@dataclass(frozen=True)
class Effective:
    """The whole answer of `config check`."""

    directory: str
    settings: list[Value]
    secrets: list[Value]
    sources: list[dict[str, Any]]
    alerts: list[dict[str, Any]]
    taxonomy: dict[str, Any]
    warnings: list[str] = field(default_factory=list)

    def as_json(self) -> dict[str, Any]:
        """Plain JSON values."""
        return asdict(self)


def effective(directory: Path | str | None = None, env: Mapping[str, str] | None = None) -> Effective:
    """Everything in force; raises ConfigError like `config.load`."""
    environment = os.environ if env is None else env
    loaded = config.load(directory, environment)
    alerts = read_alerts(loaded.directory)
    return Effective(
        directory=str(loaded.directory),
        settings=list(_settings(loaded.settings)),
        secrets=list(_secrets(loaded, environment)),
        sources=[_source_line(source, environment) for source in loaded.sources.values()],
        alerts=[
            {
                "id": rule.id,
                "query": rule.query,
                "pace": rule.pace,
                "enabled": rule.enabled,
                "to": list(delivers(rule, loaded.settings.alerts_to)),
                "channels": list(rule.channels),
            }
            for rule in alerts.rules
        ],
        taxonomy=_taxonomy(loaded),
        warnings=list(_warnings(loaded, environment)),
    )


def source_values(name: str, directory: Path | str | None = None) -> list[Value]:
    """Every option of one source with its value and origin, defaults included; raises ConfigError."""
    from config.merging import Merger

    folder = config.directory_of(directory)
    sources = config.load_sources(folder)
    if name not in sources:
        raise ConfigError(FILE, 0, f"there is no source {name!r}{hint(name, sources)}")
    merger = Merger(load(folder / FILE), FILE)
    written = merger.source(merger.entries[name])
    return list(_options(sources[name], written, "", written.line))


def _options(model: BaseModel, written: Map, prefix: str, line: int) -> Iterator[Value]:
    for name, info in type(model).model_fields.items():
        value = getattr(model, name)
        given = written.get(name) if isinstance(written, Map) else None
        at = written.lines.get(name, line) if isinstance(written, Map) and name in written else 0
        if isinstance(value, BaseModel):
            yield from _options(value, given if isinstance(given, Map) else Map(), f"{prefix}{name}.", at)
        else:
            origin = f"file {FILE}, line {at}" if at else "default"
            yield Value(f"{prefix}{name}", _plain(value), origin, info.description or "")


def _plain(value: Any) -> Any:
    if isinstance(value, BaseModel):
        return value.model_dump(mode="json", exclude_defaults=True)
    if isinstance(value, (tuple, list)):
        return [_plain(item) for item in value]
    if isinstance(value, (str, int, float, bool)) or value is None:
        return value
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items()}
    return str(value)


def _settings(settings: Settings) -> Iterator[Value]:
    for name, info in Settings.model_fields.items():
        value = getattr(settings, name)
        if name in BLOCKS:
            for key, inner in type(value).model_fields.items():
                place = f"{name}.{key}"
                yield Value(place, getattr(value, key), settings.origin(place), inner.description or "")
        else:
            shown = _masked(value) if name == "proxy" else _plain(value)
            yield Value(name, shown, settings.origin(name), info.description or "")


def _masked(url: str) -> str:
    """An address as it may be shown: what is printed here is pasted into reports, and a password must not be."""
    return re.sub(r"(?<=//)[^/]*@", "…@", url)


def _secrets(loaded: config.Config, env: Mapping[str, str]) -> Iterator[Value]:
    """Which secrets are set; never their values."""
    wanted = dict.fromkeys(SECRETS.values(), "sending mail") | {SECRETS["llm_key"]: "the third reader"}
    for source in loaded.sources.values():
        wanted.update(dict.fromkeys(source.secrets, f"source {source.id}"))
    for name, channel in read_alerts(loaded.directory).channels.items():
        if channel.variable:
            wanted[channel.variable] = f"channel {name}"
    for variable, purpose in wanted.items():
        yield Value(variable, "set" if env.get(variable) else "not set", f"environment {variable}", purpose)


def _source_line(source: Source, env: Mapping[str, str]) -> dict[str, Any]:
    missing = [name for name in source.secrets if not env.get(name)]
    return {
        "id": source.id,
        "name": source.name,
        "kind": source.kind,
        "spider": source.spider,
        "certainty": source.certainty,
        "enabled": source.enabled,
        "lists": len(source.lists),
        "interval_min": source.interval_min,
        "note": source.note or (f"needs {', '.join(missing)} in the environment" if missing else ""),
    }


def _taxonomy(loaded: config.Config) -> dict[str, Any]:
    taxonomy = loaded.taxonomy
    parts = [part for task in taxonomy.tasks for part in (task, *task.measures)]
    return {
        "version": taxonomy.meta.version,
        "tasks": len(taxonomy.tasks),
        "provisional": [task.id for task in taxonomy.tasks if task.provisional],
        "measures": sum(len(task.measures) for task in taxonomy.tasks),
        "terms": sum(len(part.terms.zh) + len(part.terms.en) for part in parts),
        "negative_terms": sum(len(part.negative.zh) + len(part.negative.en) for part in parts),
        "institutions": len(taxonomy.facets.institutions),
        "industries": len(taxonomy.facets.industries),
        "instruments": len(taxonomy.facets.instruments),
    }


def _warnings(loaded: config.Config, env: Mapping[str, str]) -> Iterator[str]:
    settings = loaded.settings
    if not settings.contact:
        yield f"no contact address: a live crawl refuses to start; set {VARIABLES['contact']} or contact in settings.yaml"
    known = tuple(name for source in loaded.sources.values() for name in source.secrets)
    channels = tuple(c.variable for c in read_alerts(loaded.directory).channels.values() if c.variable)
    yield from unread_variables(env, (*known, *channels))
    for source in loaded.sources.values():
        missing = [name for name in source.secrets if not env.get(name)]
        if source.enabled and missing:
            yield f"source {source.id} needs {', '.join(missing)} in the environment and stays off without"
    silent = [
        rule.id
        for rule in loaded.alerts.values()
        if rule.enabled and not rule.channels and not delivers(rule, settings.alerts_to)
    ]
    if silent:
        yield (
            f"{len(silent)} alert rules have no recipient and send nothing (matches are kept): "
            f"give them 'to', or set {VARIABLES['alerts_to']}"
        )
