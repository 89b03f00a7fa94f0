"""`circularwatch train`: makes the trained reader's files from the passages in `config/training`, reproducibly."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from crawler.cli import jsonl
from crawler.cli.common import Failed, config_option, fail, json_option, open_database, print_json, say


@click.command("train")
@click.option(
    "--passages",
    type=click.Path(file_okay=False, exists=True, path_type=Path),
    default=None,
    help="Folder of training passages (*.jsonl).  [default: training/ in the configuration]",
)
@click.option(
    "--calibrate",
    type=click.Path(dir_okay=False, exists=True, path_type=Path),
    default=None,
    help="Labelled documents (JSONL) to fit probabilities and thresholds on.  [default: calibration.jsonl in the "
    "configuration; where there is none, they are kept]",
)
@click.option(
    "--out",
    type=click.Path(file_okay=False, path_type=Path),
    default=None,
    help="Folder for the model's files.  [default: model/ in the configuration]",
)
@click.option(
    "--db",
    "db_path",
    type=click.Path(dir_okay=False, path_type=Path),
    default=None,
    help="Learn from the judgements in this database too.  [default: from none]",
)
@click.option("--force", is_flag=True, help="Promote the new model even if it does worse.")
@json_option
@config_option
def command(
    passages: Path | None,
    calibrate: Path | None,
    out: Path | None,
    db_path: Path | None,
    force: bool,
    as_json: bool,
    config_dir: Path | None,
) -> None:
    """Train the reader that points at sentences.

    Learns from the passages, fits probabilities on labelled documents that it does not learn from, and refuses to replace
    a model that does better on these, each judged by a calibration that has not seen it (or, without any, on every fifth
    passage, put aside). The same files give the same model, byte for byte. With --db it also learns from the judgements
    in that database (`circularwatch judge`), and says how many of them it now gives as judged.
    """
    import config
    from config.taxonomy import load_taxonomy

    folder = config.directory_of(config_dir)
    try:
        from pipelines.classify import promoting
    except ImportError as error:
        fail(f"training needs scikit-learn ({error}); install the development packages: make setup")
    own = folder / "calibration.jsonl"
    gold = labelled(calibrate or own) if calibrate or own.is_file() else None
    target = out or folder / "model"
    judged = judgements(db_path, say) if db_path else []
    result: dict[str, Any] = promoting.train(
        load_taxonomy(folder), passages or folder / "training", folder / "model", target, gold, force, say, judged
    )
    if as_json:
        print_json(result)
    else:
        for name, value in result.items():
            if not isinstance(value, dict):
                say(f"{name}: {value}")
    if not result["promoted"]:
        raise Failed(result["reason"])


def labelled(path: Path) -> list[dict[str, Any]]:
    """Documents with `labels`, as `evaluate` takes them; ends with a sentence that names the first line that is none."""

    def bad(number: int, what: str) -> None:
        fail(f"{path}, line {number}: {what}")

    with path.open(encoding="utf-8") as stream:
        found = list(jsonl.rows(stream, bad))
    for row in found:
        if not isinstance(row.get("labels"), list) or row.get("language") not in ("zh", "en"):
            fail(f"{path}: the document {row['id']!r} needs 'labels' (a list of task ids) and a 'language' (zh or en)")
    if not found:
        fail(f"{path} holds no documents")
    return found


def judgements(path: Path, say: Callable[[str], None]) -> list[dict[str, Any]]:
    """What people judged, as lines to learn from."""
    from db.judgements import as_training

    with contextlib.closing(open_database(path, readonly=True)) as database:
        found = as_training(database)
    say(f"{len(found)} lines from the judgements in {path}")
    return found
