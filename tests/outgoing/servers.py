"""A server on loopback whose answers are scripts, byte by byte, and clients that may reach it."""

from __future__ import annotations

import asyncio
import contextlib
import re
import socket
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from ipaddress import ip_network
from pathlib import Path

import pytest

from chat_api.outgoing import resolver
from chat_api.outgoing.client import Answer, OutgoingClient, OutgoingError
from chat_api.outgoing.settings import OutgoingSettings
from chat_api.outgoing.slots import Limits
from tests.integration.tls import HOST
from tests.waiting import until

Script = Callable[[asyncio.StreamWriter], Awaitable[None]]
LOOPBACK = OutgoingSettings(loopback=True)
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
BODY = b'{"a": 1}'
WAIT_S = 10.0


class Server:
    """What a scripted server got."""

    def __init__(self, script: Script) -> None:
        self._script = script
        self.port = 0
        self.connections = 0
        self.requests: list[bytes] = []
        self.running: set[asyncio.StreamWriter] = set()

    @property
    def url(self) -> str:
        """Its URL without TLS."""
        return f"http://127.0.0.1:{self.port}/hook"

    def tls_url(self, host: str = HOST) -> str:
        """Its URL with TLS."""
        return f"https://{host}:{self.port}/hook"

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answers each request of a connection with the script."""
        self.running.add(writer)
        self.connections += 1
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                length = re.search(rb"content-length: (\d+)", head.lower())
                body = await reader.readexactly(int(length[1])) if length else b""
                self.requests.append(head + body)
                await self._script(writer)
        except (OSError, EOFError):
            # The client is gone, or the script ends the connection.
            writer.close()
        finally:
            self.running.discard(writer)


@contextlib.asynccontextmanager
async def serving(script: Script, context: ssl.SSLContext | None = None) -> AsyncIterator[Server]:
    """Runs a server on loopback."""
    server = Server(script)
    listening = await asyncio.start_server(server.serve, "127.0.0.1", 0, ssl=context)
    server.port = listening.sockets[0].getsockname()[1]
    try:
        yield server
    finally:
        listening.close()
        for writer in server.running:
            writer.transport.abort()
        await until(lambda: not server.running)


def saying(*parts: bytes, then_closes: bool = False) -> Script:
    """Sends these bytes."""

    async def script(writer: asyncio.StreamWriter) -> None:
        for part in parts:
            writer.write(part)
            await writer.drain()
        if then_closes:
            raise EOFError

    return script


def repeating(start: bytes, part: bytes, pause_s: float = 0) -> Script:
    """Sends `part` for ever."""

    async def script(writer: asyncio.StreamWriter) -> None:
        writer.write(start)
        while True:
            writer.write(part)
            await writer.drain()
            await asyncio.sleep(pause_s)

    return script


@contextlib.asynccontextmanager
async def client_with(
    settings: OutgoingSettings = LOOPBACK, limits: Limits | None = None
) -> AsyncIterator[OutgoingClient]:
    """A client that runs."""
    client = OutgoingClient(settings, "webhooks", limits)
    await client.start()
    try:
        yield client
    finally:
        await client.stop()


async def post(client: OutgoingClient, url: str, timeout_s: float = WAIT_S) -> Answer:
    """Posts a small body."""
    headers = {"Content-Type": "application/json", "webhook-signature": "v1,c2VjcmV0"}
    return await client.post(url, BODY, headers, timeout_s=timeout_s)


async def failure(client: OutgoingClient, url: str, timeout_s: float = WAIT_S) -> str:
    """Posts, and returns the failure."""
    with pytest.raises(OutgoingError) as failed:
        await post(client, url, timeout_s)
    assert url not in repr(failed.value)
    # A traceback that is logged shows nothing of what aiohttp says.
    assert failed.value.__cause__ is failed.value.__context__ is None
    return failed.value.failure


def trusting(authority_file: Path, *networks: str) -> OutgoingSettings:
    """Settings with an authority and networks that are allowed."""
    return OutgoingSettings(networks=tuple(map(ip_network, networks)), ca_file=str(authority_file))


class Names:
    """Stands in for DNS: answers each look-up of a name with the next addresses, the last ones for ever."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.answers: dict[str, list[list[str]]] = {}
        self.asked: list[str] = []
        monkeypatch.setattr(resolver, "look_up", self._look_up)

    def _look_up(self, host: str, port: int, family: int) -> list[tuple[socket.AddressFamily, str]]:
        self.asked.append(host)
        if host not in self.answers:
            raise socket.gaierror(socket.EAI_NONAME, "unknown")
        answers = self.answers[host]
        addresses = answers.pop(0) if len(answers) > 1 else answers[0]
        return [(socket.AF_INET6 if ":" in one else socket.AF_INET, one) for one in addresses]
