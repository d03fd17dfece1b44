"""The process of the members. It yields to all other processes, as if it ran on other machines.

It exchanges lines with the benchmark as the load generator does, one step of the plan at a time.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import sys
from collections.abc import Sequence
from random import Random
from typing import Any, Final, NamedTuple

import aiohttp
import uvloop

from tests.bench.generator import Generator, start_generator
from tests.bench.presence.bench_stack import BASE_PATH, BenchStack
from tests.bench.programs import BenchError
from tests.bench.storm.members import EMOJI, Answers, RestMember, SocketMember, stored_counts, told_counts
from tests.faults.judge.lag import quantile
from tests.weight import yield_to_all

QUIET: Final = "quiet"
STORM: Final = "storm"
# Compares the counts of the last storm with the rows.
CHECK: Final = "check"
_AT_ONCE: Final = 50
# An answer takes 0.3 s, since reactions are gathered; 1,000 a second come.
_REST_CONNECTIONS: Final = 1_000
_TOLD_S: Final = 30.0
_OPEN_ATTEMPTS: Final = 20


class Plan(NamedTuple):
    """The parameters of the process. The first `sockets` of the users have sockets."""

    port: int
    secret: str
    room: str
    users: tuple[int, int]
    sockets: int
    seconds: float
    steps: Sequence[str]
    # Whether the process has the weight of others, for a busy machine.
    is_fair: bool


def crowd(
    stack: BenchStack,
    room: str,
    users: range,
    sockets: int,
    seconds: float,
    steps: Sequence[str],
    *,
    is_fair: bool,
) -> contextlib.AbstractAsyncContextManager[Generator]:
    """Runs the process. It is ready when all sockets are open; each `run` is one step."""
    ends = (users.start, users.stop)
    plan = Plan(stack.port, stack.secret.hex(), room, ends, sockets, seconds, steps, is_fair)
    return start_generator(sys.executable, "-m", __name__, json.dumps(plan))


class _Crowd:
    def __init__(self, plan: Plan, http: aiohttp.ClientSession) -> None:
        self._plan = plan
        self._http = http
        self._stack = BenchStack(plan.port, bytes.fromhex(plan.secret), "", {})
        users = range(*plan.users)
        self._with_sockets = [SocketMember(user_id) for user_id in users[: plan.sockets]]
        others = [RestMember(user_id, http, self._stack) for user_id in users[plan.sockets :]]
        self._members: list[SocketMember | RestMember] = [*self._with_sockets, *others]
        Random(0).shuffle(self._members)
        self._message_id = ""

    async def open(self) -> None:
        """Opens the sockets."""
        gate = asyncio.Semaphore(_AT_ONCE)

        async def open_one(member: SocketMember) -> None:
            async with gate:
                for _ in range(_OPEN_ATTEMPTS):
                    with contextlib.suppress(OSError, TimeoutError):
                        return await member.open(self._stack)
                    await asyncio.sleep(0.5)
                raise BenchError(f"the socket of {member.user_id} doesn't open")

        await asyncio.gather(*map(open_one, self._with_sockets))

    def close(self) -> None:
        """Closes the sockets."""
        for member in self._with_sockets:
            member.close()

    async def run(self, step: str) -> dict[str, Any]:
        """Runs one step; returns its counts."""
        if step == STORM:
            return await self._storm()
        if step == CHECK:
            return await self._check()
        await asyncio.sleep(self._plan.seconds)
        return {}

    async def _storm(self) -> dict[str, Any]:
        loop, answers = asyncio.get_running_loop(), Answers()
        for member in self._with_sockets:
            member.arrivals, member.last_frame = [], b""
        self._message_id = await self._send()
        begun = loop.time()
        async with asyncio.TaskGroup() as group:
            for number, member in enumerate(self._members):
                due = begun + self._plan.seconds * number / len(self._members)
                await asyncio.sleep(max(0.0, due - loop.time()))
                emoji = EMOJI[number % len(EMOJI)]
                group.create_task(member.react(self._message_id, emoji, answers))
        lasted_s = loop.time() - begun
        if ends := [member.end for member in self._with_sockets if member.end]:
            raise BenchError(f"{len(ends)} sockets ended: {ends[0]}")
        is_told = await self._all_told(len(self._members) - answers.refusals.total())
        return {
            "lasted_s": lasted_s,
            "reactions": len(answers.took_s),
            "refusals": answers.refusals,
            "ack_p50_s": quantile(answers.took_s, 0.5),
            "ack_p99_s": quantile(answers.took_s, 0.99),
            "frames": sum(len(member.arrivals) for member in self._with_sockets),
            "frames_per_s": max((member.frames_per_s() for member in self._with_sockets), default=0.0),
            "most_in_a_second": max((m.most_in_a_second() for m in self._with_sockets), default=0),
            "is_told": is_told,
        }

    async def _all_told(self, reactions: int) -> bool:
        """Waits until the last frame of every socket counts all reactions; returns whether that came."""
        try:
            async with asyncio.timeout(_TOLD_S):
                while True:
                    told = told_counts(self._with_sockets, self._message_id)
                    if [counts.total() for counts in told] == [reactions]:
                        return True
                    await asyncio.sleep(0.1)
        except TimeoutError:
            return False

    async def _check(self) -> dict[str, Any]:
        stored = await stored_counts(self._http, self._stack, self._plan.users[0], self._message_id)
        told = told_counts(self._with_sockets, self._message_id)
        return {"rows": stored.total(), "is_equal": told == [stored]}

    async def _send(self) -> str:
        url = f"http://127.0.0.1:{self._plan.port}{BASE_PATH}/conversations/{self._plan.room}/messages"
        headers = self._stack.bearer(self._plan.users[0])
        async with self._http.post(url, json={"content": "React!"}, headers=headers) as response:
            message: dict[str, Any] = await response.json()
        return str(message["id"])


async def _main(plan: Plan) -> None:
    if not plan.is_fair:
        yield_to_all()
    connector = aiohttp.TCPConnector(limit=_REST_CONNECTIONS)
    async with aiohttp.ClientSession(connector=connector) as http:
        members = _Crowd(plan, http)
        await members.open()
        await _exchange("ready")
        for step in plan.steps:
            await _exchange("done", **await members.run(step))
        members.close()
    print(json.dumps({"event": "closed"}), flush=True)


async def _exchange(event: str, **counts: Any) -> None:
    """Prints an event, and waits for the line that continues."""
    print(json.dumps({"event": event, **counts}), flush=True)
    await asyncio.to_thread(sys.stdin.readline)


if __name__ == "__main__":
    uvloop.run(_main(Plan(*json.loads(sys.argv[1]))))
