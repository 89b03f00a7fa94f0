"""The archive against the journal: every file that a fetch names is there and whole, and nothing lies beyond."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from sqlite_utils import Database

from crawler.doctor import Finding, bad, ok, warn
from pipelines.archive import ArchiveReadError, Loss, events_of, files, read

SHOWN = 3


def files_and_fetches(opened: Database, archive: Path, *, thorough: bool) -> Iterator[Finding]:
    """Missing, short and damaged files. The last record of each file is read; with `thorough`, every record of all."""
    named = {
        file: (count, last)
        for file, count, last in opened.conn.execute(
            "select archive_file, count(*), max(archive_offset) from fetches where archive_file != '' group by archive_file"
        ).fetchall()
    }
    missing = [file for file in named if not (archive / file).is_file()]
    if missing:
        lost = sum(named[file][0] for file in missing)
        yield bad("archive", f"{len(missing)} files are gone ({', '.join(missing[:SHOWN])}), with {lost} exchanges",
                  "put them back from a backup into the archive; what was read of them is still in the database")  # fmt: skip
    damaged = []
    for file, (_, last) in sorted(named.items()):
        if file in missing:
            continue
        if trouble := _trouble(archive / file, last):
            damaged.append(f"{file}: {trouble}")
    if damaged:
        yield bad(
            "archive", f"{len(damaged)} files are damaged: {'; '.join(damaged[:SHOWN])}", "put them back from a backup"
        )
    lying = files(archive) if archive.is_dir() else []
    if thorough:
        yield from _every_record(lying, archive)
    running = {
        file
        for (file,) in opened.conn.execute("select archive_file from source_runs where state = 'running'").fetchall()
    }
    beyond = [
        n
        for p in lying
        if (n := p.relative_to(archive).as_posix()) not in named and not _is_of(n, running) and _has_events(p, n)
    ]
    if beyond:
        yield warn("archive", f"{len(beyond)} files hold exchanges that the database does not know ({beyond[0]})",
                   "`circularwatch process` takes them in")  # fmt: skip
    if not (missing or damaged or beyond):
        size = sum(p.stat().st_size for p in lying)
        how = "every record" if thorough else "the last record of each"
        yield ok("archive", f"{archive}: {len(lying)} files, {size / 1e6:.1f} MB; {how} read")


def _trouble(path: Path, offset: int) -> str:
    try:
        read(path, offset)
    except (ArchiveReadError, OSError) as e:
        return str(e)
    return ""


def _every_record(lying: list[Path], archive: Path) -> Iterator[Finding]:
    losses: list[Loss] = []
    for path in lying:
        events_of(path, path.relative_to(archive).as_posix(), losses)
    if losses:
        yield bad(
            "archive",
            f"{len(losses)} places cannot be read: {'; '.join(map(str, losses[:SHOWN]))}",
            "put the files back from a backup",
        )


def _is_of(name: str, running: set[str]) -> bool:
    return any(file and name.endswith(file) for file in running)


def _has_events(path: Path, name: str) -> bool:
    """Whether there is anything in it beyond the head: a crawl that was killed at once leaves a file without exchanges."""
    return bool(events_of(path, name, []))
