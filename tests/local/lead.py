"""Owns a supervisor of little programs, for tests: `python -m tests.local.lead DIR SERVICE=PROGRAM …`.

PROGRAM is Python source, or `postgres` or `redis` for the real servers. It runs until SIGTERM, keeps the
pids in DIR/pids.json, and is a process of its own since it adopts and ends every orphan of its children.
"""

import asyncio
import json
import os
import signal
import sys

from messenger_local.child import Child, Recipe
from messenger_local.datadir import DataDir, write_private
from messenger_local.family import Command, Family
from messenger_local.logline import parse_service
from messenger_local.postgres import Postgres
from messenger_local.terminal import Terminal
from messenger_local.valkey import Valkey

PATIENCE_S = 1.0


async def main(data: DataDir, programs: dict[str, str]) -> None:
    """Runs `programs` until SIGTERM."""
    family = Family()
    terminal = Terminal(sys.stdout.fileno(), colour=False)
    children: list[Child] = []

    def tell() -> None:
        pids = {child.service: child.pid for child in children}
        write_private(data.root / "pids.json", json.dumps(pids))

    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    for service, program in programs.items():
        recipe = await make_recipe(data, family, service, program)
        children.append(Child(recipe, family, terminal, tell))
    await stop.wait()
    for child in reversed(children):
        await child.stop()
    await family.sweep()
    terminal.close()


async def make_recipe(data: DataDir, family: Family, service: str, program: str) -> Recipe:
    """How to run one of the programs."""
    if program == "postgres":
        postgres = Postgres(data, family)
        write_private(data.root / "postgres-url", postgres.url)
        await postgres.initialise()
        return postgres.recipe()
    if program == "redis":
        valkey = Valkey(data)
        write_private(data.root / "redis-url", valkey.url)
        return valkey.recipe()
    command = Command((sys.executable, "-c", program), data.root, dict(os.environ))
    return Recipe(service, command, parse_service, signal.SIGTERM, PATIENCE_S)


if __name__ == "__main__":
    place = DataDir.at(sys.argv[1])
    with place.opened():
        asyncio.run(main(place, dict(argument.split("=", 1) for argument in sys.argv[2:])))
