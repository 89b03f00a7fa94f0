"""Orders to misbehave: which addresses, in what way, how often."""

from __future__ import annotations

import base64
import itertools
import re
from dataclasses import dataclass, field, fields
from typing import Any

from .ca import BAD

_ids = itertools.count(1)


class FaultError(ValueError):
    """A fault that means nothing, with the reason in one sentence."""


@dataclass
class Fault:
    """One order. `pattern` is an address with * as wildcard, or "re:" and a regular expression.

    What it does, in the order in which it happens (several may be combined):
    certificate  serve a bad certificate to the host: "unknown-ca" (also True), "expired", "wrong-host"
    connect      act on the proxy's CONNECT already: "refuse" (502), "hang", "reset"
    delay        seconds before the first byte
    hang         True: never answer; "body": stop for ever in the middle of the body
    reset        True: RST instead of an answer; "body": RST in the middle of the body
    status       answer with this status (body: `body`, else a short page)
    redirect     answer 302 (or `status`) to this address
    body, body_base64   answer with this body (status 200 unless given)
    size         answer with so many bytes of filler, made as it is sent
    headers      set these headers; null removes one
    raw_base64   send exactly these bytes, head and all, then close
    truncate     close after so many bytes of the body (int) or this part of it (float below 1)
    slow         bytes a second
    times, after how often (None: always), and how many matching requests to let pass first
    """

    pattern: str
    certificate: str | bool = ""
    connect: str = ""
    delay: float = 0.0
    hang: bool | str = False
    reset: bool | str = False
    status: int | None = None
    redirect: str | None = None
    body: str | None = None
    body_base64: str | None = None
    size: int | None = None
    headers: dict[str, str | None] = field(default_factory=dict)
    raw_base64: str | None = None
    truncate: float | None = None
    slow: float | None = None
    times: int | None = None
    after: int = 0
    id: int = field(default_factory=lambda: next(_ids))
    hits: int = 0

    def __post_init__(self) -> None:
        if self.certificate is True:
            self.certificate = "unknown-ca"
        if self.certificate and self.certificate not in BAD:
            raise FaultError(f"certificate must be one of {', '.join(BAD)}, not {self.certificate!r}")
        if self.connect not in ("", "refuse", "hang", "reset"):
            raise FaultError(f"connect must be refuse, hang or reset, not {self.connect!r}")
        for name in ("hang", "reset"):
            if getattr(self, name) not in (True, False, "body"):
                raise FaultError(f'{name} must be true or "body", not {getattr(self, name)!r}')
        try:
            self._regex = re.compile(
                self.pattern[3:] if self.pattern.startswith("re:") else re.escape(self.pattern).replace(r"\*", ".*")
            )
        except re.error as error:
            raise FaultError(f"pattern {self.pattern!r}: {error}") from None

    @classmethod
    def of(cls, data: dict[str, Any]) -> Fault:
        known = {one.name for one in fields(cls)} - {"id", "hits"}
        unknown = sorted(set(data) - known)
        if unknown or "pattern" not in data:
            raise FaultError(f"unknown fault {unknown[0]!r}" if unknown else "a fault needs a pattern")
        return cls(**data)

    def matches(self, url: str) -> bool:
        full = self._regex.search if self.pattern.startswith("re:") else self._regex.fullmatch
        return full(url) is not None

    def covers_host(self, host: str) -> bool:
        """For what is decided before an address is known (CONNECT, certificate)."""
        address = re.sub(r"^\w*\*?://", "", self.pattern) if not self.pattern.startswith("re:") else self.pattern
        if self.pattern.startswith("re:"):
            return self.matches(f"https://{host}/")
        wanted = re.escape(address.split("/")[0]).replace(r"\*", ".*")
        return re.fullmatch(wanted, host) is not None

    def spend(self) -> bool:
        """Count a match; False where it is not this one's turn."""
        self.hits += 1
        turn = self.hits - self.after
        return turn > 0 and (self.times is None or turn <= self.times)

    @property
    def spent(self) -> bool:
        return self.times is not None and self.hits - self.after >= self.times

    @property
    def early(self) -> bool:
        return bool(self.connect or self.certificate)

    @property
    def content(self) -> bytes | None:
        if self.body_base64 is not None:
            return base64.b64decode(self.body_base64)
        return None if self.body is None else self.body.encode()

    @property
    def raw(self) -> bytes | None:
        return None if self.raw_base64 is None else base64.b64decode(self.raw_base64)


class Faults:
    """All orders in force; the newest that matches wins."""

    def __init__(self) -> None:
        self.all: list[Fault] = []

    def add(self, fault: Fault) -> None:
        self.all.insert(0, fault)

    def clear(self, pattern: str | None = None) -> int:
        before = len(self.all)
        self.all = [one for one in self.all if pattern is not None and one.pattern != pattern]
        return before - len(self.all)

    def for_request(self, url: str) -> Fault | None:
        return next((one for one in self.all if not one.early and one.matches(url) and one.spend()), None)

    def for_connect(self, host: str) -> Fault | None:
        return next((one for one in self.all if one.connect and one.covers_host(host) and one.spend()), None)

    def certificate(self, host: str) -> str:
        found = next((one for one in self.all if one.certificate and one.covers_host(host) and one.spend()), None)
        return str(found.certificate) if found else ""


def robots_fault(host: str, order: dict[str, Any]) -> Fault:
    """robots.txt of a host with its own fate: text, status, redirect, hang, reset, delay."""
    known = {"text": "body", "status": "status", "redirect": "redirect", "hang": "hang", "reset": "reset"}
    known |= {"delay": "delay", "times": "times", "truncate": "truncate", "size": "size"}
    unknown = sorted(set(order) - set(known))
    if unknown:
        raise FaultError(f"robots cannot do {unknown[0]!r}; it can {', '.join(sorted(known))}")
    given = {known[name]: value for name, value in order.items() if value is not None}
    headers: dict[str, str | None] = {"Content-Type": "text/plain"} if "body" in given else {}
    return Fault(pattern=f"re:^https?://{re.escape(host)}/robots\\.txt$", headers=headers, **given)
