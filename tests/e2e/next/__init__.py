"""Runs the Next.js example's route handler in Node.js alone."""

from __future__ import annotations

import asyncio
import shutil
from asyncio.subprocess import PIPE
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest

ROOT = Path(__file__).parents[3]
EXAMPLE = ROOT / "shared/sdk/examples/next-receiver"
WEB = ROOT / "services/gateway/web"
WAIT_S = 30.0


class NextReceiver:
    """The example while it runs."""

    def __init__(self, process: asyncio.subprocess.Process, http: aiohttp.ClientSession) -> None:
        self._process = process
        self.http = http
        self.url = ""

    async def start(self) -> None:
        """Returns when it listens."""
        self.url = f"http://127.0.0.1:{int(await self._line())}/messenger-webhook"

    async def know(self, *secrets: str) -> None:
        """Gives it these secrets instead of those that it has."""
        assert self._process.stdin is not None
        self._process.stdin.write(" ".join(secrets).encode() + b"\n")
        assert await self._line() == b"changed\n"

    async def kept(self) -> Any:
        """What it keeps: `messages` by id, and the ids of events that it has `taken`."""
        async with self.http.get(self.url) as response:
            return await response.json()

    async def post(self, body: bytes, headers: dict[str, str]) -> int:
        """Posts this to it, and returns the status."""
        async with self.http.post(self.url, data=body, headers=headers) as response:
            return response.status

    async def _line(self) -> bytes:
        assert self._process.stdout is not None
        async with asyncio.timeout(WAIT_S):
            return await self._process.stdout.readline()


@asynccontextmanager
async def next_receiver() -> AsyncIterator[NextReceiver]:
    """Yields the example. Skips the test without Node.js."""
    node = shutil.which("node")
    if node is None or not (WEB / "node_modules/standardwebhooks").is_dir():
        pytest.skip("Node.js, or what `make web` installs, is missing: the Next.js example was not tested")
    host = Path(__file__).with_name("host.mjs")
    process = await asyncio.create_subprocess_exec(node, host, EXAMPLE, cwd=WEB, stdin=PIPE, stdout=PIPE)
    try:
        async with aiohttp.ClientSession() as http:
            receiver = NextReceiver(process, http)
            await receiver.start()
            yield receiver
    finally:
        process.kill()
        await process.wait()
