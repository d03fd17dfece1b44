"""Connections around their requests: slow ones, broken ones, and those whose answer nobody reads."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator
from contextlib import suppress

import pytest
from aiohttp import http_parser, web

from messenger_shared.runtime import http_server
from messenger_shared.runtime.service import Runner
from tests.waiting import LIMIT_S, until

KEEPALIVE_S = 0.3
LARGE = b"x" * 64 * 2**20


async def large(request: web.Request) -> web.Response:
    return web.Response(body=LARGE)


@pytest.fixture
async def runner() -> AsyncIterator[Runner]:
    app = web.Application()
    app.router.add_get("/large", large)
    runner = Runner(app, keepalive_timeout=KEEPALIVE_S, access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    yield runner
    await runner.cleanup()


@pytest.fixture
def port(runner: Runner) -> int:
    return int(runner.addresses[0][1])


async def ends(reader: asyncio.StreamReader) -> bytes:
    """Returns all bytes up to the end, which has to come soon."""
    found = b""
    async with asyncio.timeout(LIMIT_S):
        with suppress(ConnectionError):
            while data := await reader.read(2**16):
                found += data
    return found


@pytest.mark.parametrize("begun", [b"", b"GET /", b"GET / HTTP/1.1\r\n", b"GET / HTTP/1.1\r\nX: y\r\n"])
async def test_who_sends_no_whole_request_is_cut_off(port: int, begun: bytes) -> None:
    """Includes a client that sends a byte now and then."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)

    async def drip() -> None:
        with suppress(ConnectionError):
            writer.write(begun)
            while begun:
                writer.write(b"a")
                await writer.drain()
                await asyncio.sleep(KEEPALIVE_S / 10)

    dripping = asyncio.create_task(drip())
    started = time.monotonic()
    assert await ends(reader) == b""
    assert time.monotonic() - started > KEEPALIVE_S / 2
    dripping.cancel()
    await asyncio.gather(dripping, return_exceptions=True)
    writer.transport.abort()


async def test_who_does_not_take_his_answer_is_cut_off(
    runner: Runner, port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(http_server, "ANSWER_TIMEOUT_S", 0.2)
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(b"GET /large HTTP/1.1\r\nHost: x\r\n\r\n")
    server = runner.server
    assert server is not None
    # Nothing is read here meanwhile: asyncio stops after a few hundred KiB that nobody consumes.
    await until(lambda: server.requests_count)
    await until(lambda: not server.connections)
    assert len(await ends(reader)) < len(LARGE)
    writer.transport.abort()


async def test_what_is_no_http_is_told_in_a_problem_and_in_one_line_of_the_log(
    port: int, caplog: pytest.LogCaptureFixture
) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    with caplog.at_level(logging.INFO):
        writer.write(b"GET /?token=secret\xff HTTP/1.1\r\nHost: x\r\n\r\n")
        head, _, body = (await ends(reader)).partition(b"\r\n\r\n")
    assert b"400" in head.splitlines()[0]
    assert b"problem+json" in head
    assert b"aiohttp" not in head
    assert b"secret" not in body
    assert len(caplog.records) == 1
    assert "secret" not in caplog.text
    writer.transport.abort()


def test_the_parser_is_the_compiled_one() -> None:
    """The parser in Python is slower and laxer; a wheel without the compiled one would go unnoticed."""
    assert http_parser.HttpRequestParser.__module__ == "aiohttp._http_parser"
