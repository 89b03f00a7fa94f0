"""The imitation web's own certificate authority: one CA, a certificate per host, and bad ones on request."""

from __future__ import annotations

import datetime as dt
import fcntl
import os
import ssl
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

#: ways in which a served certificate can be wrong (the fault "certificate")
BAD = ("unknown-ca", "expired", "wrong-host")


class Authority:
    """Makes and keeps certificates in `folder`; `ca_file` is what a client has to trust."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        self.ca_file = folder / "ca.pem"
        self._contexts: dict[tuple[str, str], ssl.SSLContext] = {}
        self._issuers: dict[str, tuple[x509.Certificate, ec.EllipticCurvePrivateKey]] = {}
        with open(folder / ".lock", "w") as lock:  # two servers on one folder must agree on the CA
            fcntl.flock(lock, fcntl.LOCK_EX)
            self._trusted = self._load() or self._create()
        self._key = ec.generate_private_key(ec.SECP256R1())

    def context(self, host: str, bad: str = "") -> ssl.SSLContext:
        """A server-side TLS context for `host`; `bad` is one of BAD or empty."""
        if (host, bad) not in self._contexts:
            self._contexts[host, bad] = self._context(host, bad)
        return self._contexts[host, bad]

    def _load(self) -> tuple[x509.Certificate, ec.EllipticCurvePrivateKey] | None:
        """The CA of an earlier run, unless it is missing, broken or about to end."""
        try:
            certificate = x509.load_pem_x509_certificate(self.ca_file.read_bytes())
            key = serialization.load_pem_private_key((self.folder / "ca.key").read_bytes(), None)
        except (OSError, ValueError):
            return None
        soon = dt.datetime.now(dt.UTC) + dt.timedelta(days=7)
        return (certificate, key) if certificate.not_valid_after_utc > soon else None  # type: ignore[return-value]

    def _create(self) -> tuple[x509.Certificate, ec.EllipticCurvePrivateKey]:
        key = ec.generate_private_key(ec.SECP256R1())
        certificate = _sign("circularwatch imitation CA", key, None)
        _write(self.folder / "ca.key", _pem(key))
        _write(self.ca_file, certificate.public_bytes(serialization.Encoding.PEM), mode=0o644)
        return certificate, key

    def _issuer(self, bad: str) -> tuple[x509.Certificate, ec.EllipticCurvePrivateKey]:
        if bad != "unknown-ca":
            return self._trusted
        if bad not in self._issuers:
            key = ec.generate_private_key(ec.SECP256R1())
            self._issuers[bad] = _sign("nobody's CA", key, None), key
        return self._issuers[bad]

    def _context(self, host: str, bad: str) -> ssl.SSLContext:
        name = "elsewhere.invalid" if bad == "wrong-host" else host
        leaf = _sign(name, self._key, self._issuer(bad), expired=bad == "expired")
        file = self.folder / f".leaf-{os.getpid()}.pem"  # ssl reads certificates only from files
        _write(file, leaf.public_bytes(serialization.Encoding.PEM) + _pem(self._key))
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.set_alpn_protocols(["http/1.1"])
        try:
            context.load_cert_chain(file)
        finally:
            file.unlink()
        return context


def _sign(
    name: str,
    key: ec.EllipticCurvePrivateKey,
    issuer: tuple[x509.Certificate, ec.EllipticCurvePrivateKey] | None,
    expired: bool = False,
) -> x509.Certificate:
    """A certificate for `name`: of a CA when `issuer` is None, else of a host."""
    now = dt.datetime.now(dt.UTC)
    start, end = now - dt.timedelta(days=30), now + dt.timedelta(days=-1 if expired else 365)
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name[:64])])
    signer, signing_key = (issuer[0].subject, issuer[1]) if issuer else (subject, key)
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(signer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(start)
        .not_valid_after(end)
        .add_extension(x509.BasicConstraints(ca=issuer is None, path_length=None), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(signing_key.public_key()), critical=False)
    )
    if issuer is None:
        builder = builder.add_extension(_usage(sign=True), critical=True)
    else:
        builder = (
            builder.add_extension(_usage(sign=False), critical=True)
            .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
            .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        )
    return builder.sign(signing_key, hashes.SHA256())


def _usage(sign: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=True,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=sign,
        crl_sign=sign,
        encipher_only=False,
        decipher_only=False,
    )


def _pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def _write(file: Path, content: bytes, mode: int = 0o600) -> None:
    """Written aside and renamed, so that two servers sharing a folder never see half a file."""
    aside = file.with_name(f"{file.name}.{os.getpid()}")
    aside.write_bytes(content)
    aside.chmod(mode)
    aside.replace(file)
