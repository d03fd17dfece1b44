"""Attacks by load, and their cost for other users: `python -m tests.security.siege [NAME…]`.

While one user attacks, others chat in pairs. Calm and attack take turns, so that both see the same machine.
It prints the latencies of all calm turns and of all turns under attack, and the gateways' memory. The
attacker is a separate process that yields to all others, as if it ran on another machine.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import os
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from pathlib import Path

from tests.client import User
from tests.e2e.crowd import Crowd, open_crowd_at
from tests.e2e.placement import workers
from tests.security.attackers import ATTACKS
from tests.security.raw import PING, PONG, TEXT, RawConnection, frame, websocket
from tests.stack import RunningStack, running_stack

PORT = int(os.environ.get("MESSENGER_SIEGE_PORT", "18090"))
TURNS, TURN_S, SETTLE_S = 5, 8.0, 2.0
# Each pair sends a message every 40 ms, which is below a user's rate limit.
PAIRS, PAUSE_S = 6, 0.04
# A longer wait counts as this long.
WAIT_S = 5.0
_KIB = 1024


class Pair:
    """A user who sends message after message, and a user who receives them."""

    def __init__(self, sender: RawConnection, reader: RawConnection, room: str) -> None:
        self._sender = sender
        self._reader = reader
        self._room = room
        self._awaited: tuple[str, asyncio.Event] = ("", asyncio.Event())
        self.tasks = [
            asyncio.create_task(_listen(sender, lambda content: None), name="sender"),
            asyncio.create_task(_listen(reader, self._on_message), name="reader"),
        ]

    async def chat(self, duration_s: float) -> list[float]:
        """Sends one message after another; returns the ms until the other user has each."""
        found: list[float] = []
        end = time.monotonic() + duration_s
        while (begun := time.monotonic()) < end:
            content, received = self._awaited = (str(begun), asyncio.Event())
            message = {"type": "message.send", "conversation_id": self._room, "content": content}
            self._sender.send(frame(TEXT, json.dumps(message).encode()))
            with suppress(TimeoutError):
                async with asyncio.timeout(WAIT_S):
                    await received.wait()
            took = time.monotonic() - begun
            found.append(1_000 * took)
            await asyncio.sleep(max(0.0, PAUSE_S - took))
        return found

    def _on_message(self, content: str) -> None:
        awaited, received = self._awaited
        if content == awaited:
            received.set()


async def _listen(line: RawConnection, on_message: Callable[[str], None]) -> None:
    """Keeps nothing: a client that grows would be slower at the end than at the beginning."""
    while True:
        found = await line.frame(timeout_s=60)
        if found.opcode == PING:
            line.send(frame(PONG, found.payload))
        elif found.body["type"] == "message.new":
            on_message(found.body["data"]["content"])


@asynccontextmanager
async def chatters(stack: RunningStack, crowd: Crowd) -> AsyncIterator[list[Pair]]:
    """Yields the pairs of other users, whom an attack should not disturb."""
    async with AsyncExitStack() as exits:
        pairs = []
        for _ in range(PAIRS):
            one, two = crowd.newcomers(2)
            room = await one.create_group(two.user_id)
            sender = await exits.enter_async_context(websocket(stack.url, one.token))
            reader = await exits.enter_async_context(websocket(stack.url, two.token))
            pairs.append(Pair(sender, reader, room))
        try:
            yield pairs
        finally:
            tasks = [task for pair in pairs for task in pair.tasks]
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)


async def measure(pairs: list[Pair]) -> list[float]:
    """Returns all their latencies of one turn, sorted."""
    found = await asyncio.gather(*(pair.chat(TURN_S) for pair in pairs))
    return sorted(itertools.chain.from_iterable(found))


def percentile(ordered: list[float], part: float) -> float:
    """Returns the latency that this share of them does not exceed."""
    return ordered[int(part * (len(ordered) - 1))]


def memory_mib(pids: list[int]) -> float:
    """Returns the memory of these processes together."""
    rows = [row for pid in pids for row in Path(f"/proc/{pid}/status").read_text().splitlines()]
    return sum(int(row.split()[1]) for row in rows if row.startswith("VmRSS")) / _KIB


async def watch(pids: list[int], peaks: list[float]) -> None:
    """Records the peaks of their memory."""
    while True:
        peaks.append(memory_mib(pids))
        await asyncio.sleep(0.2)


async def besiege(name: str, stack: RunningStack, crowd: Crowd, pids: list[int]) -> None:
    """Runs one attack, and prints its line."""
    attacker = crowd.newcomer()
    before = memory_mib(pids)
    peaks: list[float] = []
    watching = asyncio.create_task(watch(pids, peaks))
    turns, report = [], ""
    async with chatters(stack, crowd) as pairs:
        await measure(pairs)
        for _ in range(TURNS):
            calm = await measure(pairs)
            process = await start(name, stack, attacker)
            await asyncio.sleep(SETTLE_S)
            under = await measure(pairs)
            process.terminate()
            report = (await process.communicate())[0].decode().strip()
            turns.append((calm, under))
            await asyncio.sleep(SETTLE_S)
    watching.cancel()
    calm, under = (sorted(itertools.chain.from_iterable(some)) for some in zip(*turns, strict=True))
    p50, p99 = ([percentile(some, part) for some in (calm, under)] for part in (0.5, 0.99))
    ratios = [percentile(under, 0.99) / percentile(calm, 0.99) for calm, under in turns]
    print(
        f"{name:10} p50 {p50[0]:5.1f} -> {p50[1]:5.1f} ms   p99 {p99[0]:5.1f} -> {p99[1]:5.1f} ms: "
        f"{p99[1] / p99[0]:4.2f} x (turn by turn {', '.join(f'{ratio:.2f}' for ratio in ratios)})   "
        f"{len(under)} messages   gateways {before:4.0f} -> {max(peaks):4.0f} MiB   {report}",
        flush=True,
    )


async def start(name: str, stack: RunningStack, attacker: User) -> asyncio.subprocess.Process:
    """Starts the attacker, which begins at once."""
    command = (sys.executable, "-m", "tests.security.attackers", name, stack.url, attacker.token)
    return await asyncio.create_subprocess_exec(
        *command, stdout=asyncio.subprocess.PIPE, env=dict(os.environ)
    )


async def main(names: list[str]) -> None:
    """Runs all attacks, or the named ones."""
    with tempfile.TemporaryDirectory() as folder:
        data = Path(folder) / "data"
        async with (
            running_stack(data, PORT, "gateway=2,chat-api=2,presence=1") as stack,
            open_crowd_at(stack) as crowd,
        ):
            pids = workers(await stack.status(), "gateway")
            for name in names or list(ATTACKS):
                await besiege(name, stack, crowd, pids)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1:]))
