"""Measures how W2 grows: with more workers and Redis servers, more conversations, larger messages."""

import contextlib
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

from messenger_local import procfs
from tests.bench.programs import Programs
from tests.bench.quota import limited
from tests.bench.report import OURS
from tests.bench.seeding import Seeder
from tests.bench.servers import embedded_stack
from tests.bench.usage import Roots
from tests.bench.workloads import Bench, Result, Sizes


class _Numbers(NamedTuple):
    """How many there are of each."""

    gateways: int = 1
    chat_apis: int = 1
    redis: int = 1
    # Each gateway and chat-api has a fixed share of a core, and brings users of its own.
    apart: bool = False

    def __str__(self) -> str:
        rows = zip(("gateway", "chat-api", "Redis server"), self[:3], strict=True)
        text = ", ".join(f"{number} {name}{'s' * (number > 1)}" for name, number in rows)
        return text + ", apart" * self.apart


_SIZES = Sizes(durable_s=4)
_WORKERS = [_Numbers(*numbers) for numbers in ((2, 1), (4, 1), (1, 2), (1, 4), (2, 2), (4, 4))]
# Two gateways, as with one gateway all that a conversation has is on one connection.
_SERVERS = [_Numbers(gateways=2, redis=number) for number in (1, 2, 4)]
_APART = [_Numbers(number, number, apart=True) for number in (1, 2, 4, 8)]
# Of a core: so eight of both with their PostgreSQL, Redis and load fit into two.
_SHARES = {"gateway": 0.06, "chat-api": 0.04}
APART_USERS_EACH = 50
_TURNS = 4
_PAIRS = 100
_CONVERSATIONS_EACH = 100
_IN_ONE = 20_000
_CONTENT_BYTES = (1_024, 8_192)


async def workers(programs: Programs, directory: Path) -> list[Result]:
    """Runs each number of workers in turn with one of each, then each number of Redis servers with one."""
    results = await _beside(programs, directory, _Numbers(), _WORKERS)
    first, *others = _SERVERS
    return results + await _beside(programs, directory / "servers", first, others)


async def apart(programs: Programs, directory: Path) -> list[Result]:
    """Runs 1, 2, 4 and 8 of both services, each with a share of a core and users of its own."""
    first, *others = _APART
    return await _beside(programs, directory, first, others)


def apart_shares(roots: Roots) -> dict[int, float]:
    """Returns the share of each worker by its pid. Workers are children of their service's first process."""
    return {
        worker.pid: share
        for service, share in _SHARES.items()
        for pid in roots[service]
        for worker in procfs.children(pid)
    }


async def _beside(
    programs: Programs, directory: Path, first: _Numbers, others: Sequence[_Numbers]
) -> list[Result]:
    """Runs each of the others in turn with the first. Takes the cheapest turn: disturbances only add cost."""
    results: list[Result] = []
    async with _stack(programs, directory, first) as few:
        for numbers in others:
            async with _stack(programs, directory, numbers) as many:
                turns = [(await _sends(few, first), await _sends(many, numbers)) for _ in range(_TURNS)]
            one, result = (min(column, key=lambda run: run.cost) for column in zip(*turns, strict=True))
            results += [replace(one, growth=1.0), replace(result, growth=result.cost / one.cost)]
    return results


async def shapes(programs: Programs, directory: Path) -> list[Result]:
    """Runs one conversation and ten thousand, with short and long messages, on one worker of each service."""
    async with _stack(programs, directory, _Numbers()) as bench:
        seeder = Seeder(bench.server, directory)
        seconds = ("-d", str(_SIZES.durable_s))
        pairs = await seeder.pairs(range(6_000_001, 6_000_001 + 2 * _PAIRS))
        results = [await _durable(bench, f"W2 in {_PAIRS} conversations", pairs, *seconds)]
        many_conversations = await seeder.many_conversations(
            range(6_100_001, 6_100_001 + 2 * _PAIRS), _CONVERSATIONS_EACH
        )
        many = f"W2 in {_PAIRS * _CONVERSATIONS_EACH:,} conversations"
        results.append(await _durable(bench, many, many_conversations, *seconds))
        # One writer keeps a window of messages under way.
        single = await seeder.many_conversations(range(6_200_001, 6_200_003), 1)
        run = (bench.programs.load, "fanout", (single,), "-m", str(_IN_ONE))
        results.append(await bench.measure("W2 in 1 conversation", "message", "acks", *run))
        for size in _CONTENT_BYTES:
            results.append(await _durable(bench, f"W2 of {size:,} bytes", pairs, "-s", str(size), *seconds))
    return _relative_to_first(results)


def _relative_to_first(results: Sequence[Result]) -> list[Result]:
    return [replace(result, growth=result.cost / results[0].cost) for result in results]


@contextlib.asynccontextmanager
async def _stack(programs: Programs, directory: Path, numbers: _Numbers) -> AsyncIterator[Bench]:
    gateways, chat_apis, redis, _ = numbers
    place = directory / f"grow-{gateways}-{chat_apis}-{redis}"
    place.mkdir(parents=True)
    described = f"gateway={gateways},chat-api={chat_apis},presence=1,feed=0,redis={redis}"
    async with embedded_stack(OURS, place, described) as server:
        if not numbers.apart:
            yield Bench(server, programs, place, _SIZES)
            return
        with limited(apart_shares(server.roots)):
            yield Bench(server, programs, place, replace(_SIZES, durable_users=APART_USERS_EACH * gateways))


async def _sends(bench: Bench, numbers: _Numbers) -> Result:
    return replace(await bench.sends(), workload=f"W2 with {numbers}")


async def _durable(bench: Bench, workload: str, users_file: Path, *options: str) -> Result:
    load = bench.programs.load
    return await bench.measure(workload, "message", "acks", load, "durable", (users_file,), *options)
