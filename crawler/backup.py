"""Makes the verified copy behind `circularwatch backup`: the database of one moment, the archive, the configuration."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import shutil
import sqlite3
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from db.search.fold import register
from pipelines.archive import files

PARTIAL = ".partial"
# Room that must be left on the disk of the backup beyond what is copied.
RESERVE = 50_000_000

RESTORE = """\
How to go back to a copy of this folder
=======================================

1. Stop circularwatch (Ctrl-C, or SIGTERM to `circularwatch up`).
2. Put the archive in its place (the newer files of the running archive may stay, they are read too):
       cp -a archive/. PATH-OF-ARCHIVE/
3. Put a database in its place, under its own name, without what SQLite keeps beside it:
       rm -f PATH-OF-DATABASE PATH-OF-DATABASE-wal PATH-OF-DATABASE-shm
       cp circularwatch-DATE.db PATH-OF-DATABASE
4. If the configuration is lost too: circularwatch-DATE.config/ holds it (--config DIR, or CIRCULARWATCH_CONFIG).
5. circularwatch doctor          checks everything
   circularwatch process         takes in what the archive has beyond this copy

The archive alone is enough as well: `circularwatch rebuild` makes the database from it; only judgements, the history of
alerts and the run ledger are lost then.
"""


class BackupError(Exception):
    """No copy was made, or not a whole one; str() says why and what to do."""


@dataclass(slots=True)
class Backup:
    """What was made: paths, rows by table, files of the archive by how they came."""

    folder: Path
    database: Path
    archive: Path
    tables: dict[str, int] = field(default_factory=dict)
    bytes: int = 0
    linked: int = 0
    copied: int = 0
    present: int = 0
    removed: list[str] = field(default_factory=list)

    @property
    def rows(self) -> int:
        """Rows in all tables."""
        return sum(self.tables.values())

    def as_json(self) -> dict[str, Any]:
        """Plain values."""
        archive = {"folder": str(self.archive), "linked": self.linked, "copied": self.copied, "present": self.present}
        return {
            "database": str(self.database), "bytes": self.bytes, "rows": self.rows, "tables": self.tables,
            "archive": archive, "removed": self.removed, "restore": str(self.folder / "RESTORE.txt"),
        }  # fmt: skip


def backup(config: Any, folder: Path, *, keep: int | None = None, link: bool = True) -> Backup:
    """Copy everything into `folder`. Raises BackupError; what is whole already stays then."""
    settings = config.settings
    source, archive = settings.database.absolute(), settings.archive.absolute()
    if not source.is_file():
        raise BackupError(f"there is no database at {source} to be copied")
    folder = folder.absolute()
    _refuse_places(folder, source, archive)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with _alone(folder):
            _sweep(folder)
            stamp = _free_name(folder)
            done = Backup(folder, folder / f"circularwatch-{stamp}.db", folder / "archive")
            # the database first: the archive then holds at least all that it speaks of
            done.tables = copy_database(source, done.database)
            done.bytes = done.database.stat().st_size
            _copy_archive(archive, done, link=link)
            _copy_configuration(config, folder / f"circularwatch-{stamp}.config")
            _write(folder / "RESTORE.txt", RESTORE)
            _write(
                folder / f"circularwatch-{stamp}.json", json.dumps(done.as_json(), ensure_ascii=False, indent=1) + "\n"
            )
            if keep:
                done.removed = _forget(folder, keep)
    except OSError as e:
        where = f" ({e.filename})" if e.filename else ""
        raise BackupError(
            f"{os.strerror(e.errno) if e.errno else e}{where}: no copy is complete; check the space and the rights of {folder}"
        ) from e
    return done


def _refuse_places(folder: Path, source: Path, archive: Path) -> None:
    real, inside = folder.resolve(), archive.resolve()
    if real == source.parent.resolve() or (real / "archive") == inside or real == inside or inside in real.parents:
        raise BackupError(f"{folder} is where the originals are; name another folder, best on another disk")


@contextlib.contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """One backup into a folder at a time."""
    with open(folder / ".lock", "a") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise BackupError(f"another backup into {folder} is under way; wait for its end") from None
        yield


def _free_name(folder: Path) -> str:
    """The moment as part of a name; a backup of the same second already has it, and the next second is soon."""
    while True:
        stamp = f"{datetime.now(UTC):%Y%m%dT%H%M%SZ}"
        if not any(folder.glob(f"circularwatch-{stamp}.*")):
            return stamp
        time.sleep(0.1)


def _sweep(folder: Path) -> None:
    """What a backup that was killed left unfinished."""
    for path in folder.rglob(f"*{PARTIAL}*"):
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)


# ---------------------------------------------------------------------- the database


def copy_database(source: Path, target: Path) -> dict[str, int]:
    """Copy a database as of one moment and check the copy; gives its rows by table. Raises BackupError."""
    size = source.stat().st_size + sum(p.stat().st_size for p in [Path(f"{source}-wal")] if p.exists())
    free = shutil.disk_usage(target.parent).free
    if free < size + RESERVE:
        raise BackupError(
            f"{target.parent} has {free // 1_000_000} MB free and the copy needs {(size + RESERVE) // 1_000_000} MB: make room"
        )
    partial = target.with_name(target.name + PARTIAL)
    try:
        with (
            contextlib.closing(_open(source, "mode=ro")) as there,
            contextlib.closing(sqlite3.connect(partial)) as copy,
        ):
            # one reading transaction: what is counted and what is copied are the same moment, and writers go on
            there.execute("begin")
            counted = _count(there)
            there.backup(copy)
            copy.execute("pragma journal_mode = delete").fetchone()
        with contextlib.closing(_open(partial, "mode=ro")) as copy:
            _check(copy, counted)
    except sqlite3.Error as e:
        raise BackupError(f"{source} could not be copied ({e}); `circularwatch doctor` looks for the cause") from e
    _settle(partial, target)
    return counted


def _open(path: Path, option: str) -> sqlite3.Connection:
    conn = sqlite3.connect(f"{path.absolute().as_uri()}?{option}", uri=True, timeout=30, isolation_level=None)
    register(conn)
    return conn


def _count(conn: sqlite3.Connection) -> dict[str, int]:
    names = conn.execute(
        "select name from sqlite_master where type = 'table' and name not like 'sqlite_%' order by name"
    ).fetchall()
    return {name: conn.execute(f'select count(*) from "{name}"').fetchone()[0] for (name,) in names}


def _check(copy: sqlite3.Connection, counted: dict[str, int]) -> None:
    found = copy.execute("pragma integrity_check").fetchone()[0]
    if found != "ok":
        raise BackupError(
            f"the copy is damaged ({found}): check the disk, and the original with `circularwatch doctor`"
        )
    broken = copy.execute("pragma foreign_key_check").fetchall()
    if broken:
        raise BackupError(
            f"{len(broken)} rows of {broken[0][0]} point at nothing, in the original too: `circularwatch doctor` tells more"
        )
    rows = _count(copy)
    wrong = [name for name in counted.keys() | rows.keys() if counted.get(name) != rows.get(name)]
    if wrong:
        raise BackupError(
            f"the copy has other numbers of rows than the original in {', '.join(sorted(wrong))}: try again"
        )


# ---------------------------------------------------------------------- the archive


def _copy_archive(archive: Path, done: Backup, *, link: bool) -> None:
    """Bring every WARC file over that is not there, or is longer by now (a crawl that was still writing it)."""
    for path in files(archive):
        target = done.archive / path.relative_to(archive)
        size = path.stat().st_size
        if target.exists() and target.stat().st_size >= size:
            done.present += 1
            continue
        target.parent.mkdir(parents=True, exist_ok=True)
        partial = target.with_name(target.name + PARTIAL)
        partial.unlink(missing_ok=True)
        if link and _link(path, partial):
            done.linked += 1
            os.replace(partial, target)
            _settle_folder(target.parent)
        else:
            shutil.copyfile(path, partial)
            shutil.copystat(path, partial)
            done.copied += 1
            _settle(partial, target)


def _link(path: Path, target: Path) -> bool:
    try:
        os.link(path, target)
    except OSError:  # another disk, or one that knows no links
        return False
    return True


def _copy_configuration(config: Any, target: Path) -> None:
    """The folder of the configuration, and ./circularwatch.yaml; both are small."""
    partial = target.with_name(target.name + PARTIAL)
    kept = shutil.ignore_patterns("__pycache__", "*.py", "*.pyc", "training")
    shutil.copytree(config.directory, partial, ignore=kept)
    local = Path("circularwatch.yaml")
    if local.is_file():
        shutil.copyfile(local, partial / local.name)
    os.replace(partial, target)
    _settle_folder(target.parent)


def _settle(partial: Path, target: Path) -> None:
    """Give a finished file its name, once it is on the disk."""
    with open(partial, "rb") as file:
        os.fsync(file.fileno())
    os.replace(partial, target)
    _settle_folder(target.parent)


def _settle_folder(folder: Path) -> None:
    number = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(number)
    finally:
        os.close(number)


def _write(path: Path, text: str) -> None:
    partial = path.with_name(path.name + PARTIAL)
    partial.write_text(text, encoding="utf-8")
    _settle(partial, path)


def _forget(folder: Path, keep: int) -> list[str]:
    """Remove all but the newest copies of database and configuration; the archive is never thinned."""
    old = sorted(folder.glob("circularwatch-????????T??????Z.db"))[:-keep]
    for path in old:
        path.unlink()
        path.with_suffix(".json").unlink(missing_ok=True)
        shutil.rmtree(path.with_suffix(".config"), ignore_errors=True)
    return [p.name for p in old]
