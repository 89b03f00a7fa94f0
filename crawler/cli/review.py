"""`circularwatch review`: the documents whose verdict would teach most, and what the third reader says of them."""

from __future__ import annotations

import contextlib
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
    from sqlite_utils import Database

    from pipelines.review import Candidate


@click.command("review")
@click.option("--task", help="Only this task; `relevant` = the document as a whole.")
@click.option("--limit", type=click.IntRange(1, 1000), default=20, show_default=True, help="How many.")
@click.option(
    "--ask", is_flag=True, help="Ask the third reader (settings: third_reader) where the two readers disagree."
)
@common_options
@json_option
def command(
    task: str | None, limit: int, ask: bool, db_path: Path | None, config_dir: Path | None, as_json: bool
) -> None:
    """List documents that are worth a judgement, most first.

    Those are documents whose score is close to the threshold and those on which the readers disagree, as different from
    each other as can be, and not judged yet; each with the task in question and the reason. Then say what is right:

    \b
    circularwatch review --task foreign-trade
    circularwatch explain ID --task foreign-trade
    circularwatch judge ID --task foreign-trade no
    """
    from db.judgements import tasks_of
    from pipelines.review import review

    config = load_config(config_dir, db_path)
    with contextlib.closing(open_database(config.settings.database, readonly=not ask)) as database:
        if task is not None and task not in tasks_of(database):
            from crawler.cli.explain import check_task

            check_task(database, task)
        found = review(database, task, limit)
        asked = ask_third(config, database, found) if ask else None
        if as_json:
            for candidate in found:
                print_json(candidate.as_json())
        else:
            show(found)
    if asked is not None and asked.failed:
        raise Failed(f"the third reader did not answer on {len(asked.failed)} documents: {asked.failed[0][1]}")


def show(found: list[Candidate]) -> None:
    """The list for people."""
    from crawler.cli.tables import print_table

    rows: list[dict[str, Any]] = [
        {
            "document": c.id,
            "task": c.task,
            "says": "yes" if c.carried else "no",
            "score": f"{c.score:.2f}/{c.threshold:.2f}",
            "why": "; ".join(c.why),
            "title": c.title[:60],
        }
        for c in found
    ]
    print_table(rows, ("document", "task", "says", "score", "why", "title"), f"{len(rows)} documents worth a judgement")
    if not rows:
        say("no verdict is in doubt that is not judged yet")


def ask_third(config: Any, database: Database, found: list[Candidate]) -> Any:
    """Ask about the listed documents; raises CommandError where no model is set or there is none."""
    from pipelines.classify.llm_reader import ThirdReader, ThirdReaderError, llm_model

    settings = config.settings.third_reader
    if not settings.model:
        raise CommandError("no third reader is set: name a model in settings.yaml (third_reader: {model: …})")
    try:
        model = llm_model(settings.model, config.settings.secret("llm_key"))
    except ThirdReaderError as e:
        raise CommandError(str(e)) from e
    asked = ThirdReader(database, config.taxonomy, settings, model).consider([c.pk for c in found], say)
    say(
        f"third reader {settings.model}: {asked.asked} asked, {asked.known} known already, {len(asked.failed)} failed, "
        f"{asked.over_budget} over today's budget of {settings.budget_per_day}"
        + (f", {asked.decided} decided" if settings.decides else "")
    )
    return asked
