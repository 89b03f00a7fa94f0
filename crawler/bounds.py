"""How far a crawl may go: the hosts of its source and nothing else, and never an address that isn't public.

Checked before every request, so also after a redirect and for robots.txt. Names are checked again where they become
addresses (`PublicResolver`): the connection uses the very address that was checked, so a name that changes its answer
between check and use gains nothing. Through a proxy the names are resolved by the proxy; then only literal addresses
can be refused here, and the proxy itself is the one address that may be private, because it was set explicitly.
"""

from __future__ import annotations

import ipaddress
import socket
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from scrapy.resolver import CachingThreadedResolver
from twisted.internet.error import DNSLookupError

if TYPE_CHECKING:
    from twisted.internet.base import ReactorBase
    from twisted.internet.defer import Deferred

Refusal = tuple[str, str]

PORTS = {"http": 80, "https": 443}
# RFC 6761 and 6762: names that never leave the machine or its network
LOCAL_NAMES = ("localhost", "local", "internal", "localdomain", "home.arpa", "lan")


def is_public(address: str) -> bool:
    """Whether this IP address is of the public internet; IPv4 inside IPv6 is looked into."""
    try:
        ip = ipaddress.ip_address(address.split("%")[0])
    except ValueError:
        return False
    if isinstance(ip, ipaddress.IPv6Address):
        inner = ip.ipv4_mapped or ip.sixtofour or (ip.teredo[1] if ip.teredo else None)
        if inner is None and ip in ipaddress.ip_network("64:ff9b::/96"):
            inner = ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF)
        if inner is not None:
            return is_public(str(inner))
    return ip.is_global and not (ip.is_multicast or ip.is_reserved or ip.is_unspecified)


def literal_address(host: str) -> str | None:
    """The IP address that a host of a URL is, in any spelling a resolver takes (10.1, 0x7f000001, 2130706433)."""
    bare = host.strip("[]").rstrip(".")
    try:
        return str(ipaddress.ip_address(bare.split("%")[0]))
    except ValueError:
        pass
    try:
        return socket.inet_ntoa(socket.inet_aton(bare)) if bare and bare[0].isdigit() else None
    except OSError:
        return None


def ports_of(source: Any) -> frozenset[int]:
    """The ports that a source may be asked at: the usual two, and those that its configuration spells out."""
    urls = [getattr(source, "base_url", "") or ""]
    urls += [getattr(entry, "url", "") or "" for entry in getattr(source, "lists", None) or ()]
    found = set(PORTS.values())
    for url in urls:
        try:
            found.add(urlsplit(url).port or 0)
        except ValueError:
            continue
    return frozenset(found - {0})


class Bounds:
    """The bounds of one source. `check` is asked once per request and remembers its answer per host."""

    def __init__(self, source: Any) -> None:
        self.source = source
        self.ports = ports_of(source)
        self._answers: dict[str, Refusal | None] = {}

    def check(self, url: str) -> Refusal | None:
        """None, or (outcome, reason in words) for a URL that must not be asked for."""
        scheme, _, rest = url.partition("://")
        origin = f"{scheme}://{rest.partition('/')[0].partition('?')[0].partition('#')[0]}"
        if origin not in self._answers:
            self._answers[origin] = self._judge(origin)
        return self._answers[origin]

    def _judge(self, origin: str) -> Refusal | None:
        try:
            parts = urlsplit(origin)
            host, port = (parts.hostname or "").rstrip("."), parts.port or PORTS.get(parts.scheme, 0)
        except ValueError:
            return "wrong-host", f"{origin[:200]} is not a proper address"
        if parts.scheme not in PORTS or not host:
            return "wrong-host", f"{parts.scheme or 'no scheme'}: only http and https are fetched"
        if parts.username is not None or parts.password is not None:
            return "wrong-host", "an address with a user name in it is not fetched"
        address = literal_address(host)
        if address is not None and not is_public(address):
            return "private-address", f"{host} is not an address of the public internet"
        if address is None and any(host == name or host.endswith(f".{name}") for name in LOCAL_NAMES):
            return "private-address", f"{host} is a name of the local network"
        if not self.source.allows(host):
            return (
                "wrong-host",
                f"{host} is not among the hosts of this source; add it to allowed_hosts if it should be",
            )
        if port not in self.ports:
            return "wrong-host", f"port {port} of {host} is not one that this source is read at"
        return None


class PrivateAddressError(DNSLookupError):
    """A name that leads to an address which is not public."""


class PublicResolver(CachingThreadedResolver):
    """Scrapy's resolver that gives no private address, except for the names that were set explicitly (the proxy's)."""

    exempt: frozenset[str] = frozenset()
    # name -> address, for the reason in words: Twisted's endpoint drops the exception on the way
    refused: dict[str, str] = {}  # noqa: RUF012

    def __init__(self, reactor: ReactorBase, cache_size: int, timeout: float) -> None:
        super().__init__(reactor, cache_size, timeout)

    def getHostByName(self, name: str, timeout: Any = ()) -> Deferred[str]:
        d = super().getHostByName(name, timeout)
        if name not in self.exempt:
            d.addCallback(self._only_public, name)
        return d

    def _only_public(self, address: str, name: str) -> str:
        if not is_public(address):
            type(self).refused[name] = address
            raise PrivateAddressError(f"{name} leads to {address}, which is not an address of the public internet")
        type(self).refused.pop(name, None)
        return address
