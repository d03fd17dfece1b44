"""A request that a dead worker carried out and never answered: asked again, it is done, and told."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest

from chat_api.handlers.participants import ParticipantHandlers
from chat_api.heads import Heads
from chat_api.publish import Publisher
from chat_api.rules.conversations import new_conversation
from chat_api.storage.conversations import PgConversations
from chat_api.storage.participants import PgParticipants
from messenger_shared.errors import AppError
from messenger_shared.identifiers import new_id
from messenger_shared.memory_bus import MemoryBroker, MemoryBus
from messenger_shared.postgres import Database
from messenger_shared.rpc import Request
from tests.databases import logged_in

ADMIN, MEMBER, STRANGER = 1, 2, 3


class NotedHeads(Heads):
    """Notes what gateways shall compare."""

    def __init__(self) -> None:
        super().__init__(MemoryBus(MemoryBroker(), "chat-api"))
        self.noted: list[str | int] = []

    def moved(self, conversation_id: str, pos: int) -> None:
        self.noted.append(pos)

    def joined(self, user_id: int) -> None:
        self.noted.append(f"user {user_id}")


class World:
    """The handlers of one worker over a real database."""

    def __init__(self, database: Database) -> None:
        self.conversations = PgConversations(database)
        self.heads = NotedHeads()
        publisher = Publisher(MemoryBus(MemoryBroker(), "chat-api"), self.heads)
        self.handlers = ParticipantHandlers(PgParticipants(database), self.conversations, publisher)

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
    world.heads.noted.clear()
    await world.handlers.leave(request(MEMBER, True, conversation_id=room))
    assert world.heads.noted == [2, f"user {MEMBER}"]


async def test_removing_again_is_done_and_told(world: World) -> None:
    room = await world.create()
    await world.handlers.remove(request(ADMIN, False, conversation_id=room, user_id=MEMBER))
    world.heads.noted.clear()
    await world.handlers.remove(request(ADMIN, True, conversation_id=room, user_id=MEMBER))
    assert world.heads.noted == [2, f"user {MEMBER}"]


async def test_adding_again_is_told(world: World) -> None:
    room = await world.create()
    body = {"conversation_id": room, "user_ids": [STRANGER], "role": "member"}
    await world.handlers.add(request(ADMIN, False, **body))
    world.heads.noted.clear()
    page = await world.handlers.add(request(ADMIN, True, **body))
    assert [row["user_id"] for row in page["items"]] == [ADMIN, MEMBER, STRANGER]
    assert world.heads.noted == [2, f"user {STRANGER}"]


@pytest.mark.parametrize("again", [False, True])
async def test_a_stranger_finds_nothing_to_leave_however_often_he_asks(world: World, again: bool) -> None:
    room = await world.create()
    with pytest.raises(AppError) as caught:
        await world.handlers.leave(request(STRANGER, again, conversation_id=room))
    assert caught.value.kind.code == "not_found"
