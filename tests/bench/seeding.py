"""Creates the users and conversations that a workload needs, over REST."""

import asyncio
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import aiohttp

from messenger_shared.contract import tokens
from tests.bench.programs import BenchError
from tests.bench.servers import Server

_TOKEN_TTL_S = 3_600
_AT_ONCE = 16
_CONTENT_CHARS = 100
_BASE = "/api/v1/messenger"
_REST_DEADLINE = aiohttp.ClientTimeout(total=60)


class Room(NamedTuple):
    """A conversation, and its pos after it was created."""

    id: str
    pos: int
    members: Sequence[int]


class Seeder:
    """Creates conversations on one server, and writes the files that the load generator reads."""

    def __init__(self, server: Server, directory: Path) -> None:
        self._server = server
        self._directory = directory

    async def group(self, users: Sequence[int]) -> Path:
        """Puts all users into one conversation; the first one is its creator."""
        body = {"type": "group", "title": "Benchmark", "participant_ids": list(users)}
        async with self._session() as session:
            conversation_id = str((await self._create(session, users[0], body))["id"])
        return self._write([(user, conversation_id) for user in users])

    async def pairs(self, users: Sequence[int]) -> Path:
        """Puts the first and second user into a conversation, then the third and fourth, and so on."""
        slots = asyncio.Semaphore(_AT_ONCE)
        async with self._session() as session:

            async def create(one: int, other: int) -> str:
                async with slots:
                    body = {"type": "direct", "participant_ids": [other]}
                    return str((await self._create(session, one, body))["id"])

            pairs = list(zip(users[::2], users[1::2], strict=True))
            made = await asyncio.gather(*(create(*couple) for couple in pairs))
        return self._write([(user, made[index // 2]) for index, user in enumerate(users)])

    async def rooms(self, rooms: Sequence[Sequence[int]]) -> list[Room]:
        """Creates a conversation for each of these groups of users; the first user is the creator."""
        slots = asyncio.Semaphore(_AT_ONCE)
        async with self._session() as session:

            async def create(members: Sequence[int]) -> Room:
                async with slots:
                    body = {"type": "group", "title": "Benchmark", "participant_ids": list(members)}
                    made = await self._create(session, members[0], body)
                    return Room(made["id"], made.get("last_pos", 0), members)

            return await asyncio.gather(*map(create, rooms))

    async def many_conversations(self, users: Sequence[int], each: int) -> Path:
        """Creates pairs as `pairs` does, each in `each` conversations, which load.c uses in turn."""
        pairs = list(zip(users[::2], users[1::2], strict=True))
        rooms = await self.rooms([couple for couple in pairs for _ in range(each)])
        columns = [
            ",".join(room.id for room in rooms[start : start + each]) for start in range(0, len(rooms), each)
        ]
        return self._write([(user, columns[index // 2]) for index, user in enumerate(users)])

    async def write(self, rooms: Sequence[Room], messages: int) -> None:
        """The creator of each conversation sends `messages` messages to it."""
        slots = asyncio.Semaphore(_AT_ONCE)
        async with self._session() as session:

            async def fill(room: Room) -> None:
                async with slots:
                    for number in range(messages):
                        await self._post(
                            session,
                            room.members[0],
                            f"/conversations/{room.id}/messages",
                            {"content": f"{number}".ljust(_CONTENT_CHARS, "x")},
                        )

            await asyncio.gather(*map(fill, rooms))

    def users_file(self, users: Sequence[int]) -> Path:
        """Writes the users file of day.c; a second file holds the conversations."""
        return self._write([(user, "-") for user in users])

    def rooms_file(self, users: Sequence[int], rooms: Sequence[Room], lively: Collection[int] = ()) -> Path:
        """Writes the rooms file of day.c: one line per conversation, its members by their lines in the users
        file.
        """
        lines = {user: line for line, user in enumerate(users)}
        path = self._directory / f"rooms-{self._server.name}-{users[0]}"
        with path.open("w") as file:
            for number, room in enumerate(rooms):
                members = [str(lines[user]) for user in room.members if user in lines]
                print(room.id, room.pos, int(number in lively), *members, file=file)
        return path

    def _session(self) -> aiohttp.ClientSession:
        return aiohttp.ClientSession(f"http://127.0.0.1:{self._server.port}", timeout=_REST_DEADLINE)

    def _token(self, user: int, _conversation: str = "") -> str:
        return tokens.mint(user, self._server.secret, _TOKEN_TTL_S)

    async def _create(
        self, session: aiohttp.ClientSession, user: int, body: dict[str, Any]
    ) -> dict[str, Any]:
        return await self._post(session, user, "/conversations", body)

    async def _post(
        self, session: aiohttp.ClientSession, user: int, path: str, body: dict[str, Any]
    ) -> dict[str, Any]:
        headers = {"Authorization": f"Bearer {self._token(user)}"}
        async with session.post(_BASE + path, json=body, headers=headers) as response:
            if response.status not in (200, 201):
                raise BenchError(f"POST {path} gave {response.status}: {(await response.text())[:300]}")
            answer: dict[str, Any] = await response.json()
            return answer

    def _write(self, rows: Sequence[tuple[int, str]]) -> Path:
        """Writes the users file of load.c: one line per user."""
        path = self._directory / f"users-{self._server.name}-{rows[0][0]}"
        path.write_text(
            "".join(
                f"{user} {self._token(user, conversation)} {conversation}\n" for user, conversation in rows
            )
        )
        return path
