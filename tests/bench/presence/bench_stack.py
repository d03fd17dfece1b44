"""Prepares the runs: a stack without limits and without a grace period, and conversations."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import aiohttp

from messenger_shared.contract import tokens
from tests.bench.programs import BenchError
from tests.bench.usage import Roots
from tests.stack import running_stack

SERVICES: Final = ("gateway", "chat-api", "presence", "feed", "redis", "postgres")
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
class BenchStack:
    """A running stack."""

    port: int
    secret: bytes
    redis_url: str
    roots: Roots

    def token(self, user_id: int) -> str:
        """Returns a token of the user."""
        return tokens.mint(user_id, self.secret, _TTL_S)

    @property
    def socket_url(self) -> str:
        """Returns the URL for sockets."""
        return f"ws://127.0.0.1:{self.port}{BASE_PATH}/ws"

    def bearer(self, user_id: int) -> dict[str, str]:
        """Returns the header with the user's token."""
        return {"Authorization": f"Bearer {self.token(user_id)}"}


@contextlib.asynccontextmanager
async def running_bench_stack(directory: Path, port: int, workers: str) -> AsyncIterator[BenchStack]:
    """Yields the stack as soon as presence knows all of its gateways."""
    async with running_stack(directory / "data", port, workers, _ENV) as stack:
        rows = (await stack.status())["processes"]
        roots = {
            service: frozenset(row["pid"] for row in rows if row["service"] == service)
            for service in SERVICES
        }
        secret = (directory / "data" / "secret").read_text().strip().encode()
        # Presence takes nobody for gone before that.
        await asyncio.sleep(6)
        yield BenchStack(port, secret, stack.redis_url, roots)


async def create_conversation(bench_stack: BenchStack, users: Sequence[int]) -> str:
    """Puts all users into one conversation, which the first one creates."""
    async with aiohttp.ClientSession(f"http://127.0.0.1:{bench_stack.port}", timeout=_DEADLINE) as session:
        founder = users[0]
        body = {"type": "group", "title": "Benchmark", "participant_ids": []}
        room = (await _post(session, bench_stack, founder, "/conversations", body))["id"]
        for start in range(0, len(users), ADDED_AT_ONCE):
            added = {"user_ids": list(users[start : start + ADDED_AT_ONCE])}
            await _post(session, bench_stack, founder, f"/conversations/{room}/participants", added)
        return str(room)


async def pairs_file(stack: BenchStack, directory: Path, users: range) -> Path:
    """Creates a conversation for each pair of users; returns the users file of load.c."""
    lines = []
    for pair in zip(users[::2], users[1::2], strict=True):
        room = await create_conversation(stack, pair)
        lines += [f"{user} {stack.token(user)} {room}\n" for user in pair]
    path = directory / "chatters"
    path.write_text("".join(lines))
    return path


async def _post(
    session: aiohttp.ClientSession, bench_stack: BenchStack, user_id: int, path: str, body: dict[str, Any]
) -> dict[str, Any]:
    async with session.post(BASE_PATH + path, json=body, headers=bench_stack.bearer(user_id)) as response:
        if response.status not in (200, 201):
            raise BenchError(f"POST {path} gave {response.status}: {(await response.text())[:300]}")
        found: dict[str, Any] = await response.json()
        return found
