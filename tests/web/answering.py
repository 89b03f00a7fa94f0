"""What all connections of the imitation web share: the world with its orders, and the true answer to every request."""

from __future__ import annotations

import traceback
from typing import TYPE_CHECKING

from .ca import Authority
from .faults import Fault, Faults
from .log import Log
from .wire import Frozen, Request, Response, freeze, html, plain, redirect
from .world import World

if TYPE_CHECKING:
    from .server import Connection

CACHED_PAGES = 20_000


class Web:
    """Everything that the connections share."""

    def __init__(self, world: World, authority: Authority) -> None:
        self.world, self.authority = world, authority
        self.faults, self.log = Faults(), Log()
        self.robots: dict[str, Fault] = {}
        self.connections: set[Connection] = set()
        self._cache: dict[tuple[str, ...], Frozen] = {}
        self._version = -1

    def answer(self, request: Request) -> Frozen:
        """The undisturbed answer: from the cache while the world stays as it is."""
        if self._version != self.world.version or len(self._cache) > CACHED_PAGES:
            self._cache.clear()
            self._version = self.world.version
        key = (request.url, request.headers.get("accept-encoding", ""), request.headers.get("x-requested-with", ""))
        frozen = self._cache.get(key) if request.method in ("GET", "HEAD") else None
        if frozen is None:
            frozen = freeze(self._render(request), request.headers.get("accept-encoding", ""))
            if request.method in ("GET", "HEAD"):
                self._cache[key] = frozen
        if frozen.status == 200 and (frozen.etag or frozen.modified is not None) and frozen.unchanged(request):
            return frozen.not_modified()
        return frozen

    def _render(self, request: Request) -> Response:
        site = self.world.hosts.get(request.host)
        if site is None:
            known = ", ".join(sorted(self.world.hosts))
            return plain(f"The imitation web does not play {request.host}. It plays: {known}\n", 502)
        if site.https_only and request.scheme == "http" and request.path != "/robots.txt":
            return redirect(f"https://{request.host}{request.target}")
        if request.path == "/robots.txt":
            return html("404", status=404) if site.robots is None else plain(site.robots)
        try:
            return site.respond(request)
        except Exception:  # a mistake in a site must be seen, by the client and by the developer
            traceback.print_exc()
            return plain(f"The imitation of {request.host} failed:\n{traceback.format_exc()}", 500)

    def drop(self, host: str) -> None:
        """Close the connections to a host, so that a new certificate order takes effect."""
        for connection in [one for one in self.connections if one.host == host]:
            connection.transport.abort()
