"""What goes wrong with the database, in one sentence that names the file and the remedy."""

from __future__ import annotations

from pathlib import Path


class DatabaseError(Exception):
    """The database cannot be used; str() is one sentence that says what to do."""


class WrongDatabaseError(DatabaseError):
    """A sound database, but not one for this program: of another program, or of a newer circularwatch."""


def explain(error: BaseException, path: str | Path) -> DatabaseError:
    """Put an error of SQLite or of the file system into a sentence for the person at the terminal."""
    text = str(error)
    low = text.lower()
    if "disk is full" in low or "no space left" in low:
        said = f"The disk that holds {path} is full: free some space and run the command again, nothing was lost"
    elif "readonly" in low or "read-only" in low or "permission denied" in low:
        said = f"{path} cannot be written (read-only disk or missing rights): choose another place with --db"
    elif "not a database" in low or "malformed" in low:
        said = f"{path} is not a usable SQLite database ({text}): name another file with --db, or restore a backup"
    elif "locked" in low or "busy" in low:
        said = f"{path} stayed locked by another program for too long: close what holds it and run the command again"
    elif "unable to open" in low:
        said = f"{path} cannot be opened (is it a folder, or is its folder missing or read-only?): check --db"
    elif "disk i/o error" in low:
        said = f"The disk that holds {path} reports an error ({text}): check the disk, then run the command again"
    else:
        said = f"The database {path} reports: {text}"
    return DatabaseError(said)
