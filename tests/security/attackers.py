"""Owns the attacks of `siege`, each by one user as hard as one process can, until it is ended."""

from __future__ import annotations

import asyncio
import gzip
import json
import signal
import sys
import zlib
from collections import Counter
from collections.abc import Awaitable, Callable
from contextlib import suppress

import aiohttp

from tests.client import BASE_PATH
from tests.security.raw import PING, TEXT, frame, line, request, upgrade, websocket

BOMB_BYTES = 50 * 2**20
Count = Counter[str]


async def again(work: Callable[[], Awaitable[None]]) -> None:
    """Over and over, whatever the server does about it."""
    while True:
        with suppress(OSError, TimeoutError, AssertionError, asyncio.IncompleteReadError):
            await work()
        await asyncio.sleep(0)


async def sockets(url: str, token: str, count: Count) -> None:
    """Three hundred sockets of one user, each opened again when it is closed."""

    async def one() -> None:
        async with line(url) as opened:
            opened.send(upgrade(token))
            data = await opened.reader.read(2**12)
            count["let in" if b"connected" in data else "refused"] += 1
            while await opened.reader.read(2**12):
                pass

    await asyncio.gather(*(again(one) for _ in range(300)))


async def half_open(url: str, token: str, count: Count) -> None:
    """A thousand handshakes that are begun and never ended."""

    async def one() -> None:
        async with line(url) as opened:
            opened.send(upgrade(token)[:-4])
            count["begun"] += 1
            await opened.reader.read(1)

    await asyncio.gather(*(again(one) for _ in range(1_000)))


async def deaf(url: str, token: str, count: Count) -> None:
    """Fifty sockets that never read what is written to them, a megabyte a second."""
    headers = {"Authorization": f"Bearer {token}"}
    async with aiohttp.ClientSession(url, headers=headers) as http:
        body = {"type": "group", "title": "noise"}
        async with http.post(f"{BASE_PATH}/conversations", json=body) as response:
            room = (await response.json())["id"]

        async def one() -> None:
            async with line(url) as opened:
                opened.send(upgrade(token))
                count["opened"] += 1
                # Who asks for nothing, asyncio stops reading for.
                while not opened.writer.is_closing():
                    await asyncio.sleep(1)
                    opened.send(frame(TEXT, b'{"type":"ping"}'))

        async def noise() -> None:
            async with http.post(
                f"{BASE_PATH}/conversations/{room}/messages", json={"content": "é" * 10_000}
            ) as response:
                count[f"said {response.status}"] += 1
            await asyncio.sleep(0.02)

        await asyncio.gather(again(noise), *(again(one) for _ in range(49)))


async def bomb(url: str, token: str, count: Count) -> None:
    """Fifty megabytes of zeros that are fifty kilobytes, as bodies and as frames."""
    packed = gzip.compress(b'{"x":"' + b"0" * BOMB_BYTES + b'"}')
    headers = (b"Content-Encoding: gzip", b"Content-Length: %d" % len(packed))
    deflated = zlib.compress(b"0" * BOMB_BYTES)[2:-4]

    async def body() -> None:
        async with line(url) as opened:
            opened.send(request("POST", "/conversations", token, *headers, body=packed))
            count[(await opened.reader.read(100)).split()[1].decode()] += 1

    async def message() -> None:
        async with websocket(url, token) as socket:
            socket.send(frame(TEXT, deflated, rsv=4), frame(TEXT, b"0" * 2**20, declared=BOMB_BYTES))
            count[f"{(await socket.frame()).code}"] += 1

    await asyncio.gather(*(again(work) for work in (body, message) for _ in range(10)))


async def pings(url: str, token: str, count: Count) -> None:
    """Pings as fast as they are taken, and a new socket whenever one is closed for it."""
    data = b"".join(frame(PING, b"x") for _ in range(1_000))

    async def one() -> None:
        async with websocket(url, token) as socket:
            with suppress(OSError):
                while not socket.writer.is_closing() and not socket.reader.at_eof():
                    socket.send(data)
                    count["pings"] += 1_000
                    await socket.writer.drain()
                    await asyncio.sleep(0)
            count["closed"] += 1

    await asyncio.gather(*(again(one) for _ in range(20)))


ATTACKS = {"sockets": sockets, "half-open": half_open, "deaf": deaf, "bomb": bomb, "pings": pings}


async def main(name: str, url: str, token: str) -> None:
    """Until it is told to end; then says what it did."""
    count: Count = Counter()
    attack = asyncio.create_task(ATTACKS[name](url, token, count))
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, attack.cancel)
    await asyncio.wait([attack])
    print(json.dumps(count), flush=True)


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
