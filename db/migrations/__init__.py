"""Numbered steps from an empty file to the newest schema; each runs once, on open, in its own transaction.

A step is a file `m0007_words.sql`, or `m0007_words.py` with `migrate(connection)`. `pragma user_version` holds the
number of the last step that was done; it changes in the same transaction as the step.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from functools import cache
from importlib import import_module, resources
from pathlib import Path

from db.errors import DatabaseError, WrongDatabaseError

# "cwat": says that a file is ours even before a version is compared.
APPLICATION_ID = 0x63776174


@cache
def steps() -> tuple[tuple[int, str], ...]:
    """(number, file name) of every step, in order; two files of one number are a mistake of ours and refused."""
    names = [p.name for p in resources.files(__package__).iterdir() if p.name[:1] == "m" and p.name[1:5].isdigit()]
    found = sorted((int(n[1:5]), n) for n in names if n.endswith((".sql", ".py")))
    numbers = [n for n, _ in found]
    if numbers != list(range(1, len(found) + 1)):
        raise DatabaseError(f"The migrations of this circularwatch are not numbered 1, 2, 3 …: {numbers}; reinstall it")
    return tuple(found)


def newest() -> int:
    """The schema version that this program writes and reads."""
    return steps()[-1][0]


def version(conn: sqlite3.Connection) -> int:
    """The schema version of an open database; 0 is an empty file."""
    return int(conn.execute("pragma user_version").fetchone()[0])


def check(conn: sqlite3.Connection, path: Path, *, readonly: bool = False) -> None:
    """Refuse a database of another program, of a newer circularwatch, or (read-only) of an older one."""
    # one snapshot: another process may be making this very file, and half of its marks would look like a stranger's
    conn.execute("begin")
    try:
        have, want = version(conn), newest()
        ours = conn.execute("pragma application_id").fetchone()[0] == APPLICATION_ID
        used = conn.execute("select 1 from sqlite_master limit 1").fetchone()
    finally:
        conn.execute("rollback")
    if not ours and (have or used):
        raise WrongDatabaseError(f"{path} is a database of another program: name a file of circularwatch with --db")
    if have > want:
        raise WrongDatabaseError(
            f"{path} was written by a newer circularwatch (schema {have}, this one knows {want}): "
            "update circularwatch, or name another file with --db"
        )
    if readonly and have < want:
        raise DatabaseError(
            f"{path} has schema {have} and this circularwatch needs {want}: run any writing command once, "
            "for example circularwatch process"
        )


def migrate(conn: sqlite3.Connection, path: Path) -> None:
    """Do the steps that are missing. Safe when several processes open an old database at the same moment."""
    for number, name in steps():
        if version(conn) >= number:
            continue
        conn.execute("begin immediate")
        try:
            if version(conn) < number:
                _run(conn, name)
                conn.execute(f"pragma application_id = {APPLICATION_ID}")
                conn.execute(f"pragma user_version = {number}")
            conn.execute("commit")
        except BaseException:
            if conn.in_transaction:
                conn.execute("rollback")
            raise


def _run(conn: sqlite3.Connection, name: str) -> None:
    if name.endswith(".py"):
        import_module(f"{__package__}.{name[:-3]}").migrate(conn)
        return
    for statement in statements((resources.files(__package__) / name).read_text("utf-8")):
        conn.execute(statement)


def statements(script: str) -> Iterator[str]:
    """The single statements of a script: `executescript` would commit, and a step must be one transaction."""
    part = ""
    for line in script.splitlines(keepends=True):
        part += line
        if sqlite3.complete_statement(part):
            yield part
            part = ""
    if "".join(line for line in part.splitlines() if not line.lstrip().startswith("--")).strip():
        raise sqlite3.OperationalError(f"incomplete statement: {part.strip()[:60]}")
