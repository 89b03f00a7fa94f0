"""`circularwatch classify`: documents as lines of JSON in, the same with relevance, tasks and evidence out."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

import click

from crawler.cli.common import Failed, config_option, print_json, say
from crawler.cli.jsonl import rows, to_document


@click.command("classify")
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path, allow_dash=True, exists=True), default="-")
@click.option("--explain", "with_explanation", is_flag=True, help="Add the whole explanation to each line.")
@config_option
def command(file: Path, with_explanation: bool, config_dir: Path | None) -> None:
    """Classify documents without a database.

    FILE holds one JSON object a line, {"id", "title", "text"}; optional: "language", "published_on", "attachments"
    [{"text"}]. `-` or nothing reads standard input. Each line gives one on standard output: id, relevant, relevance,
    relation, tasks with spans, industries, instruments, institutions, classifier. Lines that cannot be read are named
    and the rest goes on; the status is then 1.
    """
    classifier = make_classifier(config_dir)
    bad = 0

    def refuse(number: int, why: str) -> None:
        nonlocal bad
        bad += 1
        say(f"line {number}: {why}")

    with opened(file) as stream:
        for row in ticking(rows(stream, refuse), file):
            document = classifier.classify(to_document(row))
            document.check_spans()
            print_json(as_row(row["id"], document, with_explanation))
    sys.stdout.flush()
    if bad:
        raise Failed(f"{bad} {'line' if bad == 1 else 'lines'} could not be read; the others were classified")


def make_classifier(config_dir: Path | None) -> Any:
    """The classifier of a configuration folder ($CIRCULARWATCH_CONFIG or the built-in one by default)."""
    import config
    from config.taxonomy import load_taxonomy
    from pipelines.classify import Classifier

    chosen = config.directory_of(config_dir)
    folder = chosen / "model"
    return Classifier(load_taxonomy(chosen), folder if (folder / "weights.npz").is_file() else None)


def as_row(key: Any, document: Any, with_explanation: bool = False) -> dict[str, Any]:
    """What `classify` says of one document."""
    whole = document.as_json()
    out = {"id": key, **{k: whole[k] for k in ("relevant", "relevance", "relation", "classifier", "tasks")}}
    out |= {k: whole[k] for k in ("industries", "instruments", "institutions")}
    for task in out["tasks"]:
        task.pop("explanation", None)
    if with_explanation:
        out["explanation"] = document.explanation
    return out


@contextlib.contextmanager
def opened(file: Path) -> Iterator[IO[str]]:
    """The file, or standard input for `-`, as UTF-8 whatever the locale says; a byte that is none becomes U+FFFD."""
    if str(file) == "-":
        with open(sys.stdin.fileno(), encoding="utf-8", errors="replace", closefd=False) as stream:
            yield stream
        return
    with open(file, encoding="utf-8-sig", errors="replace") as stream:
        yield stream


def ticking(items: Iterator[dict[str, Any]], file: Path) -> Iterator[dict[str, Any]]:
    """The items, counted on the terminal if there is one."""
    if not sys.stderr.isatty() or sys.stdout.isatty():
        yield from items
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    total = None
    if str(file) != "-":
        with open(file, "rb") as stream:
            total = sum(1 for line in stream if line.strip())
    columns = (TextColumn("classify"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True)) as progress:
        bar = progress.add_task("classify", total=total)
        for item in items:
            yield item
            progress.advance(bar)
