"""W2 without a feed, with one, and with webhooks: what those who chat pay, how far the index is behind."""

from __future__ import annotations

import asyncio
import contextlib
import statistics
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, closing
from dataclasses import dataclass
from itertools import islice, product
from pathlib import Path
from typing import Final

import psycopg2

from tests.bench import usage
from tests.bench.feed.backends import Backends
from tests.bench.feed.receiver import receiving, webhooks
from tests.bench.generator import generating
from tests.bench.programs import BenchError, Programs
from tests.bench.search.indexing import CONSUMER, FEED
from tests.bench.search.texts import texts
from tests.bench.seeding import Seeder
from tests.bench.servers import Server, embedded_stack
from tests.e2e.hosts import new_key

COST_MAX: Final = 1.05
_WORKERS: Final = "gateway=1,chat-api=1,presence=1"
_ROUNDS: Final = 5
# As fast as messages are acknowledged, the feed takes cores from those who chat: there are fewer a second, in
# smaller batches, and each costs more for that. At a pace there are as many with a feed as without.
_PACED: Final = "3,000 a second"
_USERS: Final = range(2_000_001, 2_000_201)
_SECONDS: Final = 8
_LOADS: Final = {"saturated": ("-d", str(_SECONDS)), _PACED: ("-d", str(_SECONDS), "-r", "3000")}
_LAG_SECONDS: Final = 30
_LAG_EVERY_S: Final = 0.5
_POLL_S: Final = 0.1
_CATCH_UP_S: Final = 120.0
_TEXTS: Final = 20_000
# So that a message of any of them fits.
_TEXT_CHARS_MAX: Final = 600
# The age of the oldest message that the index doesn't have.
_LAG: Final = f"""
SELECT coalesce(extract(epoch FROM clock_timestamp() - min(m.created_at)), 0)
  FROM messenger.conversations c
  LEFT JOIN messenger.feed_cursors f ON f.conversation_id = c.id AND f.consumer = '{CONSUMER}'
 CROSS JOIN LATERAL (SELECT created_at FROM messenger.messages m
                      WHERE m.conversation_id = c.id AND m.pos > coalesce(f.pos, 0)
                      ORDER BY m.pos LIMIT 1) m
 WHERE c.last_pos > coalesce(f.pos, 0)
"""


@dataclass(frozen=True, slots=True)
class Side:
    """A stack to compare: how many feeds it has, and how many webhooks, which get every event."""

    name: str
    feeds: int
    webhooks: int = 0


WITHOUT: Final = Side("without a feed", 0)
RUNNING: Final = Side("with a feed", 1)
_SIDES: Final = (WITHOUT, RUNNING, Side("with three webhooks", 1, 3))


@dataclass(frozen=True, slots=True)
class Cost:
    """The CPU of one message, in µs: of all servers but the feed, of the feed, of its backends."""

    chat: float
    feed: float
    backends: float
    rate: float
    p99_ms: float


@dataclass(frozen=True, slots=True)
class BesideChat:
    """The medians of the rounds by load and side, lags of the index, the time to catch up; in s."""

    costs: dict[str, dict[str, Cost]]
    lags: list[float]
    caught_up_s: float

    @property
    def ratios(self) -> dict[str, dict[str, float]]:
        """Returns the cost of a message by load and side, as a multiple of the cost without a feed."""
        return {
            load: {name: cost.chat / costs[WITHOUT.name].chat for name, cost in costs.items()}
            for load, costs in self.costs.items()
        }

    @property
    def is_within_budget(self) -> bool:
        """Returns whether those who chat pay little enough at the same number of messages a second."""
        return max(self.ratios[_PACED].values()) <= COST_MAX

    @property
    def lines(self) -> list[str]:
        """Returns the same as text."""
        lags = sorted(self.lags)
        median, most = statistics.median(lags), lags[-1]
        return [
            *(
                _line(f"{load}, {name}", cost, self.ratios[load][name])
                for load, costs in self.costs.items()
                for name, cost in costs.items()
            ),
            f"a paced message may cost at most {COST_MAX} × as much, the feed told apart",
            f"the index is behind W2 by {median:.1f} s in the median, {most:.1f} s at most, "
            f"and has caught up {self.caught_up_s:.1f} s after it",
        ]


def _line(name: str, cost: Cost, ratio: float) -> str:
    return (
        f"W2 {name}: {cost.chat:.1f} µs a message ({ratio:.3f} ×), feed {cost.feed:.1f}, "
        f"its backends {cost.backends:.1f}; {cost.rate:,.0f} a second, p99 {cost.p99_ms:.1f} ms"
    )


