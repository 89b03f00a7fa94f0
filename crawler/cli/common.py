"""What every command shares: options, opening of configuration and database, errors as one sentence, JSON output."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar

import click

if TYPE_CHECKING:
    import sqlite_utils

    from config import Config

F = TypeVar("F", bound=Callable[..., Any])

DONE, FAILURES, BAD_USAGE = 0, 1, 2
INTERRUPTED = 130

db_option = click.option(
    "--db",
    "db_path",
    type=click.Path(dir_okay=False, path_type=Path),
    default=None,
    help="The database file.  [default: $CIRCULARWATCH_DB, else data/circularwatch.db]",
)
config_option = click.option(
    "--config",
    "config_dir",
    type=click.Path(file_okay=False, path_type=Path),
    default=None,
    help="The folder of sources, taxonomy, alerts, settings.  [default: $CIRCULARWATCH_CONFIG, else the built-in one]",
)
json_option = click.option("--json", "as_json", is_flag=True, help="Machine-readable output on standard output.")


def common_options(function: F) -> F:
    """`--db` and `--config`, which every command takes."""
    return db_option(config_option(function))


class CommandError(click.ClickException):
    """Bad usage or configuration: one sentence that says what to do; exit status 2."""

    exit_code = BAD_USAGE


class Failed(click.ClickException):
    """Done, or stopped, with failures that were named; exit status 1."""

    exit_code = FAILURES


def say(text: str) -> None:
    """A line for people: standard error."""
    click.echo(text, err=True)


def print_json(value: Any) -> None:
    """One JSON value on one line of standard output, Chinese as it is."""
    click.echo(json.dumps(value, ensure_ascii=False, default=str))


def environment(db_path: Path | None = None) -> dict[str, str]:
    """The environment with `--db` in it, which wins: for the configuration, now and whenever it is read again."""
    return dict(os.environ) | ({"CIRCULARWATCH_DB": str(db_path)} if db_path is not None else {})


def load_config(config_dir: Path | None, db_path: Path | None = None) -> Config:
    """The validated configuration; `--db` and `--config` win over environment and files."""
    import config

    return config.load(config_dir, environment(db_path))


def open_database(path: Path, *, must_exist: bool = True, readonly: bool = False) -> sqlite_utils.Database:
    """Open (and migrate) the database; a missing one is an error where there is nothing to ask yet."""
    import db

    if must_exist and not path.exists():
        raise CommandError(f"there is no database at {path} yet; `circularwatch crawl` makes it, or name one with --db")
    return db.connect(path, readonly=readonly)


def sentence(error: BaseException) -> str:
    """The error in one line; the class name where it says nothing itself."""
    text = " ".join(str(error).split())
    return text or type(error).__name__


def user_errors() -> tuple[type[BaseException], ...]:
    """Faults that users can mend: their text is already the sentence to show."""
    from config.errors import ConfigError
    from db import DatabaseError

    return (ConfigError, DatabaseError)


def run(group: click.Group, argv: Sequence[str] | None) -> int:
    """Run a click group and give the exit status of DESIGN.md's table."""
    try:
        result = group.main(args=None if argv is None else list(argv), prog_name="circularwatch", standalone_mode=False)
        return result if isinstance(result, int) else DONE
    except click.exceptions.Abort:
        say("stopped")
        return INTERRUPTED
    except KeyboardInterrupt:
        say("stopped")
        return INTERRUPTED
    except click.exceptions.Exit as stop:
        return stop.exit_code
    except click.UsageError as error:
        error.show(file=sys.stderr)
        return BAD_USAGE
    except click.ClickException as error:
        say(f"circularwatch: {error.format_message()}")
        return error.exit_code
    except BrokenPipeError:
        quiet_stdout()
        return DONE
    except Exception as error:
        return explain_fault(error)


def quiet_stdout() -> None:
    """After a closed pipe (`| head`), keep the interpreter from complaining at exit."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def explain_fault(error: Exception) -> int:
    """One sentence for what users can mend: status 2 for configuration, 1 for the machine's faults."""
    from config.errors import ConfigError

    if isinstance(error, ConfigError):
        say(f"circularwatch: {sentence(error)}")
        return BAD_USAGE
    if isinstance(error, user_errors()):
        say(f"circularwatch: {sentence(error)}")
        return FAILURES
    if isinstance(error, OSError) and error.errno is not None:
        where = f" ({error.filename})" if error.filename else ""
        say(f"circularwatch: {os.strerror(error.errno).lower()}{where}; check the free space, the rights and the path")
        return FAILURES
    if os.environ.get("CIRCULARWATCH_DEBUG"):
        raise error
    say(f"circularwatch: unexpected {type(error).__name__}: {sentence(error)}")
    say("This is a fault of circularwatch. Set CIRCULARWATCH_DEBUG=1 and run it again to see where.")
    return FAILURES


def fail(message: str) -> NoReturn:
    """Stop with bad usage or configuration."""
    raise CommandError(message)
