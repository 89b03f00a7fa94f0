"""`circularwatch rebuild`: the database again from the archive and the configuration."""

from __future__ import annotations

from pathlib import Path

import click

from crawler.cli.common import CommandError, Failed, common_options, json_option, load_config, print_json, say
from crawler.cli.process import name_failures, show_progress


@click.command("rebuild")
@click.option("--archive", type=click.Path(file_okay=False, path_type=Path), help="The archive.  [default: settings]")
@click.option("--force", is_flag=True, help="Also where the archive lacks documents that the database has.")
@click.option("--workers", type=click.IntRange(0, 256), default=0, help="Reading processes.  [default: one per core]")
@common_options
@json_option
def command(
    archive: Path | None, force: bool, workers: int, db_path: Path | None, config_dir: Path | None, as_json: bool
) -> None:
    """Make the database again from the archive, check it, and only then put it in the place of the old one.

    Judgements, alert history and the run ledger are carried over; no alert is sent. What the archive has lost is named.
    Nothing else may write to the database meanwhile.
    """
    from pipelines.processor import ProcessorBusy
    from pipelines.rebuild import RebuildError, rebuild
    from pipelines.worker import WorkerError

    config = load_config(config_dir, db_path)
    settings = config.settings
    try:
        done = rebuild(
            config,
            settings.database,
            archive or settings.archive,
            force=force,
            workers=workers or getattr(settings, "workers", 0),
            progress=None if as_json else show_progress,
            say=say,
        )
    except (RebuildError, ProcessorBusy) as e:
        raise Failed(str(e)) from e
    except WorkerError as e:
        raise CommandError(str(e)) from e
    if as_json:
        print_json(done.as_json())
    else:
        name_failures(done.summary.failed)
        for table, rows in sorted(done.kept.lost_rows.items()):
            say(f"lost: {rows} rows of {table}, whose documents are not in the archive")
        if done.old_file:
            say(f"the old database is kept as {done.old_file}")
        say(f"{settings.database}: {done.documents} documents from {done.events} events in {done.seconds:.1f} s")
    if done.losses or done.kept.missing_documents or done.kept.lost_rows:
        raise Failed(
            f"rebuilt, with losses: {len(done.losses)} in the archive, {len(done.kept.missing_documents)} documents"
        )