async def measure(programs: Programs, directory: Path, say: Callable[[str], None]) -> BesideChat:
    """Runs W2 on the stacks in turns; then watches the lag."""
    lines = directory / "texts"
    found = (text for text in texts(seed=2) if len(text) <= _TEXT_CHARS_MAX)
    lines.write_text("".join(f"{text}\n" for text in islice(found, _TEXTS)))
    async with AsyncExitStack() as exits:
        receiver = await exits.enter_async_context(receiving())
        servers = {side: await exits.enter_async_context(_stack(directory, side)) for side in _SIDES}
        files = {
            side: await Seeder(server, directory / side.name).pairs(_USERS)
            for side, server in servers.items()
        }
        keys = {side: new_key(directory / side.name / "data") for side in _SIDES}
        rounds: dict[str, dict[str, list[Cost]]] = {
            load: {side.name: [] for side in _SIDES} for load in _LOADS
        }
        for number in range(_ROUNDS):
            for load, side in list(product(_LOADS, _SIDES))[:: -1 if number % 2 else 1]:
                server, options = servers[side], (*_LOADS[load], "-t", str(lines))
                # Only for this round: what webhooks have not told by its end would disturb the others.
                async with webhooks(server, keys[side], receiver, side.webhooks):
                    cost = await _round(programs, server, files[side], options)
                rounds[load][side.name].append(cost)
                say(f"W2 {load}, {side.name}: {cost.chat:.1f} µs")
                if side.feeds:
                    await asyncio.to_thread(_catch_up, server.database_url)
        lags, caught_up_s = await _lags(programs, servers[RUNNING], files[RUNNING], lines)
    costs = {load: {name: _median(each) for name, each in sides.items()} for load, sides in rounds.items()}
    return BesideChat(costs, lags, caught_up_s)


@contextlib.asynccontextmanager
async def _stack(directory: Path, side: Side) -> AsyncIterator[Server]:
    place = directory / side.name
    place.mkdir()
    async with embedded_stack(side.name, place, f"{_WORKERS},feed={side.feeds}") as server:
        yield server


async def _round(programs: Programs, server: Server, users: Path, options: Sequence[str]) -> Cost:
    async with generating(programs.load, "durable", server.port, users, options=options) as generator:
        await usage.quiet(server.roots)
        async with Backends(server.database_url, FEED) as backends:
            before = usage.read(server.roots)
            counted = await generator.run()
            spent = usage.read(server.roots).since(before)
        await generator.close()
    messages = counted["acks"]
    feed = spent.by_service[FEED]
    chat = spent.servers_s - feed - backends.seconds
    in_us = 1e6 / messages
    return Cost(
        chat * in_us,
        feed * in_us,
        backends.seconds * in_us,
        messages / counted["seconds"],
        counted["p99_us"] / 1e3,
    )


async def _lags(programs: Programs, server: Server, users: Path, lines: Path) -> tuple[list[float], float]:
    """Returns the lag of each moment of a longer run, and when the index had all of it afterwards."""
    options = ("-d", str(_LAG_SECONDS), "-t", str(lines))
    lags: list[float] = []
    async with generating(programs.load, "durable", server.port, users, options=options) as generator:
        run = asyncio.create_task(generator.run())
        try:
            while not run.done():
                lags.append(await asyncio.to_thread(_lag, server.database_url))
                await asyncio.wait([run], timeout=_LAG_EVERY_S)
            await run
        finally:
            run.cancel()
        ended = time.monotonic()
        await asyncio.to_thread(_catch_up, server.database_url)
        await generator.close()
    return lags, time.monotonic() - ended


def _lag(url: str) -> float:
    with closing(psycopg2.connect(url, connect_timeout=5)) as connection, connection.cursor() as cursor:
        cursor.execute(_LAG)
        [(lag,)] = cursor.fetchall()
        return float(lag)


def _catch_up(url: str) -> None:
    deadline = time.monotonic() + _CATCH_UP_S
    while _lag(url) > 0:
        if time.monotonic() > deadline:
            raise BenchError(f"the index has not caught up within {_CATCH_UP_S:.0f} s")
        time.sleep(_POLL_S)


def _median(costs: list[Cost]) -> Cost:
    """Returns the median of each number."""
    names = ("chat", "feed", "backends", "rate", "p99_ms")
    return Cost(*(statistics.median(getattr(cost, name) for cost in costs) for name in names))
