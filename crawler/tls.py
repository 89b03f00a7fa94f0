"""Certificates: always verified, against the system's authorities and, where set, those of one more file.

The further file is for the imitation web's own authority, or for a company's proxy that opens TLS.
"""

from __future__ import annotations

from typing import Any, cast

from OpenSSL import SSL
from scrapy.core.downloader.contextfactory import _ScrapyClientContextFactory
from twisted.internet._sslverify import IOpenSSLTrustRoot
from twisted.internet.ssl import optionsForClientTLS
from twisted.web.iweb import IPolicyForHTTPS
from zope.interface import implementer


@implementer(IOpenSSLTrustRoot)
class SystemAndFile:
    """The system's authorities and those in a PEM file."""

    def __init__(self, ca_file: str) -> None:
        self.ca_file = ca_file

    def _addCACertsToContext(self, context: SSL.Context) -> None:
        context.set_default_verify_paths()
        if self.ca_file:
            context.load_verify_locations(self.ca_file)


@implementer(IPolicyForHTTPS)
class VerifyingContextFactory(_ScrapyClientContextFactory):
    """Scrapy's TLS settings with verification that cannot be switched off.

    The options of a host are kept: reading the system's authorities takes milliseconds, on the event loop.
    """

    def __init__(self, *args: Any, ca_file: str = "", **kwargs: Any) -> None:
        kwargs["verify_certificates"] = True
        super().__init__(*args, **kwargs)
        self._trust = SystemAndFile(ca_file)
        self._creators: dict[str, Any] = {}

    def creatorForNetloc(self, hostname: bytes | str, port: int) -> Any:
        name = hostname.decode("ascii") if isinstance(hostname, bytes) else hostname
        if name not in self._creators:
            self._creators[name] = optionsForClientTLS(
                hostname=name, trustRoot=cast(Any, self._trust), extraCertificateOptions=self._get_cert_options_kwargs()
            )
        return self._creators[name]
