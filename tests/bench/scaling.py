"""Measures how W2 grows: with more workers, with more conversations, with larger messages."""

import contextlib
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from pathlib import Path

from tests.bench.programs import Programs
from tests.bench.report import OURS
from tests.bench.seeding import Seeder
from tests.bench.servers import embedded_stack
from tests.bench.workloads import Bench, Result, Sizes

_SIZES = Sizes(durable_s=4)
# (gateway workers, chat-api workers).
_WORKERS = ((2, 1), (4, 1), (1, 2), (1, 4), (2, 2), (4, 4))
_TURNS = 4
_PAIRS = 100
_CONVERSATIONS_EACH = 100
_IN_ONE = 20_000
_CONTENT_BYTES = (1_024, 8_192)


async def workers(programs: Programs, directory: Path) -> list[Result]:
    """Runs each number of workers in turn with one of each. Takes the cheapest turn: disturbances only add
    cost.
    """
    results: list[Result] = []
    async with _stack(programs, directory, 1, 1) as first:
        for gateways, chat_apis in _WORKERS:
            async with _stack(programs, directory, gateways, chat_apis) as many:
                turns = [
                    (await _sends(first, 1, 1), await _sends(many, gateways, chat_apis))
                    for _ in range(_TURNS)
                ]
            one, result = (min(column, key=lambda run: run.cost) for column in zip(*turns, strict=True))
            results += [replace(one, growth=1.0), replace(result, growth=result.cost / one.cost)]
    return results


async def shapes(programs: Programs, directory: Path) -> list[Result]:
    """Runs one conversation and ten thousand, with short and long messages, on one worker of each service."""
    async with _stack(programs, directory, 1, 1) as bench:
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
async def _stack(programs: Programs, directory: Path, gateways: int, chat_apis: int) -> AsyncIterator[Bench]:
    place = directory / f"grow-{gateways}-{chat_apis}"
    place.mkdir()
    described = f"gateway={gateways},chat-api={chat_apis},presence=1,feed=0"
    async with embedded_stack(OURS, place, described) as server:
        yield Bench(server, programs, place, _SIZES)


async def _sends(bench: Bench, gateways: int, chat_apis: int) -> Result:
    named = f"W2 with {gateways} gateway{'s' * (gateways > 1)}, {chat_apis} chat-api{'s' * (chat_apis > 1)}"
    return replace(await bench.sends(), workload=named)


async def _durable(bench: Bench, workload: str, users_file: Path, *options: str) -> Result:
    load = bench.programs.load
    return await bench.measure(workload, "message", "acks", load, "durable", (users_file,), *options)
