"""The process of everybody who isn't measured: viewers, and users who come and go.

It exchanges lines with the benchmark as the load generator does. It yields to all other processes, as if it
ran on another machine.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import sys
from collections.abc import AsyncIterator
from typing import Any, Final, NamedTuple

from tests.bench.generator import Generator, start_generator
from tests.bench.presence.bench_stack import BenchStack
from tests.bench.presence.flapping import FlappingGateway, flap_really
from tests.bench.presence.viewers import Viewer, open_viewers
from tests.weight import yield_to_all

SECONDS: Final = 10.0
GATEWAYS: Final = 4
WATCHED: Final = 500


class Plan(NamedTuple):
    """The parameters of the process. `real` of the users have sockets of their own."""

    port: int
    secret: str
    redis_url: str
    room: str
    viewers: tuple[int, int]
    users: tuple[int, int]
    real: int
    flapping: bool


def crowd(
    bench_stack: BenchStack, room: str, viewers: range, users: range, real: int, *, flapping: bool
) -> contextlib.AbstractAsyncContextManager[Generator]:
    """Runs the process; without `flapping` there are only viewers."""
    ends = [(some.start, some.stop) for some in (viewers, users)]
    plan = Plan(
        bench_stack.port, bench_stack.secret.hex(), bench_stack.redis_url, room, *ends, real, flapping
    )
    return start_generator(sys.executable, "-m", __name__, json.dumps(plan))


async def _main(plan: Plan) -> None:
    yield_to_all()
    bench_stack = BenchStack(plan.port, bytes.fromhex(plan.secret), plan.redis_url, {})
    users = range(*plan.users)
    flapping = users[plan.real :] if plan.flapping else users[:0]
    async with (
        open_viewers(bench_stack, plan.room, range(*plan.viewers), users, WATCHED) as viewers,
        _gateways(bench_stack, flapping) as gateways,
    ):
        await _exchange("ready")
        for viewer in viewers:
            viewer.arrivals, viewer.rows = [], 0
        counts = await asyncio.gather(
            asyncio.sleep(SECONDS, 0),
            *(gateway.flap(SECONDS, number / GATEWAYS) for number, gateway in enumerate(gateways)),
            *([flap_really(bench_stack, users[: plan.real], SECONDS)] if plan.flapping else []),
        )
        await _exchange("done", transitions=sum(counts), **_counts(viewers))
    _print("closed")


def _counts(viewers: list[Viewer]) -> dict[str, int]:
    return {
        "frames": sum(len(viewer.arrivals) for viewer in viewers),
        "rows": sum(viewer.rows for viewer in viewers),
        "most_in_a_second": max(viewer.most_in_a_second() for viewer in viewers),
    }


@contextlib.asynccontextmanager
async def _gateways(bench_stack: BenchStack, users: range) -> AsyncIterator[list[FlappingGateway]]:
    parts = [users[number::GATEWAYS] for number in range(GATEWAYS)] if users else []
    gateways = [FlappingGateway(bench_stack.redis_url, part) for part in parts]
    await asyncio.gather(*(gateway.start() for gateway in gateways))
    try:
        yield gateways
    finally:
        await asyncio.gather(*(gateway.stop() for gateway in gateways))


async def _exchange(event: str, **counts: int) -> None:
    """Prints an event, and waits for the line that continues."""
    _print(event, **counts)
    await asyncio.to_thread(sys.stdin.readline)


def _print(event: str, **counts: Any) -> None:
    print(json.dumps({"event": event, **counts}), flush=True)


if __name__ == "__main__":
    asyncio.run(_main(Plan(*json.loads(sys.argv[1]))))
