"""Starts one service under gunicorn, as a container does, without the stack around it."""

from __future__ import annotations

import asyncio
import json
import os
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp

_CONF = Path(__file__).parents[2] / "deploy" / "gunicorn.conf.py"
# gunicorn's exit code for a worker that could not start.
BOOT_FAILED = 3
READY_S = 30.0
_STOP_S = 20.0


class Service:
    """One of the three services under gunicorn, and its log."""

    def __init__(self, process: asyncio.subprocess.Process, url: str, log: Path) -> None:
        self.process = process
        self.url = url
        self._log = log

    def log_texts(self) -> list[str]:
        """Returns the texts of its log lines."""
        return [json.loads(line)["message"] for line in self._log.read_text().splitlines() if line[0] == "{"]

    async def is_ready(self) -> bool:
        """Whether it reports that it is ready."""
        assert self.process.returncode is None, self.log_texts()
        try:
            async with aiohttp.ClientSession() as http, http.get(f"{self.url}/readyz") as response:
                return response.status == 200
        except aiohttp.ClientError:
            return False

    async def end(self) -> int:
        """Ends it unless it ends by itself; returns its exit code."""
        return await asyncio.wait_for(self.process.wait(), _STOP_S)


@asynccontextmanager
async def running(package: str, env: dict[str, str], folder: Path) -> AsyncIterator[Service]:
    """Starts the service with these settings on a free port, and ends it."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        bind = f"127.0.0.1:{probe.getsockname()[1]}"
    command = (sys.executable, "-m", "gunicorn", "-c", str(_CONF), f"{package}.app:create_app")
    env = {**os.environ, **env, "MESSENGER_BIND": bind, "MESSENGER_GRACEFUL_S": "5", "MESSENGER_DRAIN_S": "1"}
    log = folder / f"{package}.log"
    with log.open("wb") as file:
        process = await asyncio.create_subprocess_exec(*command, env=env, stdout=file, stderr=file)
    service = Service(process, f"http://{bind}", log)
    try:
        yield service
    finally:
        if process.returncode is None:
            process.terminate()
        await service.end()
