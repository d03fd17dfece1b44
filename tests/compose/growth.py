"""Measures W2 on containers: 1 to 8 gateways and chat-apis, each in its network with a share of a core.

It needs the images that `make e2e-compose` builds, root and cgroup v1.
"""

from __future__ import annotations

import asyncio
import secrets
import sys
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from aiohttp.test_utils import unused_port

from tests.bench.command import measured
from tests.bench.programs import BenchError, Programs
from tests.bench.quota import limited
from tests.bench.report import OURS, table
from tests.bench.scaling import APART_USERS_EACH, apart_shares
from tests.bench.servers import NO_LIMITS, Server, allow_many_files
from tests.bench.workloads import Bench, Result, Sizes
from tests.compose.__main__ import ALL, UP_S, settings
from tests.compose.__main__ import OURS as SERVICES
from tests.compose.engine import Engine, Failed, NoEngine

# One of both at the end too, since the machine's speed changes.
_NUMBERS = (1, 2, 4, 8, 1)
_TURNS = 3


def main() -> None:
    """Prints a row for each number of workers."""
    allow_many_files()
    results = measured("growth", _measure_all)
    if results:
        one = min(results[0].cost, results[-1].cost)
        print(table([replace(result, growth=result.cost / one) for result in results]))


async def _measure_all(programs: Programs, directory: Path) -> list[Result]:
    try:
        return [await _on_containers(programs, directory, number) for number in _NUMBERS]
    except NoEngine as reason:
        print(f"skipped: {reason}")
        return []
    except Failed as error:
        raise BenchError(str(error)) from error


async def _on_containers(programs: Programs, directory: Path, number: int) -> Result:
    port, secret = unused_port(), secrets.token_hex(32)
    environment = directory / ".env"
    scales = {"SCALE_GATEWAY": str(number), "SCALE_CHAT_API": str(number), "SCALE_OTHERS": "1"}
    environment.write_text(settings(port, secret, NO_LIMITS | scales))
    engine = Engine(environment)
    try:
        server = Server(OURS, port, secret.encode(), await asyncio.to_thread(_up, engine))
        return await _measure(Bench(server, programs, directory, _sizes(number)), number)
    finally:
        await asyncio.to_thread(engine.compose, "down", "--volumes", "--timeout=2")


def _up(engine: Engine) -> Mapping[str, frozenset[int]]:
    """Starts the containers; returns the first process of each, by service."""
    engine.compose("up", "--detach", timeout_s=UP_S)
    engine.wait_healthy([container for name in SERVICES for container in engine.containers(name)])
    return {name: frozenset(map(engine.pid, engine.containers(name))) for name in ALL}


def _sizes(number: int) -> Sizes:
    return Sizes(durable_users=APART_USERS_EACH * number, durable_s=4)


async def _measure(bench: Bench, number: int) -> Result:
    """Returns the cheapest of several runs: disturbances only add cost."""
    # Without a limit, so that the conversations are there, and all code has run once.
    await bench.sends()
    with limited(apart_shares(bench.server.roots)):
        runs = [await bench.sends() for _ in range(_TURNS)]
    best = min(runs, key=lambda run: run.cost)
    print(f"growth: {number} of both: {best.cost:.1f} µs a message", file=sys.stderr, flush=True)
    return replace(best, workload=f"W2 on containers, {number} of both")


if __name__ == "__main__":
    main()
