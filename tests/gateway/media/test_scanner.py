"""Only a scanner's verdict makes a file clean or not. All else is unavailable."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from gateway.media import scanner as module
from gateway.media.scanner import ClamdScanner, HttpScanner, Scanner, ScannerUnavailable, scanner_of
from messenger_shared.settings.environment import SettingsError
from tests.gateway.media.clamds import EICAR, MAX_BYTES, Addresses, real_clamd, stand_in

Handler = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@pytest.fixture(scope="module")
def real() -> Iterator[Addresses]:
    with real_clamd() as addresses:
        yield addresses


@pytest.fixture(params=["stand-in", "real"])
async def clamd(request: pytest.FixtureRequest) -> AsyncIterator[Addresses]:
    """Yields the addresses of each clamd."""
    if request.param == "real":
        yield request.getfixturevalue("real")
        return
    async with stand_in() as addresses:
        yield addresses


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "file"
    put(path, b"clean")
    return path


def put(path: Path, content: bytes) -> None:
    path.write_bytes(content)


def scanners(clamd: Addresses) -> list[Scanner]:
    found = scanner_of(f"clamd+unix://{clamd.path}"), scanner_of(f"clamd://127.0.0.1:{clamd.port}")
    return [scanner for scanner in found if scanner is not None]


async def test_clamd_finds_a_virus_and_nothing_in_clean_files(clamd: Addresses, path: Path) -> None:
    large = bytes(range(256)) * (MAX_BYTES // 512)
    for scanner in scanners(clamd):
        for content, is_clean in ((EICAR, False), (b"clean", True), (b"", True), (large, True)):
            put(path, content)
            assert await scanner.is_clean(path) is is_clean
    put(path, EICAR)
    verdicts = await asyncio.gather(*(scanner.is_clean(path) for scanner in scanners(clamd) * 10))
    assert verdicts == [False] * 20


@pytest.mark.parametrize("size", [MAX_BYTES + 1, 20 * MAX_BYTES])
async def test_a_file_that_is_too_large_for_clamd_has_no_verdict(
    clamd: Addresses, path: Path, size: int
) -> None:
    put(path, bytes(size))
    for scanner in scanners(clamd):
        with pytest.raises(ScannerUnavailable):
            await scanner.is_clean(path)


async def test_a_clamd_that_is_not_there_is_unavailable(tmp_path: Path, path: Path) -> None:
    with socket.socket() as unheard:
        unheard.bind(("127.0.0.1", 0))
        for scanner in (ClamdScanner(str(tmp_path / "none")), ClamdScanner(unheard.getsockname())):
            with pytest.raises(ScannerUnavailable):
                await scanner.is_clean(path)
        with pytest.raises(ScannerUnavailable):
            await HttpScanner(f"http://127.0.0.1:{unheard.getsockname()[1]}").is_clean(path)
    with pytest.raises(FileNotFoundError):
        await ClamdScanner(("127.0.0.1", 1)).is_clean(tmp_path / "none")


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"\0",
        b"stream: OK",
        b"stream: OK\n",
        b"stream: OK\0stream: OK\0",
        b"OK\0",
        b"stream: Can't allocate memory ERROR\0",
        b"UNKNOWN COMMAND\0",
        b"stream:  FOUND\0",
        b"stream: OK " * 100_000,
    ],
)
async def test_an_answer_that_is_no_verdict_is_unavailable(path: Path, answer: bytes) -> None:
    async def answers(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(bytes(4))
        writer.write(answer)
        writer.close()

    await _is_unavailable(answers, path)


async def test_a_clamd_that_is_slow_or_hangs_up_is_unavailable(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    is_over = asyncio.Event()

    async def waits(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await is_over.wait()
        writer.close()

    async def hangs_up(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.transport.abort()

    put(path, bytes(20 * MAX_BYTES))
    await _is_unavailable(hangs_up, path)
    monkeypatch.setattr(module, "SCAN_S", 0.2)
    for content in (b"clean", bytes(20 * MAX_BYTES)):
        put(path, content)
        await _is_unavailable(waits, path, is_over)
        is_over.clear()


async def _is_unavailable(handler: Handler, path: Path, is_over: asyncio.Event | None = None) -> None:
    async with await asyncio.start_server(handler, "127.0.0.1", 0) as server:
        with pytest.raises(ScannerUnavailable):
            await ClamdScanner(server.sockets[0].getsockname()).is_clean(path)
        if is_over is not None:
            is_over.set()


async def test_a_service_gets_the_bytes_and_its_verdict_counts(path: Path) -> None:
    async def scan(request: web.Request) -> web.Response:
        assert request.content_length is not None
        return web.json_response({"clean": EICAR not in await request.read(), "more": 1})

    async with _service(scan) as server:
        scanner = scanner_of(str(server.make_url("/scan")))
        assert scanner is not None
        for content, is_clean in ((EICAR, False), (b"clean", True), (b"", True), (bytes(700_000), True)):
            put(path, content)
            assert await scanner.is_clean(path) is is_clean


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (200, b""),
        (200, b"true"),
        (200, b"[]"),
        (200, b'{"clean": 1}'),
        (200, b'{"clean": "true"}'),
        (200, b'{"clean": null}'),
        (200, b"{}"),
        (200, b"["[:1] * 3_000),
        (200, b" " * 5_000 + b'{"clean": true}'),
        (201, b'{"clean": true}'),
        (500, b'{"clean": true}'),
        (302, b'{"clean": true}'),
    ],
)
async def test_a_service_that_gives_no_verdict_is_unavailable(path: Path, status: int, body: bytes) -> None:
    async def answers(request: web.Request) -> web.Response:
        await request.read()
        return web.Response(status=status, body=body, headers={"Location": "/elsewhere"})

    async with _service(answers) as server:
        with pytest.raises(ScannerUnavailable):
            await HttpScanner(str(server.make_url("/"))).is_clean(path)


async def test_a_service_that_is_slow_is_unavailable(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    is_over = asyncio.Event()

    async def waits(_: web.Request) -> web.Response:
        await is_over.wait()
        return web.Response()

    monkeypatch.setattr(module, "SCAN_S", 0.2)
    async with _service(waits) as server:
        with pytest.raises(ScannerUnavailable):
            await HttpScanner(str(server.make_url("/"))).is_clean(path)
        is_over.set()


def _service(handler: Callable[[web.Request], Awaitable[web.Response]]) -> TestServer:
    application = web.Application()
    application.router.add_post("/{tail:.*}", handler)
    return TestServer(application)


def test_a_setting_names_a_scanner_or_is_wrong() -> None:
    assert scanner_of("") is None
    assert isinstance(scanner_of("https://user:secret@scan.example/x"), HttpScanner)
    assert isinstance(scanner_of("clamd://scan.example"), ClamdScanner)
    for wrong in (
        "clamd",
        "clamd:",
        "clamd://",
        "clamd://host/path",
        "clamd://host:99999",
        "clamd://host:0",
        "clamd+unix://",
        "clamd+unix:///",
        "clamd+unix://host/path",
        "ftp://secret@host",
        "http://",
        "http://[::1",
        "/run/clamd.sock",
    ):
        with pytest.raises(SettingsError) as caught:
            scanner_of(wrong)
        assert "secret" not in str(caught.value)
