"""Owns attacks by load, and what they cost the others: `python -m tests.security.siege [NAME…]`.

While one user attacks, two others chat; told are their latencies, beside those of before, and the gateways'
memory. The attacker is a process of its own that yields to the services, as it would be another machine.
"""

from __future__ import annotations

import asyncio
import os
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from messenger_shared import tokens
from tests.client import NoSuchFrame, Person, Socket
from tests.e2e.crowd import Crowd, gathered
from tests.e2e.placement import workers
from tests.security.attackers import ATTACKS
from tests.stack import RunningStack, running_stack

PORT = int(os.environ.get("MESSENGER_SIEGE_PORT", "18090"))
CALM_S, ATTACK_S, WARM_S = 15.0, 15.0, 2.0
PAUSE_S = 0.04
_KIB = 1024


class Latencies(NamedTuple):
    """Of messages from one to the other, in milliseconds."""

    number: int
    p50: float
    p99: float

    @classmethod
    def of(cls, seconds: list[float]) -> Latencies:
        """Of so many."""
        ordered = sorted(seconds)
        return cls(len(ordered), *(1_000 * ordered[int(part * (len(ordered) - 1))] for part in (0.5, 0.99)))


async def chat(sender: Socket, reader: Socket, room: str, duration_s: float) -> Latencies:
    """A message after the other, each timed until the other has it."""
    found = []
    end = time.monotonic() + duration_s
    while time.monotonic() < end:
        begun = time.monotonic()
        text = f"{begun}"
        await sender.send("message.send", conversation_id=room, content=text)
        # What never came counts as what came after all that time.
        with suppress(NoSuchFrame):
            await reader.wait(
                lambda frame, text=text: frame["type"] == "message.new" and frame["data"]["content"] == text
            )
        found.append(time.monotonic() - begun)
        await asyncio.sleep(max(0.0, PAUSE_S - found[-1]))
    return Latencies.of(found)


def memory_mib(pids: list[int]) -> float:
    """What these processes hold together."""
    rows = [row for pid in pids for row in Path(f"/proc/{pid}/status").read_text().splitlines()]
    return sum(int(row.split()[1]) for row in rows if row.startswith("VmRSS")) / _KIB


async def watch(pids: list[int], peaks: list[float]) -> None:
    """Notes the most that they hold at any time."""
    while True:
        peaks.append(memory_mib(pids))
        await asyncio.sleep(0.2)


async def besiege(name: str, stack: RunningStack, crowd: Crowd, pids: list[int]) -> None:
    """One attack, and the line that tells of it."""
    one, two, attacker = crowd.newcomers(3)
    room = await one.create_group(two.user_id)
    sockets = [await one.connect(), await two.connect()]
    await chat(*sockets, room, WARM_S)
    before, calm = memory_mib(pids), await chat(*sockets, room, CALM_S)
    process = await start(name, stack, attacker)
    peaks: list[float] = []
    watching = asyncio.create_task(watch(pids, peaks))
    await asyncio.sleep(WARM_S)
    under = await chat(*sockets, room, ATTACK_S)
    process.terminate()
    told, _ = await process.communicate()
    watching.cancel()
    print(
        f"{name:10} p50 {calm.p50:6.1f} -> {under.p50:6.1f} ms   p99 {calm.p99:6.1f} -> {under.p99:6.1f} ms "
        f"({under.p99 / calm.p99:4.2f} x, {calm.number} and {under.number} messages)   "
        f"gateways {before:4.0f} -> {max(peaks):4.0f} MiB   {told.decode().strip().splitlines()[-1:]}",
        flush=True,
    )


async def start(name: str, stack: RunningStack, attacker: Person) -> asyncio.subprocess.Process:
    """The attacker, who begins at once."""
    command = (sys.executable, "-m", "tests.security.attackers", name, stack.url, attacker.token)
    return await asyncio.create_subprocess_exec(
        "nice", "-n", "5", *command, stdout=asyncio.subprocess.PIPE, env=dict(os.environ)
    )


async def main(names: list[str]) -> None:
    """All of them, or those that are named."""
    with tempfile.TemporaryDirectory() as folder:
        data = Path(folder) / "data"
        async with running_stack(data, PORT, "gateway=2,chat-api=2,presence=1") as stack:
            secret = (data / "secret").read_text().strip().encode()
            async with gathered(stack.url, lambda user_id: tokens.mint(user_id, secret, 3_600)) as crowd:
                pids = workers(await stack.status(), "gateway")
                for name in names or list(ATTACKS):
                    await besiege(name, stack, crowd, pids)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1:]))
