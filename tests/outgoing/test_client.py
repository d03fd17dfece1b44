"""What callers get of answers, connections that are used again, a proxy, and the figures."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
from pathlib import Path

import pytest
from prometheus_client import REGISTRY

from chat_api.outgoing.client import FAILURES, OutgoingClient
from chat_api.outgoing.settings import OutgoingSettings
from messenger_shared.settings.environment import SettingsError
from tests.integration.tls import Authority
from tests.outgoing.servers import BODY, OK, Names, client_with, failure, post, saying, serving, trusting


async def test_an_answer_has_status_some_headers_and_the_start_of_the_body() -> None:
    head = b"HTTP/1.1 429 Slow\r\nRetry-After: 7\r\nContent-Type: text/plain\r\nX-Other: a\r\n"
    async with serving(saying(head, b"Content-Length: 2\r\n\r\nno")) as server, client_with() as client:
        answer = await post(client, server.url + "?a=b#c")
        assert (answer.status, answer.body) == (429, b"no")
        assert answer.headers == {"retry-after": "7", "content-type": "text/plain"}
        assert (await client.post(server.url, BODY, {}, timeout_s=5, body_bytes=1)).body == b"n"
        first = server.requests[0]
        assert first.startswith(b"POST /hook?a=b HTTP/1.1\r\n")
        assert first.endswith(b"\r\n\r\n" + BODY)
        assert b"webhook-signature: v1,c2VjcmV0\r\n" in first
        assert b"User-Agent: Messenger\r\n" in first


async def test_connections_are_used_again() -> None:
    async with serving(saying(OK)) as server, client_with() as client:
        for _ in range(3):
            assert (await post(client, server.url)).body == b"ok"
        assert (server.connections, len(server.requests)) == (1, 3)


async def test_a_proxy_that_the_setting_names_connects(tmp_path: Path, names: Names) -> None:
    authority = Authority(tmp_path, "ours")
    names.answers = {"proxy.internal": [["127.0.0.1"]]}
    async with serving(saying(OK), authority.issue("hooks.example")) as server:

        async def tunnel(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            asked.append(await reader.readuntil(b"\r\n\r\n"))
            inside = await asyncio.open_connection("127.0.0.1", server.port)
            writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
            with contextlib.suppress(OSError), contextlib.closing(writer), contextlib.closing(inside[1]):
                await asyncio.wait(
                    [
                        asyncio.create_task(pump(reader, inside[1])),
                        asyncio.create_task(pump(inside[0], writer)),
                    ],
                    return_when=asyncio.FIRST_COMPLETED,
                )

        asked: list[bytes] = []
        proxy = await asyncio.start_server(tunnel, "127.0.0.1", 0)
        url = f"http://user:secret@proxy.internal:{proxy.sockets[0].getsockname()[1]}"
        settings = dataclasses.replace(trusting(authority.file), proxy=url)
        async with proxy, client_with(settings) as client:
            assert (await post(client, "https://hooks.example/")).status == 200
            # The proxy looks the name up.
            assert names.asked == ["proxy.internal"]
            assert asked[0].startswith(b"CONNECT hooks.example:443 HTTP/1.1\r\n")
            assert b"Proxy-Authorization: Basic " in asked[0]
            assert b"proxy-authorization" not in server.requests[0].lower()
            # Addresses in URLs, and this machine's name, are refused as ever.
            for refused in ("https://127.0.0.1/", "https://localhost/", "https://10.0.0.1/"):
                assert await failure(client, refused) == "refused_address"
    async with serving(saying(b"HTTP/1.1 403 No\r\nContent-Length: 0\r\n\r\n")) as refusing:
        settings = OutgoingSettings(proxy=f"http://proxy.internal:{refusing.port}")
        async with client_with(settings) as client:
            assert await failure(client, "https://hooks.example/") == "connect"


async def pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(65_536):
        writer.write(data)


def count(outcome: str) -> float:
    labels = {"purpose": "webhooks", "outcome": outcome}
    return REGISTRY.get_sample_value("messenger_outgoing_requests_total", labels) or 0


async def test_outcomes_are_counted() -> None:
    before = {outcome: count(outcome) for outcome in ("2xx", *FAILURES)}
    async with serving(saying(OK)) as server, client_with() as client:
        await post(client, server.url)
        await failure(client, "https://10.0.0.1/")
    assert [count(outcome) - before[outcome] for outcome in ("2xx", "refused_address", "tls")] == [1, 1, 0]
    assert REGISTRY.get_sample_value("messenger_outgoing_running", {"purpose": "webhooks"}) == 0


async def test_a_file_of_authorities_that_is_none_ends_the_start(tmp_path: Path) -> None:
    path = tmp_path / "ca.pem"
    for text in (None, "no certificate"):
        if text:
            path.write_text(text)
        client = OutgoingClient(OutgoingSettings(ca_file=str(path)), "webhooks")
        with pytest.raises(SettingsError, match="MESSENGER_OUTGOING_CA"):
            await client.start()
