"""`circularwatch extract`: one saved page, JSON answer or file to one JSON document, without database or network."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import click

from crawler.cli import common

if TYPE_CHECKING:
    from config import Config
    from db.documents import Document

_MEDIA = {".json": "application/json", ".pdf": "application/pdf", ".txt": "text/plain", ".ofd": "application/ofd"}


@click.command(name="extract")
@click.argument("file", type=click.Path(dir_okay=False, allow_dash=True, path_type=Path))
@click.option("--url", required=True, help="The address that the file was saved from; relative links are joined to it.")
@click.option(
    "--source", "source_id", default=None, help="Id of the source in sources.yaml.  [default: by the host of --url]"
)
@click.option(
    "--at", default=None, help="The moment of the fetch, ISO 8601: no later date is believed.  [default: now]"
)
@common.config_option
def command(file: Path, url: str, source_id: str | None, at: str | None, config_dir: Path | None) -> int:
    """Read one saved page or file (HTML, JSON, PDF, DOC, DOCX, WPS, RTF, OFD, XLS, XLSX, ZIP) and print one JSON document."""
    body = _bytes(file)
    config = common.load_config(config_dir)
    document, reason = extract(body, url, config, source_id=source_id, suffix=file.suffix.lower(), now=_moment(at))
    if document is None:
        raise common.Failed(f"{file}: {reason}")
    shown = document.as_json()
    # the same day under the name that lists and other tools use
    shown["written_at"] = document.written_on
    common.print_json(shown)
    return common.DONE


def extract(
    body: bytes, url: str, config: Config, *, source_id: str | None = None, suffix: str = "", now: str = ""
) -> tuple[Document | None, str]:
    """The document of these bytes, or None and the reason in words. No network, no database."""
    from db.documents import Document
    from pipelines.stages import Context, Fetched, Unreadable

    source = _source(config, url, source_id)
    fetched = Fetched(
        url=url, final_url=url, body=body, media_type=_MEDIA.get(suffix, "text/html"), fetched_at=now or _moment(None)
    )
    # a page of an unknown site has no source: the reading stages do with that, the chain of the processor does not
    context = Context(fetched, source, config.taxonomy, fetched.fetched_at, config)
    document = Document(url=url, source=source.id if source else "")
    try:
        for _name, stage in reading_stages():
            document = stage(document, context)
    except Unreadable as fault:
        return None, fault.reason
    document.check_spans()
    return document, ""


def reading_stages() -> list[tuple[str, Any]]:
    """The stages that read, without those that judge (classification needs a model and has a command of its own)."""
    from importlib import import_module
    from importlib.util import find_spec

    names = ("content", "extract", "clean", "attachments", "recognise", "identify")
    return [(name, import_module(f"pipelines.{name}").stage) for name in names if find_spec(f"pipelines.{name}")]


def _source(config: Config, url: str, source_id: str | None) -> Any:
    """The named source; else the one whose site the address is on; else None, and the page is read as an unknown one."""
    sources = config.sources
    if source_id:
        if source_id not in sources:
            from config.errors import nearest

            close = nearest(source_id, list(sources))
            hint = f"; did you mean {close!r}?" if close else "; `circularwatch sources list` shows all"
            raise common.CommandError(f"there is no source {source_id!r}{hint}")
        return sources[source_id]
    host = (urlsplit(url).hostname or "").lower()
    fitting = [s for s in sources.values() if host and s.allows(host) and (s.article.body or s.article.body_html)]
    own = [s for s in fitting if urlsplit(s.base_url).hostname == host]
    return next(iter(own or fitting), None)


def _bytes(file: Path) -> bytes:
    if str(file) == "-":
        return sys.stdin.buffer.read()
    if not file.exists():
        raise common.CommandError(f"there is no file {file}")
    return file.read_bytes()


def _moment(at: str | None) -> str:
    if at is None:
        return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    try:
        found = datetime.fromisoformat(at.replace("Z", "+00:00"))
    except ValueError:
        raise common.CommandError(f"--at {at!r} is not a moment; write it as 2026-10-08T12:00:00Z") from None
    found = found if found.tzinfo else found.replace(tzinfo=UTC)
    return found.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
