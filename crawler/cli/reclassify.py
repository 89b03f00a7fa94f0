"""`circularwatch reclassify`: labels again from the database, what they would move, one switch, and pruning."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from crawler.cli.common import (
    CommandError,
    Failed,
    common_options,
    json_option,
    load_config,
    open_database,
    print_json,
    say,
)

if TYPE_CHECKING:
    from db.verdicts import Matrix
    from pipelines.reclassify import Summary

SHOWN = 20


@click.command("reclassify")
@click.option("--switch", "switching", is_flag=True, help="Let the new labels count, after you have seen the matrix.")
@click.option("--yes", is_flag=True, help="Label and switch in one go.")
@click.option(
    "--prune", is_flag=True, help="Drop former labels; until then they can be queried under their classifier."
)
@click.option(
    "--only-relevant", is_flag=True, help="Only documents that are relevant now (for a task that got narrower)."
)
@click.option("--workers", type=click.IntRange(0, 256), default=0, help="Reading processes.  [default: one per core]")
@common_options
@json_option
def command(
    switching: bool,
    yes: bool,
    prune: bool,
    only_relevant: bool,
    workers: int,
    db_path: Path | None,
    config_dir: Path | None,
    as_json: bool,
) -> None:
    """Label every stored document again, without the archive, after a change of taxonomy, model or program.

    The new labels are written beside those that count. At the end a matrix says, task by task, how many documents
    gained, lost and kept a label, and names those that moved; --switch then lets all of the new ones count at once. No
    alert is sent for it. A crawl and its processor may go on meanwhile. Killed at any moment, it goes on where it was.

    \b
    circularwatch reclassify              labels and matrix
    circularwatch reclassify --switch     the new labels count
    circularwatch reclassify --prune      the former ones go
    """
    from pipelines.reclassify import ReclassifyBusy
    from pipelines.worker import WorkerError

    if prune and (switching or yes or only_relevant):
        raise CommandError("--prune goes alone: switch first, look at the pages, then prune")
    config = load_config(config_dir, db_path)
    open_database(config.settings.database).close()
    try:
        if prune:
            run_prune(config, as_json)
        else:
            run_pass(config, switching, yes, only_relevant, workers, as_json)
    except ReclassifyBusy as e:
        raise Failed(str(e)) from e
    except WorkerError as e:
        raise CommandError(str(e)) from e


def run_pass(config: Any, switching: bool, yes: bool, only_relevant: bool, workers: int, as_json: bool) -> None:
    """Label what is left, show what moves, and switch if that was asked for."""
    from db.verdicts import NotReady, passed
    from pipelines.reclassify import identify, reclassify

    classifier = identify(config)
    scope = "relevant" if only_relevant else "all"
    if switching and not yes:
        with contextlib.closing(open_database(config.settings.database, readonly=True)) as database:
            held = passed(database, classifier)
        if held is None:
            raise Failed(
                f"the classifier {classifier} has no finished pass to switch to: run circularwatch reclassify and look "
                "at its matrix first, or use --yes"
            )
        scope = held
    with bar(not as_json) as progress:
        try:
            summary = reclassify(
                config,
                config.settings.database,
                workers=workers or getattr(config.settings, "workers", 0),
                scope=scope,
                progress=progress,
                classifier=classifier,
                switch=switching or yes,
            )
        except NotReady as e:
            raise Failed(
                f"{e.left} documents came in faster than they were read (a processor with another classifier is at "
                "work): restart it, then run circularwatch reclassify --switch again"
            ) from e
    report(summary, as_json)


def report(summary: Summary, as_json: bool) -> None:
    """The closing words; raises Failed where something could not be read or the pass was stopped."""
    if as_json:
        print_json(summary.as_json())
    else:
        for failure in summary.failed[:SHOWN]:
            say(f"not read: {failure['url']}: {failure['reason']}")
        if summary.matrix:
            show_matrix(summary.matrix)
        say(f"{summary.read} read in {summary.seconds:.1f} s by the classifier {summary.classifier}")
    if summary.stopped:
        raise Failed("stopped; run circularwatch reclassify again and it goes on where it was")
    if not as_json:
        say(next_step(summary))
    if summary.failed:
        raise Failed(f"{len(summary.failed)} documents could not be read; they keep the labels that they have")


def next_step(summary: Summary) -> str:
    """What to do now, in one sentence."""
    assert summary.matrix is not None
    if summary.switched:
        return (
            "these labels count now (a service that runs takes the new classifier when it is restarted); the former ones "
            "are kept until circularwatch reclassify --prune"
        )
    if summary.failed and not summary.read:
        return "no document could be read, so nothing has changed: mend what is named above, then run it again"
    if not summary.matrix.documents:
        return "every document carries the labels of this classifier already; there is nothing to switch"
    return "nothing has changed yet: circularwatch reclassify --switch lets these labels count"


def show_matrix(matrix: Matrix) -> None:
    """The moved-labels matrix and the first documents that moved."""
    from crawler.cli.tables import print_table

    lines: list[dict[str, Any]] = [{"task": task, **counts} for task, counts in matrix.tasks.items()]
    lines.append({"task": "relevant", **matrix.relevant})
    columns = ("task", "gained", "lost", "kept")
    print_table(lines, columns, f"Labels of {matrix.documents} documents", right=columns[1:])
    if matrix.moved:
        shown = [
            {"document": m.id, "moved": " ".join(moves(m)), "title": m.title[:60]} for m in matrix.moved[: 2 * SHOWN]
        ]
        print_table(
            shown,
            ("document", "moved", "title"),
            f"{len(matrix.moved)} {'document' if len(matrix.moved) == 1 else 'documents'} moved",
        )
        if len(matrix.moved) > len(shown):
            say(f"and {len(matrix.moved) - len(shown)} more; --json names all")


def moves(moved: Any) -> list[str]:
    """`+task`, `-task` and what became of relevance."""
    words = [f"+{t}" for t in moved.gained] + [f"-{t}" for t in moved.lost]
    was, is_ = moved.relevant
    return words + ([] if was == is_ else ["+relevant" if is_ else "-relevant"])


def run_prune(config: Any, as_json: bool) -> None:
    """Drop what no longer counts."""
    from db.verdicts import former, prune
    from pipelines.reclassify import identify, lock

    path = config.settings.database
    with lock(path), contextlib.closing(open_database(path)) as database:
        before = former(database)
        mended = sum(prune(database, identify(config)))
        after = former(database)
    gone = {c: n - after.get(c, 0) for c, n in before.items() if n > after.get(c, 0)}
    if as_json:
        print_json({"documents": mended, "labels_dropped": gone})
        return
    for classifier, labels in gone.items():
        say(f"dropped {labels} labels of the classifier {classifier or '(none)'}")
    say(f"{mended} documents pruned" if mended else "there was nothing to prune")


@contextlib.contextmanager
def bar(wanted: bool) -> Iterator[Callable[[Summary], None] | None]:
    """A progress bar on standard error, where somebody is watching."""
    if not wanted or not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )

    columns = (TextColumn("reclassify"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True)) as progress:
        task = progress.add_task("reclassify", total=None)

        def show(summary: Summary) -> None:
            done = summary.read + len(summary.failed)
            progress.update(task, completed=done, total=max(summary.total, done))

        yield show
