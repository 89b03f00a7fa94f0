"""`circularwatch backup DIR`: a verified copy of database, archive and configuration while everything goes on."""

from __future__ import annotations

from pathlib import Path

import click

from crawler.cli.common import DONE, Failed, common_options, json_option, load_config, print_json, say


@click.command("backup")
@click.argument("folder", metavar="DIR", type=click.Path(file_okay=False, path_type=Path))
@click.option("--keep", type=click.IntRange(min=1), help="Keep only the newest so many copies of the database.")
@click.option(
    "--copy", "always_copy", is_flag=True, help="Copy the archive's files also where they could be hard-linked."
)
@common_options
@json_option
def command(
    folder: Path, keep: int | None, always_copy: bool, db_path: Path | None, config_dir: Path | None, as_json: bool
) -> int:
    """Copy the database as of one moment into a dated file in DIR, check the copy, then bring the archive up to date.

    The service may go on meanwhile. Of the archive only what is new is copied; on the same disk it is hard-linked, which
    costs nothing and does not help if the disk dies. A file is there whole or not at all. RESTORE.txt in DIR says how to
    go back.
    """
    from crawler.backup import BackupError, backup

    config = load_config(config_dir, db_path)
    try:
        done = backup(config, folder, keep=keep, link=not always_copy)
    except BackupError as e:
        raise Failed(str(e)) from e
    if as_json:
        print_json(done.as_json())
        return DONE
    size = done.bytes / 1_000_000
    say(f"{done.database}: {size:.1f} MB, {done.rows} rows in {len(done.tables)} tables, integrity and counts checked")
    say(f"{done.archive}: {done.linked} files hard-linked, {done.copied} copied, {done.present} were there already")
    say(f"to restore: see {done.folder / 'RESTORE.txt'}")
    return DONE
