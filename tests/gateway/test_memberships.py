"""Which events reach the sockets of a gateway worker, however badly the bus behaves."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator

import orjson
import pytest

from messenger_shared.bus import channels
from messenger_shared.contract.errors import AppError
from messenger_shared.contract.operations import conversations
from tests.gateway.world import GatewayWorld, contents
from tests.waiting import until


@pytest.fixture
async def world() -> AsyncIterator[GatewayWorld]:
    world = GatewayWorld()
    await world.start()
    yield world
    await world.stop()


async def test_every_socket_of_every_member_gets_a_message_once(world: GatewayWorld) -> None:
    world.chat.create("c", 1, 2)
    world.chat.create("d", 3)
    sockets = [await world.connect(user) for user in (1, 1, 2)]
    stranger = await world.connect(3)
    world.chat.say("c", "hi")
    await until(lambda: all(contents(socket) for socket in sockets))
    assert [contents(socket) for socket in sockets] == [["hi"]] * 3
    assert contents(stranger) == []


async def test_a_burst_is_one_write_in_order(world: GatewayWorld) -> None:
    world.chat.create("c", 1)
    socket = await world.connect(1)
    for n in range(50):
        world.chat.say("c", str(n))
    await until(lambda: len(contents(socket)) == 50)
    assert contents(socket) == [str(n) for n in range(50)]


async def test_who_connects_gets_nothing_from_before(world: GatewayWorld) -> None:
    world.chat.create("c", 1)
    world.chat.say("c", "old")
    socket = await world.connect(1)
    world.chat.say("c", "new")
    await until(lambda: contents(socket))
    assert contents(socket) == ["new"]


async def test_a_new_conversation_is_told_once_to_each_socket_and_heard_at_once(world: GatewayWorld) -> None:
    sockets = [await world.connect(user) for user in (1, 2, 2)]
    world.chat.announce("c", 1, 2)
    world.chat.say("c", "first")
    await until(lambda: all(contents(socket) for socket in sockets))
    for socket in sockets:
        assert [frame["type"] for frame in socket.frames()] == ["conversation.created", "message.new"]


async def test_a_lost_event_is_fetched_when_the_next_one_comes(world: GatewayWorld) -> None:
    world.chat.create("c", 1)
    socket = await world.connect(1)
    world.broker.drops = lambda channel, payload: channel == channels.conversation("c")
    world.chat.say("c", "lost")
    await until(lambda: not world.chat.bus._outbox)
    world.broker.drops = lambda channel, payload: False
    world.chat.say("c", "seen")
    await until(lambda: len(contents(socket)) == 2)
    assert contents(socket) == ["lost", "seen"]


async def test_the_last_event_before_silence_is_found_by_the_heads(world: GatewayWorld) -> None:
    world.chat.create("c", 1)
    socket = await world.connect(1)
    world.broker.drops = lambda channel, payload: channel == channels.conversation("c")
    world.chat.say("c", "lost")
    await until(lambda: contents(socket))
    assert contents(socket) == ["lost"]


async def test_a_lost_invitation_is_found_by_the_heads(world: GatewayWorld) -> None:
    socket = await world.connect(1)
    world.broker.drops = lambda channel, payload: channel == channels.user(1)
    world.chat.announce("c", 1)
    await until(lambda: "c" in world.hub.rooms)
    world.chat.say("c", "hi")
    await until(lambda: contents(socket))


async def test_after_a_gap_of_the_bus_everything_is_compared(world: GatewayWorld) -> None:
    world.chat.create("c", 1)
    socket = await world.connect(1)
    world.broker.drops = lambda channel, payload: (
        channel in (channels.HIGH_WATER_MARKS, channels.conversation("c"))
    )
    world.chat.say("c", "lost")
    await until(lambda: not world.chat.bus._outbox)
    await world.bus.interrupt()
    await until(lambda: contents(socket))


async def test_a_hole_is_fetched_once_for_all_sockets(world: GatewayWorld) -> None:
    world.chat.create("c", *range(1, 21))
    sockets = [await world.connect(user) for user in range(1, 21)]
    world.broker.drops = lambda channel, payload: channel == channels.conversation("c")
    world.chat.say("c", "lost")
    await until(lambda: all(contents(socket) for socket in sockets))
    assert world.chat.asked.count(conversations.CHANGES.name) == 1


async def test_a_repair_goes_on_until_chat_api_is_back(world: GatewayWorld) -> None:
    world.chat.create("c", 1)
    socket = await world.connect(1)
    world.chat.away = True
    world.broker.drops = lambda channel, payload: channel == channels.conversation("c")
    world.chat.say("c", "lost")
    await until(lambda: world.chat.asked.count(conversations.CHANGES.name) >= 2)
    assert contents(socket) == []
    world.chat.away = False
    await until(lambda: contents(socket))


@pytest.mark.parametrize("seed", range(5))
async def test_with_every_third_bus_message_lost_all_views_are_equal(world: GatewayWorld, seed: int) -> None:
    chance = random.Random(seed)
    for id_ in ("c", "d"):
        world.chat.create(id_, 1, 2)
    sockets = [await world.connect(user) for user in (1, 2)]
    world.broker.drops = lambda channel, payload: channel.startswith("conv") and chance.random() < 0.33
    for n in range(60):
        world.chat.say(chance.choice("cd"), str(n))
        if chance.random() < 0.5:
            await until(lambda: not world.chat.bus._outbox)
    await until(lambda: all(len(contents(socket)) == 60 for socket in sockets))
    for id_ in ("c", "d"):
        contents_sent = [orjson.loads(event.frame)["data"]["content"] for event in world.chat.log[id_]]
        for socket in sockets:
            frames = [f for f in socket.frames() if f.get("conversation_id") == id_]
            assert [frame["data"]["content"] for frame in frames] == contents_sent


async def test_nobody_arrives_while_chat_api_is_away_and_can_again_later(world: GatewayWorld) -> None:
    world.chat.create("c", 1)
    world.chat.away = True
    with pytest.raises(AppError):
        await world.connect(1)
    world.chat.away = False
    socket = await world.connect(1)
    world.chat.say("c", "hi")
    await until(lambda: contents(socket))


async def test_the_last_socket_to_go_ends_the_listening(world: GatewayWorld) -> None:
    world.chat.create("c", 1)
    await world.connect(1)
    assert channels.conversation("c") in world.bus.handlers
    member = world.hub.members.pop(1)
    world.memberships.depart(member)
    assert not world.hub.rooms
    assert set(world.bus.handlers) == {
        channels.HIGH_WATER_MARKS,
        channels.replies("gateway"),
        channels.workers("chat-api"),
        channels.workers("presence"),
    }
