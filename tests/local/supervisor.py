"""A supervisor of little programs, for tests: `python -m tests.local.supervisor DIR SERVICE=PROGRAM …`.

PROGRAM is Python source, or `postgres` or `redis` for the real servers. It runs until SIGTERM and keeps the
pids in DIR/pids.json. It is a separate process, since it adopts and ends every orphan of its children.
"""

import asyncio
import json
import os
import signal
import sys

from messenger_local.child import Child, ProcessSpec
from messenger_local.datadir import DataDir, write_private
from messenger_local.logline import parse_service
from messenger_local.postgres import Postgres
from messenger_local.processes import Command, ProcessManager
from messenger_local.terminal import Terminal
from messenger_local.valkey import Valkey

STOP_TIMEOUT_S = 1.0


async def main(data: DataDir, programs: dict[str, str]) -> None:
    """Runs `programs` until SIGTERM."""
    processes = ProcessManager()
    terminal = Terminal(sys.stdout.fileno(), colour=False)
    children: list[Child] = []

    def write_pids() -> None:
        pids = {child.service: child.pid for child in children}
        write_private(data.root / "pids.json", json.dumps(pids))

    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    for service, program in programs.items():
        spec = await make_spec(data, processes, service, program)
        children.append(Child(spec, processes, terminal, write_pids))
    await stop.wait()
    for child in reversed(children):
        await child.stop()
    await processes.end_orphans()
    terminal.close()


async def make_spec(data: DataDir, processes: ProcessManager, service: str, program: str) -> ProcessSpec:
    """Returns how to run one of the programs."""
    if program == "postgres":
        postgres = Postgres(data, processes)
        write_private(data.root / "postgres-url", postgres.url)
        await postgres.initialise()
        return postgres.spec()
    if program == "redis":
        valkey = Valkey(data)
        write_private(data.root / "redis-url", valkey.url)
        return valkey.spec()
    command = Command((sys.executable, "-c", program), data.root, dict(os.environ))
    return ProcessSpec(service, command, parse_service, signal.SIGTERM, STOP_TIMEOUT_S)


if __name__ == "__main__":
    directory = DataDir.at(sys.argv[1])
    with directory.opened():
        asyncio.run(main(directory, dict(argument.split("=", 1) for argument in sys.argv[2:])))
