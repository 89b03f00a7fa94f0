"""`circularwatch serve`: the pages in a browser (task ledger, search, sources, exports, feeds) and Datasette beneath them."""

from __future__ import annotations

import ipaddress
from pathlib import Path

import click

from crawler.cli.common import CommandError, common_options, load_config, say


@click.command("serve")
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to serve on; 0.0.0.0 = every network.")
@click.option(
    "--port", type=click.IntRange(0, 65535), default=8001, show_default=True, help="Port; 0 = any that is free."
)
@click.option("--open", "open_browser", is_flag=True, help="Open the pages in the browser.")
@click.option("--write", is_flag=True, help="Let documents be judged on their pages (on this machine only).")
@common_options
def command(
    host: str, port: int, open_browser: bool, write: bool, db_path: Path | None, config_dir: Path | None
) -> None:
    """Show the database in a browser, read only.

    The task ledger, documents with their evidence, search, source health, canned queries, whole exports and feeds; and
    Datasette's own tables. It only listens on this machine unless --host says otherwise; there is no password, so put a
    reverse proxy with one in front of it where others can reach it. Ctrl-C stops it.

    \b
    circularwatch serve --open
    circularwatch serve --write
    circularwatch serve --port 0 --db /srv/circularwatch/circularwatch.db
    """
    config = load_config(config_dir, db_path)
    if write and not loopback(host):
        raise CommandError(
            f"--write is for this machine alone, and {host} is reached by others, who need no password: leave --host out"
        )
    from db.datasette import server

    try:
        server.upgrade(config.settings.database)
        server.check(config.settings.database)
        sock = server.listen(host, port)
    except server.ServeError as error:
        raise CommandError(str(error)) from error
    if not loopback(host):
        say(f"serving to every machine that reaches {host}: whoever does can read everything; there is no password")
    address = server.address(sock)

    def ready() -> None:
        click.echo(address)
        say("Ctrl-C stops it")
        if open_browser:
            import webbrowser

            webbrowser.open(address)

    server.serve(config, sock, ready=ready, write=write)


def loopback(host: str) -> bool:
    """Whether only this machine reaches the address."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
