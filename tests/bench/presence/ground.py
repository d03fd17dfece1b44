"""Owns what has to be there before a run: the stack without limits and grace, and conversations."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import aiohttp

from messenger_shared import tokens
from tests.bench.programs import BenchError
from tests.bench.usage import Roots
from tests.stack import running_stack

SERVICES: Final = ("gateway", "chat-api", "presence", "redis", "postgres")
BASE_PATH: Final = "/api/v1/messenger"
ADDED_AT_ONCE: Final = 1_000
_ENV: Final = {
    "MESSENGER_PRESENCE_GRACE_MS": "0",
    "MESSENGER_MESSAGES_PER_S": "0",
    "MESSENGER_FRAMES_PER_S": "0",
    "MESSENGER_MAX_SOCKETS": "0",
}
_TTL_S: Final = 3_600
_DEADLINE: Final = aiohttp.ClientTimeout(total=60)


@dataclass(frozen=True, slots=True)
class Ground:
    """A running stack."""

    port: int
    secret: bytes
    redis_url: str
    roots: Roots

    def token(self, user_id: int) -> str:
        """A token of the user."""
        return tokens.mint(user_id, self.secret, _TTL_S)

    @property
    def socket_url(self) -> str:
        """Where sockets open."""
        return f"ws://127.0.0.1:{self.port}{BASE_PATH}/ws"

    def bearer(self, user_id: int) -> dict[str, str]:
        """The header of the user."""
        return {"Authorization": f"Bearer {self.token(user_id)}"}


@contextlib.asynccontextmanager
async def laid(directory: Path, port: int, workers: str) -> AsyncIterator[Ground]:
    """The stack, once it knows all of its gateways."""
    async with running_stack(directory / "data", port, workers, _ENV) as stack:
        rows = (await stack.status())["processes"]
        roots = {
            service: frozenset(row["pid"] for row in rows if row["service"] == service)
            for service in SERVICES
        }
        secret = (directory / "data" / "secret").read_text().strip().encode()
        # Until then nobody is taken for gone.
        await asyncio.sleep(6)
        yield Ground(port, secret, stack.redis_url, roots)


async def gather_all(ground: Ground, users: Sequence[int]) -> str:
    """All users in one conversation, which the first one makes."""
    async with aiohttp.ClientSession(f"http://127.0.0.1:{ground.port}", timeout=_DEADLINE) as session:
        founder = users[0]
        body = {"type": "group", "title": "Benchmark", "participant_ids": []}
        room = (await _post(session, ground, founder, "/conversations", body))["id"]
        for start in range(0, len(users), ADDED_AT_ONCE):
            added = {"user_ids": list(users[start : start + ADDED_AT_ONCE])}
            await _post(session, ground, founder, f"/conversations/{room}/participants", added)
        return str(room)


async def _post(
    session: aiohttp.ClientSession, ground: Ground, user_id: int, path: str, body: dict[str, Any]
) -> dict[str, Any]:
    async with session.post(BASE_PATH + path, json=body, headers=ground.bearer(user_id)) as response:
        if response.status not in (200, 201):
            raise BenchError(f"POST {path} gave {response.status}: {(await response.text())[:300]}")
        found: dict[str, Any] = await response.json()
        return found
