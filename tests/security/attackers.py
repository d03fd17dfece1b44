"""Owns the attacks of `siege`, each by one user at a pace of its own, until it is ended.

The paces are those of one determined client: without them, what is measured is how two cores are shared.
"""

from __future__ import annotations

import asyncio
import gzip
import json
import signal
import socket
import sys
import zlib
from collections import Counter
from collections.abc import Awaitable, Callable
from contextlib import suppress

import aiohttp

from tests.client import BASE_PATH
from tests.security.raw import CLOSE, PING, TEXT, frame, line, request, upgrade, websocket
from tests.weight import yield_to_all

BOMB_BYTES = 50 * 2**20
# How long each of an attack's many hands rests before it begins again.
REST_S = 1.0
# So many bombs a second for each door, so many sockets that send a burst of pings a second: 100,000 in ten.
HANDS, PINGS = 10, 1_000
NOISE_S = 0.05
Count = Counter[str]


async def again(work: Callable[[], Awaitable[None]], rest_s: float = REST_S) -> None:
    """Over and over, whatever the server does about it, and without backing off."""
    while True:
        with suppress(OSError, TimeoutError, AssertionError, asyncio.IncompleteReadError):
            await work()
        await asyncio.sleep(rest_s)


async def by_hands(number: int, *works: Callable[[], Awaitable[None]]) -> None:
    """Each work by so many hands at once, who begin evenly spread."""

    async def one(work: Callable[[], Awaitable[None]], start_s: float) -> None:
        await asyncio.sleep(start_s)
        await again(work)

    await asyncio.gather(*(one(work, REST_S * hand / number) for work in works for hand in range(number)))


async def sockets(url: str, token: str, count: Count) -> None:
    """Three hundred sockets of one user, each opened again a second after it is closed."""

    async def one() -> None:
        async with line(url) as opened:
            opened.send(upgrade(token))
            data = await opened.reader.read(2**12)
            count["let in" if b"connected" in data else "refused"] += 1
            while await opened.reader.read(2**12):
                pass

    await by_hands(300, one)


async def half_open(url: str, token: str, count: Count) -> None:
    """A thousand handshakes that are begun and never ended."""

    async def one() -> None:
        async with line(url) as opened:
            opened.send(upgrade(token)[:-4])
            count["begun"] += 1
            await opened.reader.read(1)

    await by_hands(1_000, one)


async def deaf(url: str, token: str, count: Count) -> None:
    """Fifty sockets that never read what is written to them, 400 KB a second each."""
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

        await asyncio.gather(again(noise, NOISE_S), by_hands(50, one))


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
        async with websocket(url, token) as opened:
            # As from another machine: a write of a megabyte is a core's for as long as the kernel copies it.
            opened.writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 2**16)
            opened.send(frame(TEXT, deflated, rsv=4), frame(TEXT, b"0" * 2**20, declared=BOMB_BYTES))
            count[f"{(await opened.frame()).code}"] += 1

    await by_hands(HANDS, body, message)


async def pings(url: str, token: str, count: Count) -> None:
    """Ten thousand pings a second, and a new socket whenever one is closed for it."""
    data = b"".join(frame(PING, b"x") for _ in range(PINGS))

    async def one() -> None:
        async with websocket(url, token) as opened:
            while not opened.writer.is_closing():
                opened.send(data)
                count["pings"] += PINGS
                with suppress(TimeoutError):
                    count[f"closed {(await opened.next(CLOSE, timeout_s=REST_S)).code}"] += 1
                    return

    await by_hands(HANDS, one)


ATTACKS = {"sockets": sockets, "half-open": half_open, "deaf": deaf, "bomb": bomb, "pings": pings}


async def main(name: str, url: str, token: str) -> None:
    """Until it is told to end; then says what it did."""
    yield_to_all()
    count: Count = Counter()
    attack = asyncio.create_task(ATTACKS[name](url, token, count))
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, attack.cancel)
    await asyncio.wait([attack])
    print(json.dumps(count), flush=True)


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
