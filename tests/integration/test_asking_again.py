"""A worker carries out a request and dies before it answers: the repeated request has no second effect."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest

from chat_api.handlers.participants import ParticipantHandlers
from chat_api.high_water_marks import HighWaterMarks
from chat_api.publisher import Publisher
from chat_api.rules.conversations import new_conversation
from chat_api.storage.conversations import PgConversations
from chat_api.storage.participants import PgParticipants
from chat_api.storage.users import PgUsers
from messenger_shared.bus.memory_bus import MemoryBroker, MemoryBus
from messenger_shared.contract.errors import AppError
from messenger_shared.contract.identifiers import new_id
from messenger_shared.postgres.database import Database
from messenger_shared.rpc.messages import Request
from tests.databases import logged_in

ADMIN, MEMBER, STRANGER = 1, 2, 3


class RecordedHighWaterMarks(HighWaterMarks):
    """Records what it would publish to gateways."""

    def __init__(self) -> None:
        super().__init__(MemoryBus(MemoryBroker(), "chat-api"))
        self.noted: list[str | int] = []

    def record_pos(self, conversation_id: str, pos: int) -> None:
        self.noted.append(pos)

    def record_membership_change(self, user_id: int) -> None:
        self.noted.append(f"user {user_id}")


class World:
    """The handlers of one worker over a real database."""

    def __init__(self, database: Database) -> None:
        self.conversations = PgConversations(database)
        self.high_water_marks = RecordedHighWaterMarks()
        publisher = Publisher(MemoryBus(MemoryBroker(), "chat-api"), self.high_water_marks)
        self.handlers = ParticipantHandlers(
            PgParticipants(database), self.conversations, PgUsers(database), publisher
        )

    async def create(self) -> str:
        new = new_conversation(new_id(), "group", "t", ADMIN, [MEMBER])
        return (await self.conversations.create(new))[0]


@pytest.fixture
async def world(chat_database_url: str) -> AsyncIterator[World]:
    async with logged_in(chat_database_url) as database:
        yield World(database)


def request(caller: int, again: bool, **body: Any) -> Request:
    return Request(1, "operation", caller, 5_000, "", body, again)


async def test_leaving_again_is_done_and_told(world: World) -> None:
    room = await world.create()
    await world.handlers.leave(request(MEMBER, False, conversation_id=room))
    world.high_water_marks.noted.clear()
    await world.handlers.leave(request(MEMBER, True, conversation_id=room))
    assert world.high_water_marks.noted == [2, f"user {MEMBER}"]


async def test_removing_again_is_done_and_told(world: World) -> None:
    room = await world.create()
    await world.handlers.remove(request(ADMIN, False, conversation_id=room, user_id=MEMBER))
    world.high_water_marks.noted.clear()
    await world.handlers.remove(request(ADMIN, True, conversation_id=room, user_id=MEMBER))
    assert world.high_water_marks.noted == [2, f"user {MEMBER}"]


async def test_adding_again_is_told(world: World) -> None:
    room = await world.create()
    body = {"conversation_id": room, "user_ids": [STRANGER], "role": "member"}
    await world.handlers.add(request(ADMIN, False, **body))
    world.high_water_marks.noted.clear()
    page = await world.handlers.add(request(ADMIN, True, **body))
    assert [row["user_id"] for row in page["items"]] == [ADMIN, MEMBER, STRANGER]
    assert world.high_water_marks.noted == [2, f"user {STRANGER}"]


@pytest.mark.parametrize("again", [False, True])
async def test_a_stranger_finds_nothing_to_leave_however_often_he_asks(world: World, again: bool) -> None:
    room = await world.create()
    with pytest.raises(AppError) as caught:
        await world.handlers.leave(request(STRANGER, again, conversation_id=room))
    assert caught.value.kind.code == "not_found"
