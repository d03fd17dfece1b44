"""Owns what has to be there before a workload: users with tokens, and their conversations, made over REST."""

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import aiohttp

from messenger_shared import tokens
from tests.bench.programs import BenchError
from tests.bench.servers import Server

_TOKEN_TTL_S = 3_600
_AT_ONCE = 16
_REST_DEADLINE = aiohttp.ClientTimeout(total=60)


class Arrangement:
    """Makes conversations on one server, and writes them down for the load generator."""

    def __init__(self, server: Server, directory: Path) -> None:
        self._server = server
        self._directory = directory

    async def group(self, users: Sequence[int]) -> Path:
        """All users in one conversation, of which the first is the creator."""
        body = {"type": "group", "title": "Benchmark", "participant_ids": list(users)}
        async with self._session() as session:
            conversation_id = await self._create(session, users[0], body)
        return self._write([(user, conversation_id) for user in users])

    async def pairs(self, users: Sequence[int]) -> Path:
        """The first user in a conversation with the second, the third with the fourth, and so on."""
        slots = asyncio.Semaphore(_AT_ONCE)
        async with self._session() as session:

            async def create(one: int, other: int) -> str:
                async with slots:
                    return await self._create(session, one, {"type": "direct", "participant_ids": [other]})

            couples = list(zip(users[::2], users[1::2], strict=True))
            made = await asyncio.gather(*(create(*couple) for couple in couples))
        return self._write([(user, made[index // 2]) for index, user in enumerate(users)])

    def _session(self) -> aiohttp.ClientSession:
        return aiohttp.ClientSession(f"http://127.0.0.1:{self._server.port}", timeout=_REST_DEADLINE)

    def _token(self, user: int) -> str:
        return tokens.mint(user, self._server.secret, _TOKEN_TTL_S)

    async def _create(self, session: aiohttp.ClientSession, user: int, body: dict[str, Any]) -> str:
        headers = {"Authorization": f"Bearer {self._token(user)}"}
        path = "/api/v1/messenger/conversations"
        async with session.post(path, json=body, headers=headers) as response:
            if response.status not in (200, 201):
                raise BenchError(f"POST {path} gave {response.status}: {(await response.text())[:300]}")
            return str((await response.json())["id"])

    def _write(self, rows: Sequence[tuple[int, str]]) -> Path:
        """The users file of load.c: a line a user."""
        path = self._directory / f"users-{self._server.name}-{rows[0][0]}"
        path.write_text(
            "".join(f"{user} {self._token(user)} {conversation}\n" for user, conversation in rows)
        )
        return path
