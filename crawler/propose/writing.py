"""Writes a proposed source: as a block of sources.yaml, as a fixture folder, and as a validated source to try it with."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import config
from crawler.propose.candidates import Candidate
from crawler.propose.door import site_of

_ORDER = (
    "id", "like", "name", "kind", "type", "language", "issuer", "certainty", "evidence", "evidence_on", "enabled", "note", "base_url",
    "interval_min", "allowed_hosts", "lists", "paging", "list", "feed", "sitemap", "wordpress", "article", "expect",
)  # fmt: skip


class Builder:
    """Makes validated sources of blocks: the real sources.yaml with the block behind it, in a throw-away folder."""

    def __init__(self, directory: Path, folder: Path) -> None:
        self.file = folder / "sources.yaml"
        self.text = (directory / "sources.yaml").read_text("utf-8")
        # defaults and templates only: reading all sources anew for every try takes seconds
        self.head = re.split(r"(?m)^sources:\s*$", self.text)[0] + "sources:\n"

    def __call__(self, block: Mapping[str, Any]) -> Any:
        made = dict(block) | {"id": block.get("id") or "proposed"}
        made.setdefault("expect", {"min_items": 1, "newest_max_age_h": 720})
        self.file.write_text(joined(self.text if "like" in made else self.head, as_yaml(made)), "utf-8")
        return config.load_sources(self.file.parent)[made["id"]]


def as_yaml(block: Mapping[str, Any]) -> str:
    """The block as an item of `sources:`, in the order of the file, addresses and selectors quoted."""
    ordered = {k: block[k] for k in _ORDER if block.get(k) not in (None, "", [], {})}
    ordered |= {k: v for k, v in block.items() if k not in ordered and v not in (None, "", [], {})}
    lines = []
    for number, (key, value) in enumerate(ordered.items()):
        lead = "- " if number == 0 else "  "
        if key == "lists":
            lines.append(f"{lead}lists:")
            lines += [f"    - {_flow(entry)}" for entry in value]
        else:
            lines.append(f"{lead}{key}: {_flow(value)}")
    return "\n".join(lines) + "\n"


def _flow(value: Any) -> str:
    """A value on one line of YAML."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return str(value)
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{k}: {_flow(v)}" for k, v in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(_flow(v) for v in value) + "]"
    text = str(value)
    if re.fullmatch(r"[A-Za-z\u4e00-\u9fff_][\w\u4e00-\u9fff -]*", text) and not re.fullmatch(
        r"(?i)true|false|yes|no|on|off|null|~", text
    ):
        return text
    # single quotes: what stands between them is taken as it is, backslashes of patterns too
    return "'" + text.replace("'", "''") + "'"


def joined(text: str, block: str) -> str:
    """A sources.yaml with the block as its last source."""
    text = text.rstrip("\n") + "\n"
    if not re.search(r"(?m)^sources:", text):
        text += "\nsources:\n"
    return f"{text}\n{block}"


def propose_id(candidate: Candidate, taken: Mapping[str, Any]) -> str:
    """A short name by the host: `site_news`, numbered where it is taken."""
    host = (urlsplit(candidate.url).hostname or "site").lower()
    words = [w for w in host.split(".") if w not in ("www", "m", "news")]
    stem = "_".join(words[: max(1, len(words) - len(site_of(host).split(".")) + 1)])
    stem = re.sub(r"[^a-z0-9_]", "_", stem).strip("_") or "site"
    stem = stem if stem[0].isalpha() else f"s_{stem}"
    name, number = stem, 2
    while name in taken:
        name, number = f"{stem}_{number}", number + 1
    return name


def add(candidate: Candidate, directory: Path) -> Path:
    """Put the block at the end of sources.yaml; the file stays as it was if the configuration would be refused.

    Raises ConfigError for a block that is refused (an id that is taken, a name that is none).
    """
    file = directory / "sources.yaml"
    before = file.read_text("utf-8")
    after = joined(before, as_yaml(candidate.block))
    beside = file.with_suffix(".yaml.new")
    try:
        beside.write_text(after, "utf-8")
        _check(beside)
        beside.replace(file)
    finally:
        beside.unlink(missing_ok=True)
    return file


def _check(file: Path) -> None:
    import tempfile

    with tempfile.TemporaryDirectory() as name:
        (Path(name) / "sources.yaml").write_text(file.read_text("utf-8"), "utf-8")
        config.load_sources(Path(name))


def add_fixture(candidate: Candidate, folder: Path, now: datetime | None = None) -> Path:
    """The list as it came and what was read from it: `<folder>/<id>/input.*` and `expected.json`."""
    case = folder / str(candidate.block["id"])
    case.mkdir(parents=True, exist_ok=True)
    ending = {"feed": "xml", "sitemap": "xml", "wordpress": "json", "json-api": "json"}.get(candidate.kind, "html")
    (case / f"input.{ending}").write_bytes(candidate.body)
    moment = (now or datetime.now(UTC)).strftime("%Y-%m-%dT%H:%M:%SZ")
    expected = {
        "source": candidate.block["id"],
        "section": candidate.block["lists"][0]["section"],
        "url": candidate.url,
        "now": moment,
        "count": candidate.rows,
        "first": _row(candidate, 0),
        "last": _row(candidate, -1),
    }
    (case / "expected.json").write_text(json.dumps(expected, ensure_ascii=False, indent=1) + "\n", "utf-8")
    return case


def _row(candidate: Candidate, position: int) -> dict[str, Any]:
    row = candidate.listed.rows[position]
    told = {k: row.said[k] for k in ("title", "published_on", "published_at") if row.said.get(k)}
    return {"url": row.url, **told}


__all__ = ["Builder", "add", "add_fixture", "as_yaml", "joined", "propose_id"]
