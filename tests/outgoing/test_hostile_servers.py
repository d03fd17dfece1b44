"""What hostile servers can do to requests to the outside. Each attack is a test."""

from __future__ import annotations

import asyncio
import gzip

import pytest

from chat_api.outgoing import client as module
from chat_api.outgoing.client import BODY_BYTES
from tests.outgoing.servers import (
    OK,
    WAIT_S,
    Names,
    Script,
    client_with,
    failure,
    post,
    repeating,
    saying,
    serving,
)
from tests.waiting import until

METADATA = "169.254.169.254"
# For a server that never ends: long enough to see that it goes on.
SOON_S = 0.3


async def failure_of(script: Script, timeout_s: float = WAIT_S) -> str:
    async with serving(script) as server, client_with() as client:
        return await failure(client, server.url, timeout_s)


async def test_a_redirect_to_the_metadata_server_is_not_followed(names: Names) -> None:
    head = f"HTTP/1.1 302 Found\r\nLocation: http://{METADATA}/latest/\r\nContent-Length: 0\r\n\r\n".encode()
    async with serving(saying(head)) as server, client_with() as client:
        answer = await post(client, server.url)
        assert (answer.status, answer.headers, len(server.requests), names.asked) == (302, {}, 1, [])


async def test_a_drip_of_a_byte_ends_at_the_deadline() -> None:
    drips = [
        repeating(b"", b"H", 0.01),
        repeating(b"HTTP/1.1 200 OK\r\nX: ", b"a", 0.01),
        repeating(b"HTTP/1.1 200 OK\r\nContent-Length: 99999\r\n\r\n", b"a", 0.01),
        repeating(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"1\r\na\r\n", 0.01),
    ]
    assert [await failure_of(drip, SOON_S) for drip in drips[1:]] == ["timeout"] * 3
    # No status line begins so.
    assert await failure_of(drips[0], SOON_S) == "protocol"


async def test_a_silent_server_ends_at_the_deadline(monkeypatch: pytest.MonkeyPatch) -> None:
    assert await failure_of(repeating(b"", b"", 0.05), SOON_S) == "timeout"
    monkeypatch.setattr(module, "IDLE_S", SOON_S)
    assert await failure_of(repeating(b"HTTP/1.1 200 OK\r\n", b"", 0.05)) == "timeout"


async def test_endless_headers() -> None:
    start = b"HTTP/1.1 200 OK\r\n"
    for endless in (b"X-Y: z\r\n", b"a" * 1_000, b"X: " + b"a" * 65_536 + b"\r\n", b" folded\r\n"):
        assert await failure_of(repeating(start, endless)) == "protocol"
    assert await failure_of(repeating(b"HTTP/1.1 200 ", b"long reason ")) == "protocol"


async def test_an_endless_body_is_read_to_the_limit_and_its_connection_closed() -> None:
    for head, part in (
        (b"HTTP/1.1 200 OK\r\n\r\n", b"a" * 65_536),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 9999999999\r\n\r\n", b"a" * 65_536),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"3\r\naaa\r\n"),
    ):
        async with serving(repeating(head, part)) as server, client_with() as client:
            answer = await post(client, server.url)
            assert (answer.status, answer.body) == (200, b"a" * BODY_BYTES)
            # The server can't send on.
            await until(lambda server=server: not server.running)


async def test_endless_chunk_extensions() -> None:
    head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1;"
    assert await failure_of(repeating(head, b"a" * 65_536)) == "protocol"
    trailers = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n"
    assert await failure_of(repeating(trailers, b"X: y\r\n" * 100)) == "protocol"


async def test_a_flood_of_interim_answers() -> None:
    for interim in (b"HTTP/1.1 100 Continue\r\n\r\n", b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n"):
        assert await failure_of(repeating(b"", interim * 100)) == "protocol"
    # One is fine.
    async with serving(saying(b"HTTP/1.1 100 Continue\r\n\r\n", OK)) as server, client_with() as client:
        assert (await post(client, server.url)).body == b"ok"


async def test_a_gzip_bomb_is_never_unpacked() -> None:
    bomb = gzip.compress(bytes(10_000_000))
    for encoding in (b"gzip", b"deflate", b"br", b"zstd", b"gzip, gzip"):
        head = b"HTTP/1.1 200 OK\r\nContent-Encoding: %b\r\nContent-Length: %d\r\n\r\n" % (
            encoding,
            len(bomb),
        )
        async with serving(saying(head, bomb)) as server, client_with() as client:
            answer = await post(client, server.url)
            assert answer.body == bomb[:BODY_BYTES]
            assert b"\r\naccept-encoding: identity\r\n" in server.requests[0].lower()


async def test_a_wrong_content_length() -> None:
    head = b"HTTP/1.1 200 OK\r\nContent-Length: "
    assert await failure_of(saying(head, b"10\r\n\r\nshort", then_closes=True)) == "protocol"
    for length in (
        b"-1",
        b"0x10",
        b"1, 2",
        b"2\r\nContent-Length: 3",
        b"99999999999999999999999",
        b"+2",
        b"",
    ):
        assert await failure_of(saying(head, length, b"\r\n\r\nok", then_closes=True)) == "protocol", length
    assert await failure_of(saying(head, b"2\r\n\r\nok and more")) == "protocol"


async def test_garbage_that_may_smuggle_an_answer() -> None:
    chunked = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n"
    for garbage in (
        b"\x00\x01\x02\r\n\r\n",
        b"SSH-2.0-OpenSSH_9.9\r\n\r\n",
        b"HTTP/9.9 200 OK\r\n\r\n",
        b"HTTP/1.1 20 OK\r\n\r\n",
        b"HTTP/1.1 999 OK\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: a\r\nConnection: upgrade\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\x00\r\n\r\nok",
        b"HTTP/1.1 200 OK\r\nX\x00Y: z\r\n\r\n",
        chunked + b"Content-Length: 5\r\n\r\n0\r\n\r\n" + OK,
        chunked + b"\r\nxyz\r\n",
        chunked + b"\r\n-1\r\n",
        chunked + b"\r\nfffffffffffffffff\r\n",
    ):
        async with serving(saying(garbage, then_closes=True)) as server, client_with() as client:
            assert await failure(client, server.url) == "protocol", garbage
            assert len(server.requests) == 1


async def test_an_answer_sent_in_advance_is_not_the_next_request_s() -> None:
    async with serving(saying(OK, OK.replace(b"200", b"500"))) as server, client_with() as client:
        assert [(await post(client, server.url)).status for _ in range(3)] == [200] * 3


async def test_a_reset_connection() -> None:
    async def reset(writer: asyncio.StreamWriter) -> None:
        writer.transport.abort()
        raise EOFError

    assert await failure_of(reset) == "connect"
    assert await failure_of(saying(b"HTTP/1.1 200 OK\r\n", then_closes=True)) == "connect"
    async with serving(reset) as server:
        url = server.url
    async with client_with() as client:
        assert await failure(client, url) == "connect"


async def test_cookies_are_neither_kept_nor_sent() -> None:
    cookie = b"HTTP/1.1 200 OK\r\nSet-Cookie: a=b; Path=/\r\nContent-Length: 0\r\n\r\n"
    async with serving(saying(cookie)) as server, client_with() as client:
        for _ in range(2):
            assert (await post(client, server.url)).headers == {}
        assert not any(b"cookie" in request.lower() for request in server.requests)
