"""The control port: orders to the running server as JSON over HTTP, one path per order."""

from __future__ import annotations

import asyncio
import datetime as dt
import json
from collections.abc import Callable
from dataclasses import asdict
from typing import Any

from .answering import Web
from .bulk import bulk, filler
from .documents import DocumentError
from .faults import Fault, FaultError, robots_fault
from .wire import as_json as json_response
from .wire import freeze, parse_headers


class Orders:
    """Carries out what arrives on the control port; each method takes the JSON body and returns JSON."""

    def __init__(self, web: Web, about: dict[str, Any]) -> None:
        self.web, self.about = web, about
        self.paths: dict[str, Callable[[dict[str, Any]], Any]] = {
            "/": lambda order: self.about | {"orders": sorted(self.paths), "today": web.world.today.isoformat()},
            "/fault": self.fault,
            "/faults": lambda order: [asdict(one) for one in web.faults.all],
            "/clear-faults": self.clear_faults,
            "/robots": self.robots,
            "/add": lambda order: web.world.add(order).key,
            "/change": lambda order: web.world.change(order["key"], order["changes"]).key,
            "/remove": lambda order: web.world.remove(order["key"]),
            "/bulk": lambda order: web.world.add_many(
                bulk(order["source"], order["count"], web.world, order.get("section"))
            ),
            "/filler": lambda order: web.world.add_many(filler(web.world)),
            "/today": self.today,
            "/option": self.option,
            "/documents": lambda order: web.world.describe(),
            "/problems": lambda order: web.world.problems,
            "/log": lambda order: web.log.since(
                int(order.get("since", 0)), order.get("host"), bool(order.get("connects"))
            ),
            "/clear-log": lambda order: web.log.clear(),
            "/hosts": lambda order: sorted(web.world.hosts),
        }

    def fault(self, order: dict[str, Any]) -> int:
        fault = Fault.of(order)
        self.web.faults.add(fault)
        if fault.certificate:
            for host in self.web.world.hosts:
                if fault.covers_host(host):
                    self.web.drop(host)
        return fault.id

    def clear_faults(self, order: dict[str, Any]) -> int:
        for host in self.web.world.hosts:  # a connection with a bad certificate must not outlive its order
            if any(one.certificate and one.covers_host(host) for one in self.web.faults.all):
                self.web.drop(host)
        if order.get("pattern") is None:
            self.web.robots.clear()
        return self.web.faults.clear(order.get("pattern"))

    def robots(self, order: dict[str, Any]) -> None:
        order = dict(order)
        host = str(order.pop("host")).lower()
        self.web.robots.pop(host, None)
        if order:
            self.web.robots[host] = robots_fault(host, order)

    def today(self, order: dict[str, Any]) -> str:
        day = order.get("date")
        self.web.world.set_today(dt.date.fromisoformat(day) if day else None)
        return self.web.world.today.isoformat()

    def option(self, order: dict[str, Any]) -> None:
        """Ways in which a site can be made to answer, for example govcn_shape=catmap."""
        self.web.world.options[order["name"]] = order.get("value")
        self.web.world.version += 1

    def carry_out(self, path: str, body: bytes) -> tuple[int, Any]:
        if path not in self.paths:
            return 404, {"error": f"no order {path}; there are {', '.join(sorted(self.paths))}"}
        try:
            order = json.loads(body) if body else {}
            return 200, self.paths[path](order)
        except (DocumentError, FaultError) as error:
            return 400, {"error": str(error)}
        except KeyError as error:
            return 400, {"error": f"{path} needs {error}"}
        except (TypeError, ValueError) as error:
            return 400, {"error": f"{path}: {error}"}


async def serve_orders(orders: Orders, port: int) -> asyncio.Server:
    async def client(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                head = (await reader.readuntil(b"\r\n\r\n"))[:-4]
                headers = parse_headers(head)
                path = head.split(b" ")[1].decode().split("?")[0]
                body = await reader.readexactly(int(headers.get("content-length", "0")))
                status, answer = orders.carry_out(path, body)
                await asyncio.sleep(0.01)  # connections that it dropped are closed before the answer says so
                response = json_response(answer) if status == 200 else json_response(answer, status=status)
                frozen = freeze(response)
                writer.write(frozen.head + b"\r\n" + frozen.payload)
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError, IndexError, asyncio.LimitOverrunError):
            pass
        finally:
            writer.close()

    return await asyncio.start_server(client, "127.0.0.1", port)
