"""The users who come and go: most are only reported to presence as gateways do, some open real sockets."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from itertools import pairwise

import aiohttp

from messenger_shared.bus.redis_bus import RedisBus
from messenger_shared.contract.identifiers import new_id
from messenger_shared.contract.operations.internal import reports
from messenger_shared.contract.operations.operation import PRESENCE
from messenger_shared.rpc.client import RpcClient
from tests.bench.presence.bench_stack import BenchStack

# As often as a gateway reports while there is something to report.
REPORT_S = 0.05
WORKERS_S = 5.0


class FlappingGateway:
    """A gateway without sockets: each of its users comes once and goes once within the time."""

    def __init__(self, redis_url: str, users: Sequence[int]) -> None:
        self._bus = RedisBus((redis_url,), f"gateway-bench-0-{new_id()[-12:]}")
        self._rpc = RpcClient(self._bus, (PRESENCE,))
        self._users = users

    async def start(self) -> None:
        """Reports that it has no users."""
        await self._bus.start()
        await self._rpc.start()
        async with asyncio.timeout(WORKERS_S):
            while not self._rpc.has_worker(PRESENCE):  # noqa: ASYNC110  (a heartbeat is no event)
                await asyncio.sleep(0.05)
        await self._report((), (), full=True)

    async def stop(self) -> None:
        """Tells presence that this gateway ends."""
        body = {"gateway": self._bus.worker}
        await self._rpc.ask(PRESENCE, reports.LEAVE.name, body, key=self._bus.worker)
        await self._rpc.stop()
        await self._bus.stop()

    async def flap(self, seconds: float, phase: float) -> int:
        """Lets every user come and, half the time later, go; returns the number of transitions.

        `phase`, from 0 to 1, shifts its reports within the interval, so that no two gateways are in step.
        """
        steps = max(2, round(seconds / REPORT_S))
        half = steps // 2
        edges = [len(self._users) * step // (steps - half) for step in range(steps - half + 1)]
        parts = [self._users[start:end] for start, end in pairwise(edges)]
        loop = asyncio.get_running_loop()
        await asyncio.sleep(phase * REPORT_S)
        begun = loop.time()
        for step in range(steps):
            came = parts[step] if step < len(parts) else ()
            went = parts[step - half] if step >= half else ()
            await self._report(came, went)
            await asyncio.sleep(max(0.0, begun + (step + 1) * REPORT_S - loop.time()))
        rest = [user for part in parts[steps - half :] for user in part]
        await self._report((), rest)
        return 2 * len(self._users)

    async def _report(self, opened: Sequence[int], closed: Sequence[int], *, full: bool = False) -> None:
        body = {"gateway": self._bus.worker, "opened": list(opened), "closed": list(closed), "full": full}
        await self._rpc.ask(PRESENCE, reports.REPORT.name, body, key=self._bus.worker)


async def flap_really(bench_stack: BenchStack, users: Sequence[int], seconds: float) -> int:
    """Opens and closes a socket of each user, one after the other over the time; returns the transitions."""
    loop = asyncio.get_running_loop()
    begun = loop.time()
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as http:

        async def flap(number: int, user_id: int) -> None:
            await asyncio.sleep(max(0.0, begun + seconds * number / len(users) - loop.time()))
            headers = bench_stack.bearer(user_id)
            async with http.ws_connect(bench_stack.socket_url, headers=headers, compress=0) as socket:
                await socket.receive()
                # Longer than a gateway collects changes, so that each one is reported.
                await asyncio.sleep(4 * REPORT_S)

        await asyncio.gather(*(flap(number, user) for number, user in enumerate(users)))
    return 2 * len(users)
