"""`circularwatch evaluate`: how well the classifier does on labelled documents, per task and language."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from crawler.cli.classify import as_row, make_classifier, opened, ticking
from crawler.cli.common import Failed, config_option, json_option, print_json, say
from crawler.cli.jsonl import rows, to_document


@click.command("evaluate")
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path, allow_dash=True, exists=True))
@click.option("--misses", is_flag=True, help="Name each document that got a wrong label or missed one.")
@json_option
@config_option
def command(file: Path, misses: bool, as_json: bool, config_dir: Path | None) -> None:
    """Precision, recall and F1 against gold labels.

    FILE holds one JSON object a line: {"id", "title", "text", "language", "labels": [task, …]}; optional: "relevant",
    and "disputed": [task, …], labels that count neither way.
    """
    from pipelines.classify.scoring import score

    bad = 0

    def refuse(number: int, why: str) -> None:
        nonlocal bad
        bad += 1
        say(f"line {number}: {why}")

    classifier = make_classifier(config_dir)
    gold: list[dict[str, Any]] = []
    results: dict[str, dict[str, Any]] = {}
    with opened(file) as stream:
        for row in ticking(rows(stream, refuse), file):
            if not isinstance(row.get("labels"), list):
                bad += 1
                say(f"document {row['id']!r} has no 'labels' (a list of task ids)")
                continue
            row["language"] = row.get("language") or "all"
            gold.append(row)
            results[row["id"]] = as_row(row["id"], classifier.classify(to_document(row)))
    figures = score(gold, results)
    if misses:
        _name_misses(gold, results)
    if as_json:
        print_json(figures)
    else:
        _table(figures)
    if bad:
        raise Failed(f"{bad} {'line' if bad == 1 else 'lines'} could not be read; the others were evaluated")


def _name_misses(gold: list[dict[str, Any]], results: dict[str, dict[str, Any]]) -> None:
    for row in gold:
        found, true = {t["id"] for t in results[row["id"]]["tasks"]}, set(row["labels"])
        for task in sorted((found ^ true) - set(row.get("disputed", ()))):
            say(f"{row['id']} {'missed' if task in true else 'wrong'} {task}: {row.get('title', '')[:70]}")


def _table(figures: dict[str, Any]) -> None:
    from rich.console import Console
    from rich.table import Table

    parts = [k for k in figures if isinstance(figures[k], dict)]
    table = Table("task", *[f"{p} {n}" for p in parts for n in ("P", "R", "F1", "n")])
    for task in figures["all"]["tasks"]:
        cells: list[str] = []
        for part in parts:
            row = figures[part]["tasks"][task]
            cells += [f"{row['precision']:.2f}", f"{row['recall']:.2f}", f"{row['f1']:.2f}", str(row["documents"])]
        table.add_row(task, *cells)
    console = Console()
    console.print(table)
    for part in parts:
        console.print(
            f"{part}: macro-F1 {figures[part]['macro_f1']:.3f}, relevant F1 {figures[part]['relevant_f1']:.3f}"
        )
