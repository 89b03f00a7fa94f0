"""python -m tests.web: run the imitation web by itself, so that any tool can be pointed at it."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import datetime as dt
import json
import os
import signal
import sys
import tempfile
import threading
from pathlib import Path

from .answering import Web
from .bulk import bulk, filler
from .ca import Authority
from .documents import FOLDER
from .orders import Orders, serve_orders
from .server import listen, port_of
from .world import World

GUIDE = """\
The imitation web plays {hosts} hosts with {documents} documents on {today}. Ctrl-C ends it.
  curl      curl -x {proxy} --cacert {ca_file} https://www.ndrc.gov.cn/xxgk/zcfb/tz/index.html
  Scrapy    http_proxy={proxy} https_proxy={proxy} SSL_CERT_FILE={ca_file} scrapy shell https://www.ndrc.gov.cn/xxgk/zcfb/tz/index.html
  product   export CIRCULARWATCH_PROXY={proxy} CIRCULARWATCH_CA_FILE={ca_file} CIRCULARWATCH_CONTACT=demo@example.org CIRCULARWATCH_DELAY=0
  orders    curl {control}/ lists them; for example
            curl {control}/fault -d '{{"pattern": "https://www.ndrc.gov.cn/*", "status": 503, "times": 2}}'
            curl {control}/log
"""


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.web", description=__doc__)
    parser.add_argument("--port", type=int, default=0, help="port of the proxy on 127.0.0.1 (default: any free one)")
    parser.add_argument("--control-port", type=int, default=0, help="port that takes orders (default: any free one)")
    parser.add_argument(
        "--ca-dir", type=Path, help="where the certificate authority is kept (default: a temporary folder)"
    )
    parser.add_argument(
        "--today",
        type=dt.date.fromisoformat,
        help="day to which days_ago counts, YYYY-MM-DD (default: today in Beijing)",
    )
    parser.add_argument("--documents", type=Path, default=FOLDER, help="folder of document files")
    parser.add_argument("--no-documents", action="store_true", help="start with none")
    parser.add_argument(
        "--filler",
        action="store_true",
        help="add neutral documents until each source's list is as long as sources.yaml expects",
    )
    parser.add_argument(
        "--bulk",
        action="append",
        default=[],
        metavar="SOURCE=N",
        help="add N generated documents to a source; repeatable",
    )
    parser.add_argument(
        "--until-stdin-closes",
        action="store_true",
        help="end when standard input does, that is with the process that started this",
    )
    parser.add_argument("--quiet", action="store_true", help="say nothing on standard error but troubles")
    return parser.parse_args()


def make_world(options: argparse.Namespace) -> World:
    world = World(options.today, None if options.no_documents else options.documents)
    for order in options.bulk:
        source, _, count = order.partition("=")
        if source not in world.sections or not count.isdigit():
            sys.exit(f"--bulk {order}: say SOURCE=N with a source of {', '.join(sorted(world.sections))}")
        world.add_many(bulk(source, int(count), world))
    if options.filler:
        world.add_many(filler(world))
    world.complain()
    return world


def end_with_stdin(loop: asyncio.AbstractEventLoop, ended: asyncio.Event) -> None:
    def watch() -> None:
        with contextlib.suppress(OSError, ValueError):
            while os.read(0, 4096):
                pass
        with contextlib.suppress(RuntimeError):
            loop.call_soon_threadsafe(ended.set)

    threading.Thread(target=watch, daemon=True).start()


async def serve(options: argparse.Namespace, ca_dir: Path) -> None:
    web = Web(make_world(options), Authority(ca_dir))
    proxy = await listen(web, options.port)
    about = {"proxy": f"http://127.0.0.1:{port_of(proxy)}", "control": "", "ca_file": str(web.authority.ca_file)}
    control = await serve_orders(Orders(web, about), options.control_port)
    about["control"] = f"http://127.0.0.1:{port_of(control)}"
    loop, ended = asyncio.get_running_loop(), asyncio.Event()
    for name in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(name, ended.set)
    print(json.dumps(about), flush=True)
    if not options.quiet:
        told = {"hosts": len(web.world.hosts), "documents": len(web.world.docs), "today": web.world.today}
        print(GUIDE.format(**about, **told), file=sys.stderr, flush=True)
    if options.until_stdin_closes:
        end_with_stdin(loop, ended)
    await ended.wait()
    proxy.close()
    control.close()
    for connection in list(web.connections):
        connection.transport.abort()


def main() -> None:
    options = arguments()
    try:
        if options.ca_dir:
            asyncio.run(serve(options, options.ca_dir.resolve()))
        else:
            with tempfile.TemporaryDirectory(prefix="imitation-web-") as folder:
                asyncio.run(serve(options, Path(folder)))
    except OSError as error:
        sys.exit(f"imitation web: cannot start: {error}")


if __name__ == "__main__":
    main()
