"""The attacks of `siege`, each by one user at a fixed pace, until it is ended.

The paces are those of one determined client. Without them, the test would only measure how two cores are
shared.
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
# How long each of an attack's concurrent loops rests before it begins again.
REST_S = 1.0
# PARALLEL: bombs per second over REST and over sockets. PINGS: sockets that send a burst of pings each
# second, 100,000 pings in ten seconds.
PARALLEL, PINGS = 10, 1_000
NOISE_S = 0.05
Count = Counter[str]


async def again(work: Callable[[], Awaitable[None]], rest_s: float = REST_S) -> None:
    """Repeats the work, whatever the server answers, and without backing off."""
    while True:
        with suppress(OSError, TimeoutError, AssertionError, asyncio.IncompleteReadError):
            await work()
        await asyncio.sleep(rest_s)


async def run_parallel(number: int, *works: Callable[[], Awaitable[None]]) -> None:
    """Runs `number` concurrent loops of each work, whose starts are spread evenly."""

    async def one(work: Callable[[], Awaitable[None]], start_s: float) -> None:
        await asyncio.sleep(start_s)
        await again(work)

    await asyncio.gather(*(one(work, REST_S * hand / number) for work in works for hand in range(number)))


async def sockets(url: str, token: str, count: Count) -> None:
    """Three hundred sockets of one user, each one reopened a second after it is closed."""

    async def one() -> None:
        async with line(url) as opened:
            opened.send(upgrade(token))
            data = await opened.reader.read(2**12)
            count["let in" if b"connected" in data else "refused"] += 1
            while await opened.reader.read(2**12):
                pass

    await run_parallel(300, one)


async def half_open(url: str, token: str, count: Count) -> None:
    """A thousand handshakes that are begun and never finished."""

    async def one() -> None:
        async with line(url) as opened:
            opened.send(upgrade(token)[:-4])
            count["begun"] += 1
            await opened.reader.read(1)

    await run_parallel(1_000, one)


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
                # asyncio stops reading a stream that nobody consumes.
                while not opened.writer.is_closing():
                    await asyncio.sleep(1)
                    opened.send(frame(TEXT, b'{"type":"ping"}'))

        async def noise() -> None:
            async with http.post(
                f"{BASE_PATH}/conversations/{room}/messages", json={"content": "é" * 10_000}
            ) as response:
                count[f"said {response.status}"] += 1

        await asyncio.gather(again(noise, NOISE_S), run_parallel(50, one))


async def bomb(url: str, token: str, count: Count) -> None:
    """Fifty megabytes of zeros, compressed to fifty kilobytes, as bodies and as frames."""
    packed = gzip.compress(b'{"x":"' + b"0" * BOMB_BYTES + b'"}')
    headers = (b"Content-Encoding: gzip", b"Content-Length: %d" % len(packed))
    deflated = zlib.compress(b"0" * BOMB_BYTES)[2:-4]

    async def body() -> None:
        async with line(url) as opened:
            opened.send(request("POST", "/conversations", token, *headers, body=packed))
            count[(await opened.reader.read(100)).split()[1].decode()] += 1

    async def message() -> None:
        async with websocket(url, token) as opened:
            # As from another machine: while the kernel copies a write of a megabyte, it occupies a core.
            opened.writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 2**16)
            opened.send(frame(TEXT, deflated, rsv=4), frame(TEXT, b"0" * 2**20, declared=BOMB_BYTES))
            count[f"{(await opened.frame()).code}"] += 1

    await run_parallel(PARALLEL, body, message)


async def pings(url: str, token: str, count: Count) -> None:
    """Ten thousand pings a second, with a new socket whenever one is closed for it."""
    data = b"".join(frame(PING, b"x") for _ in range(PINGS))

    async def one() -> None:
        async with websocket(url, token) as opened:
            while not opened.writer.is_closing():
                opened.send(data)
                count["pings"] += PINGS
                with suppress(TimeoutError):
                    count[f"closed {(await opened.next(CLOSE, timeout_s=REST_S)).code}"] += 1
                    return

    await run_parallel(PARALLEL, one)


ATTACKS = {"sockets": sockets, "half-open": half_open, "deaf": deaf, "bomb": bomb, "pings": pings}


async def main(name: str, url: str, token: str) -> None:
    """Attacks until it is told to end; then prints what it did."""
    yield_to_all()
    count: Count = Counter()
    attack = asyncio.create_task(ATTACKS[name](url, token, count))
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, attack.cancel)
    await asyncio.wait([attack])
    print(json.dumps(count), flush=True)


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
