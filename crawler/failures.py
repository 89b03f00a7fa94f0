"""How an exchange failed, in one of the words of `pipelines.outcomes` and in a sentence that users understand."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from OpenSSL.SSL import Error as TLSError
from scrapy.core.downloader.handlers.http11 import TunnelError
from scrapy.exceptions import (
    CannotResolveHostError,
    DownloadCancelledError,
    DownloadConnectionRefusedError,
    DownloadFailedError,
    DownloadTimeoutError,
    IgnoreRequest,
)
from service_identity import VerificationError
from service_identity.exceptions import CertificateError
from twisted.internet.error import ConnectError
from twisted.internet.error import TimeoutError as ConnectTimeout

if TYPE_CHECKING:
    from scrapy.http import Response

# Not sent, or answered with a clear no: counted as refused, never worked around.
REFUSALS = frozenset({"robots", "forbidden", "challenge", "login", "paywall", "wrong-host", "private-address"})


class ExchangeFailed(IgnoreRequest):
    """An exchange that gave no usable response. `response` is there where something came (an error page, cut-off bytes)."""

    def __init__(self, outcome: str, reason: str, response: Response | None = None) -> None:
        super().__init__(f"{outcome}: {reason}")
        self.outcome, self.reason, self.response = outcome, reason, response


class Stopped(ExchangeFailed):
    """The crawl is ending; nothing was recorded, the entry stays as it was."""

    def __init__(self) -> None:
        super().__init__("stopped", "the crawl was stopped")


def of_exception(error: BaseException, timeout: float) -> tuple[str, str]:
    """(outcome, reason) of a download that ended in an exception."""
    causes = list(_causes(error))
    certificate = next((c for c in causes if _is_certificate(c)), None)
    if certificate is not None:
        return "certificate", f"the certificate is not to be trusted: {_tls_words(certificate)}"
    if isinstance(error, (DownloadTimeoutError, ConnectTimeout)):
        return "timeout", f"no complete answer within {timeout:g} seconds"
    if isinstance(error, CannotResolveHostError):
        return "dns", "the name of the host has no address"
    if isinstance(error, DownloadConnectionRefusedError):
        return "reset", "the connection was refused"
    if isinstance(error, DownloadCancelledError):
        return "too-large", "the answer is larger than max_body_bytes allows"
    if isinstance(error, TunnelError):
        return "reset", f"the proxy gave no tunnel: {_short(error)}"
    if isinstance(error, (DownloadFailedError, ConnectError, ConnectionError)) or any(
        isinstance(c, ConnectionError) for c in causes
    ):
        return "reset", f"the connection broke off before the answer was complete ({_short(causes[-1])})"
    return "reset", f"the exchange failed: {type(error).__name__}: {_short(error)}"


def _causes(error: BaseException) -> Any:
    """The exception, its causes, and the exceptions inside Twisted's ResponseFailed, depth first."""
    todo: list[BaseException | None] = [error]
    seen: set[int] = set()
    while todo:
        e = todo.pop()
        if e is None or id(e) in seen:
            continue
        seen.add(id(e))
        yield e
        todo.append(e.__cause__)
        todo.extend(getattr(reason, "value", None) for reason in getattr(e, "reasons", None) or ())


def _is_certificate(error: BaseException) -> bool:
    if isinstance(error, (CertificateError, VerificationError)):
        return True
    return isinstance(error, TLSError) and "certificate" in str(error).lower()


def _tls_words(error: BaseException) -> str:
    if isinstance(error, TLSError):
        parts = [str(p) for entry in (error.args[0] if error.args else ()) if isinstance(entry, tuple) for p in entry]
        return "; ".join(p for p in parts if p) or "unknown reason"
    if isinstance(error, VerificationError):
        return "it was made out for another host"
    return _short(error)


def _short(error: BaseException) -> str:
    text = " ".join(str(error).split()) or type(error).__name__
    return text[:200]
