"""Owns the process of all who aren't measured: those who look, and those who come and go.

It speaks with the benchmark as the load generator does, and yields to everybody, as on a machine of its own.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import sys
from collections.abc import AsyncIterator
from typing import Any, Final, NamedTuple

from tests.bench.generator import Generator, started
from tests.bench.presence.flapping import FlappingGateway, flap_really
from tests.bench.presence.ground import Ground
from tests.bench.presence.viewers import Viewer, looking
from tests.weight import yield_to_all

SECONDS: Final = 10.0
GATEWAYS: Final = 4
WATCHED: Final = 500


class Plan(NamedTuple):
    """What the process is told. `real` of the users have sockets of their own."""

    port: int
    secret: str
    redis_url: str
    room: str
    viewers: tuple[int, int]
    users: tuple[int, int]
    real: int
    flapping: bool


def crowd(
    ground: Ground, room: str, viewers: range, users: range, real: int, *, flapping: bool
) -> contextlib.AbstractAsyncContextManager[Generator]:
    """The process; without `flapping` it only looks."""
    ends = [(some.start, some.stop) for some in (viewers, users)]
    plan = Plan(ground.port, ground.secret.hex(), ground.redis_url, room, *ends, real, flapping)
    return started(sys.executable, "-m", __name__, json.dumps(plan))


async def _main(plan: Plan) -> None:
    yield_to_all()
    ground = Ground(plan.port, bytes.fromhex(plan.secret), plan.redis_url, {})
    users = range(*plan.users)
    flapping = users[plan.real :] if plan.flapping else users[:0]
    async with (
        looking(ground, plan.room, range(*plan.viewers), users, WATCHED) as viewers,
        _gateways(ground, flapping) as gateways,
    ):
        await _exchange("ready")
        for viewer in viewers:
            viewer.arrivals, viewer.rows = [], 0
        counts = await asyncio.gather(
            asyncio.sleep(SECONDS, 0),
            *(gateway.flap(SECONDS, number / GATEWAYS) for number, gateway in enumerate(gateways)),
            *([flap_really(ground, users[: plan.real], SECONDS)] if plan.flapping else []),
        )
        await _exchange("done", transitions=sum(counts), **_told(viewers))
    _say("closed")


def _told(viewers: list[Viewer]) -> dict[str, int]:
    return {
        "frames": sum(len(viewer.arrivals) for viewer in viewers),
        "rows": sum(viewer.rows for viewer in viewers),
        "most_in_a_second": max(viewer.most_in_a_second() for viewer in viewers),
    }


@contextlib.asynccontextmanager
async def _gateways(ground: Ground, users: range) -> AsyncIterator[list[FlappingGateway]]:
    parts = [users[number::GATEWAYS] for number in range(GATEWAYS)] if users else []
    gateways = [FlappingGateway(ground.redis_url, part) for part in parts]
    await asyncio.gather(*(gateway.start() for gateway in gateways))
    try:
        yield gateways
    finally:
        await asyncio.gather(*(gateway.stop() for gateway in gateways))


async def _exchange(event: str, **told: int) -> None:
    """Says it, and waits for the word to go on."""
    _say(event, **told)
    await asyncio.to_thread(sys.stdin.readline)


def _say(event: str, **told: Any) -> None:
    print(json.dumps({"event": event, **told}), flush=True)


if __name__ == "__main__":
    asyncio.run(_main(Plan(*json.loads(sys.argv[1]))))
