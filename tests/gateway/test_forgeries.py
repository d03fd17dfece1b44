"""Forged messages on the bus cost a few questions, and change nothing."""

from __future__ import annotations

from collections.abc import AsyncIterator

import orjson
import pytest

from gateway.delivery import rooms
from messenger_shared.bus import channels
from messenger_shared.contract.events import MESSAGE_NEW, Event, pack
from messenger_shared.contract.operations import conversations
from tests.gateway.world import GatewayWorld, contents
from tests.waiting import until

FAR = 10**9
HERE = channels.conversation("c")


@pytest.fixture
async def world(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[GatewayWorld]:
    monkeypatch.setattr(rooms, "REPAIR_RETRY_S", 0.01)
    world = GatewayWorld()
    await world.start()
    yield world
    await world.stop()


def far_event(conversation_id: str, pos: int = FAR) -> bytes:
    return pack([Event(MESSAGE_NEW, conversation_id, pos, 0, b'{"type":"message.new"}')])


FORGED = {
    "an event far ahead": (HERE, far_event("c")),
    "heads far ahead": (channels.HIGH_WATER_MARKS, orjson.dumps({"positions": {"c": FAR}, "users": []})),
    "an event far ahead for the user": (channels.user(1), far_event("c")),
}


@pytest.mark.parametrize("name", FORGED)
async def test_a_place_that_does_not_exist_is_asked_for_a_few_times_and_forgotten(
    world: GatewayWorld, name: str
) -> None:
    world.chat.create("c", 1)
    socket = await world.connect(1)
    channel, payload = FORGED[name]
    world.chat.bus.publish(channel, payload)
    room = world.hub.rooms["c"]
    await until(lambda: world.chat.asked.count(conversations.CHANGES.name) == rooms.MAX_EMPTY_FETCHES)
    await until(lambda: not room.stream.has_hole)
    world.chat.say("c", "true")
    await until(lambda: contents(socket) == ["true"])
    assert world.chat.asked.count(conversations.CHANGES.name) == rooms.MAX_EMPTY_FETCHES


async def test_what_is_told_on_a_channel_of_another_conversation_is_asked_for_and_not_believed(
    world: GatewayWorld,
) -> None:
    world.chat.create("c", 1)
    world.chat.create("d", 2)
    one, two = await world.connect(1), await world.connect(2)
    world.chat.bus.publish(HERE, far_event("d"))
    world.chat.say("c", "in c")
    world.chat.say("d", "in d")
    await until(lambda: (contents(one), contents(two)) == (["in c"], ["in d"]))
