"""A certificate authority, and a port that ends TLS before a server without it."""

from __future__ import annotations

import asyncio
import ssl
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from types import TracebackType
from typing import Self

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

HOST = "localhost"
_CHUNK = 65_536
_LIFE = timedelta(days=1)
# PostgreSQL clients first ask whether the server speaks TLS. The answer S means yes.
_SSL_REQUEST_BYTES = 8
_SIGNS_CERTIFICATES = x509.KeyUsage(
    key_cert_sign=True,
    crl_sign=False,
    digital_signature=False,
    content_commitment=False,
    key_encipherment=False,
    data_encipherment=False,
    key_agreement=False,
    encipher_only=False,
    decipher_only=False,
)


class Authority:
    """An authority; `file` is its own certificate, to be trusted. `context` serves one for this machine."""

    def __init__(self, folder: Path, name: str) -> None:
        self.file = folder / f"{name}.pem"
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        own = self._certificate(self._subject, self._key.public_key(), None)
        self.file.write_bytes(own.sign(self._key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM))
        self.context = self.issue(HOST)

    def issue(self, host: str, *, has_expired: bool = False) -> ssl.SSLContext:
        """What a server needs to show a certificate for this host name."""
        server_key = ec.generate_private_key(ec.SECP256R1())
        server = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, host)])
        life = -timedelta(hours=1) if has_expired else _LIFE
        builder = self._certificate(server, server_key.public_key(), [host], life)
        signed = builder.sign(self._key, hashes.SHA256())
        chain = self.file.with_name(f"{self.file.stem}-{host}.pem")
        chain.write_bytes(
            signed.public_bytes(serialization.Encoding.PEM)
            + server_key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            )
        )
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(chain)
        return context

    def _certificate(
        self,
        subject: x509.Name,
        key: ec.EllipticCurvePublicKey,
        names: list[str] | None,
        life: timedelta = _LIFE,
    ) -> x509.CertificateBuilder:
        """Returns a certificate for `names`, or the authority's own one without them.

        It has all extensions of RFC 5280, since Python checks them from 3.13 on.
        """
        now = datetime.now(UTC)
        issuer = x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key())
        builder = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self._subject)
            .public_key(key)
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - _LIFE)
            .not_valid_after(now + life)
            .add_extension(x509.BasicConstraints(ca=names is None, path_length=None), critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
            .add_extension(issuer, critical=False)
        )
        if names is None:
            return builder.add_extension(_SIGNS_CERTIFICATES, critical=True)
        alternatives = [x509.IPAddress(ip_address("127.0.0.1")), *map(x509.DNSName, names)]
        return builder.add_extension(x509.SubjectAlternativeName(alternatives), critical=False)


class Terminator:
    """A port that speaks TLS and forwards to one that doesn't; it counts the connections."""

    def __init__(self, port: int, context: ssl.SSLContext, *, asks_first: bool) -> None:
        self.port = 0
        self.sessions = 0
        self._target = port
        self._context = context
        self._asks_first = asks_first
        self._running: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.close()
        for task in self._running:
            task.cancel()
        await asyncio.gather(*self._running, return_exceptions=True)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._running.add(task)
        task.add_done_callback(self._running.discard)
        # A client that doesn't trust the certificate leaves in the middle.
        with suppress(OSError, EOFError):
            if self._asks_first:
                await reader.readexactly(_SSL_REQUEST_BYTES)
                writer.write(b"S")
            await writer.start_tls(self._context)
            self.sessions += 1
            behind = await asyncio.open_connection("127.0.0.1", self._target)
            await asyncio.gather(_pump(reader, behind[1]), _pump(behind[0], writer))


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while data := await reader.read(_CHUNK):
            writer.write(data)
            await writer.drain()
    finally:
        writer.close()
