"""Starts Datasette over the database: settings as 0.65 wants them, our plugin, our metadata, and a port that is free."""

from __future__ import annotations

import contextlib
import errno
import os
import signal
import socket
import sqlite3
import sys
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml
from datasette.app import Datasette
from datasette.plugins import pm

from db import migrations
from db.datasette import plugin
from db.datasette.file import NAME, HouseFile
from db.datasette.site import HERE, Site, attach, utc_now
from db.errors import DatabaseError, explain
from db.search.fold import register

if TYPE_CHECKING:
    from config import Config

SETTINGS: dict[str, Any] = {
    # guessing facets reads whole tables
    "suggest_facets": False,
    "default_page_size": 50,
    # more is cut, and Datasette's page says so; our exports are whole (and CSV never goes through this limit)
    "max_returned_rows": 1000,
    "sql_time_limit_ms": 5000,
    "facet_time_limit_ms": 1000,
    "num_sql_threads": 4,
    "max_csv_mb": 0,
    "allow_csv_stream": True,
    # the file holds publishers' whole texts and grows to gigabytes; `circularwatch backup` copies it properly
    "allow_download": False,
    "truncate_cells_html": 300,
    "default_cache_ttl": 0,
}


class ServeError(Exception):
    """Cannot serve; str() is one sentence that says what to do."""


def metadata(config: Config) -> dict[str, Any]:
    """config/metadata.yaml of the operator's folder, else the package's own, with what search needs to know."""
    import config as house

    path = next(
        p for p in (config.directory / "metadata.yaml", Path(house.__file__).parent / "metadata.yaml") if p.is_file()
    )
    data: dict[str, Any] = yaml.safe_load(path.read_text(encoding="utf-8"))
    documents = data["databases"][NAME]["tables"]["documents"]
    documents |= {"fts_table": "documents_fts", "fts_pk": "search_key", "searchmode": "escaped"}
    return data


def build(
    config: Config,
    database: Path | None = None,
    *,
    clock: Callable[[], datetime] = utc_now,
    base_url: str = "/",
    write: bool = False,
) -> Datasette:
    """A Datasette over the database, read only but for judgements with `write`; raises DatabaseError for a file that cannot be shown."""
    path = Path(database or config.settings.database)
    check(path)
    # with rich installed Datasette prints every local variable of every frame at each 404; the module is looked up,
    # because importing it before Datasette itself leaves it without its hooks
    sys.modules["datasette.handle_exception"].rich = None  # type: ignore[attr-defined]
    if not pm.is_registered(plugin):
        pm.register(plugin, plugin.__name__)
    datasette = Datasette(
        # without a file Datasette would add one in memory
        files=[],
        metadata=metadata(config),
        settings=SETTINGS | {"base_url": base_url},
        template_dir=str(HERE / "templates"),
        static_mounts=[("assets", str(HERE / "static"))],
    )
    datasette.databases.pop("_memory", None)
    attach(datasette, Site(config, clock, write))
    datasette.add_database(HouseFile(datasette, path), name=NAME)
    # made in the constructor before the plugin's routes knew their site
    datasette.client.app = datasette.app()
    return datasette


def check(path: Path) -> None:
    """Refuse a file that is missing, another program's, newer, or older than this program reads."""
    if not path.is_file():
        raise DatabaseError(
            f"there is no database at {path} yet: `circularwatch crawl` makes it, or name one with --db"
        )
    if path.suffix == ".lock":
        raise DatabaseError(f"{path} is a lock, not a database: name the file beside it with --db")
    try:
        with contextlib.closing(HouseFile(None, path).connect()) as conn:
            register(conn)
            migrations.check(conn, path, readonly=True)
    except (sqlite3.Error, OSError) as error:
        raise explain(error, path) from error


def upgrade(path: Path) -> None:
    """Bring an older database up to date if it may be written; a read-only one stays as it is and `check` tells."""
    from db.connection import connect

    if path.is_file() and os.access(path, os.W_OK) and os.access(path.parent, os.W_OK):
        connect(path).close()


def listen(host: str, port: int) -> socket.socket:
    """The socket to serve on; a taken port is one sentence."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    sock = socket.socket(family, socket.SOCK_STREAM)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        sock.bind((host, port))
        # bind() alone succeeds beside another listener that also set SO_REUSEADDR
        sock.listen(128)
    except OSError as error:
        sock.close()
        if error.errno == errno.EADDRINUSE:
            raise ServeError(
                f"port {port} of {host} is taken (perhaps by another `circularwatch serve`): stop that, or choose "
                "another with --port (0 = any free one)"
            ) from error
        if error.errno == errno.EACCES:
            raise ServeError(f"port {port} may only be used by root: choose one above 1023 with --port") from error
        raise ServeError(
            f"{host} cannot be served on ({error.strerror}): --host takes an address of this machine"
        ) from error
    except OverflowError as error:
        sock.close()
        raise ServeError("a port is a number from 0 to 65535") from error
    return sock


def address(sock: socket.socket) -> str:
    """The address that a browser takes."""
    host, port = sock.getsockname()[:2]
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)
    return f"http://[{host}]:{port}/" if ":" in host else f"http://{host}:{port}/"


def serve(config: Config, sock: socket.socket, *, ready: Callable[[], None] | None = None, write: bool = False) -> None:
    """Serve until SIGINT or SIGTERM; a running export gets five seconds to end."""
    import uvicorn

    datasette = build(config, write=write)

    class Server(uvicorn.Server):
        async def startup(self, sockets: list[socket.socket] | None = None) -> None:
            await super().startup(sockets)
            if ready is not None and self.started:
                ready()

    settings = uvicorn.Config(
        datasette.app(), log_level="warning", access_log=False, lifespan="on", timeout_graceful_shutdown=5
    )
    server = Server(settings)
    # uvicorn raises the signal again when it is done; a clean stop is no error here
    with contextlib.suppress(KeyboardInterrupt):
        previous = signal.signal(signal.SIGTERM, signal.SIG_IGN)
        try:
            server.run(sockets=[sock])
        finally:
            signal.signal(signal.SIGTERM, previous)
            datasette.databases[NAME].close()
