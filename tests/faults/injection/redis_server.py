"""Runs a real Valkey for one run, which may kill, freeze, empty and restart it on the same port."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

from messenger_local import launch
from messenger_local.datadir import DataDir
from messenger_local.valkey import Valkey
from messenger_shared.bus.redis_connection import Address, RedisConnectionLost, connect

START_S = 10.0
_RETRY_S = 0.02
_STOP_S = 2.0


class RedisServer:
    """A Valkey without a supervisor: it is away for as long as the run wants."""

    def __init__(self, root: Path) -> None:
        self._data = DataDir(root)
        root.mkdir(parents=True)
        self._data.run.mkdir()
        self._valkey = Valkey(self._data)
        self._command = self._valkey.spec().command
        self._process: asyncio.subprocess.Process | None = None

    @property
    def url(self) -> str:
        """Returns its address."""
        return self._valkey.url

    async def start(self) -> None:
        """Starts the server, and returns when it answers."""
        # The server dies with the run, however the run ends.
        options = (f"--parent={os.getpid()}", f"--death-signal={signal.SIGKILL:d}")
        self._process = await asyncio.create_subprocess_exec(
            sys.executable,
            *("-I", "-S", launch.__file__, *options),
            *("--", *self._command.argv),
            cwd=self._command.cwd,
            env=dict(self._command.env),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.DEVNULL,
        )
        async with asyncio.timeout(START_S):
            while True:
                try:
                    await self.ask("PING")
                    return
                except RedisConnectionLost:
                    await asyncio.sleep(_RETRY_S)

    async def kill(self) -> None:
        """Kills the server; its data is lost."""
        if self._process is not None and self._process.returncode is None:
            self._process.kill()
            await asyncio.wait_for(self._process.wait(), _STOP_S)

    def signal(self, number: signal.Signals) -> None:
        """Sends SIGSTOP or SIGCONT."""
        if self._process is not None:
            self._process.send_signal(number)

    async def ask(self, *command: str) -> Any:
        """Runs one command over a new connection; raises RedisConnectionLost."""
        link = await connect(Address.parse(self.url), lambda push: None, lambda: None)
        try:
            return await link.request(*command)
        finally:
            link.close()


@asynccontextmanager
async def two_servers(root: Path) -> AsyncIterator[list[RedisServer]]:
    """Yields two servers that answer, and kills them at the end."""
    async with AsyncExitStack() as exits:
        servers = [RedisServer(root / name) for name in ("one", "other")]
        for server in servers:
            exits.push_async_callback(server.kill)
            await server.start()
        yield servers
