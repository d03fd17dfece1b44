"""A removed user gets nothing from then on, and a returning one gets everything, however badly the bus
behaves.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from gateway.delivery import rooms
from messenger_shared.bus import channels
from messenger_shared.contract.operations import conversations
from tests.gateway.world import GatewayWorld, RecordingTransport, contents
from tests.waiting import until


@pytest.fixture
async def world() -> AsyncIterator[GatewayWorld]:
    world = GatewayWorld()
    await world.start()
    yield world
    await world.stop()


def of_room(socket: RecordingTransport) -> list[str]:
    return [frame["type"] for frame in socket.frames()]


async def test_the_removed_one_gets_the_removal_as_his_last_frame(world: GatewayWorld) -> None:
    world.chat.create("c", 1, 2)
    stays, goes = await world.connect(1), await world.connect(2)
    world.chat.say("c", "before")
    world.chat.change_member("c", "removed", 2)
    world.chat.say("c", "after")
    await until(lambda: contents(stays) == ["before", "after"])
    assert of_room(goes) == ["message.new", "participant.removed"]
    assert of_room(stays) == ["message.new", "participant.removed", "message.new"]


@pytest.mark.parametrize(
    "lost", [[channels.conversation("c")], [channels.conversation("c"), channels.user(2)]]
)
async def test_a_removal_that_was_lost_is_found_and_nothing_leaks_before(
    world: GatewayWorld, lost: list[str]
) -> None:
    world.chat.create("c", 1, 2)
    stays, goes = await world.connect(1), await world.connect(2)
    world.broker.drops = lambda channel, payload: channel in lost
    world.chat.change_member("c", "removed", 2)
    await until(lambda: not world.chat.bus._outbox)
    world.broker.drops = lambda channel, payload: False
    world.chat.say("c", "after")
    await until(lambda: contents(stays) == ["after"])
    await until(lambda: 2 not in world.hub.rooms["c"].members)
    assert of_room(goes) == ["participant.removed"]


@pytest.mark.parametrize("own_channel_loses_it", [False, True])
async def test_memberships_that_were_read_before_a_removal_let_nobody_in(
    world: GatewayWorld, own_channel_loses_it: bool
) -> None:
    world.chat.create("c", 1, 2)
    stays = await world.connect(1)
    world.chat.may_answer_memberships.clear()
    arriving = asyncio.create_task(world.connect(2))
    await until(lambda: world.chat.asked.count(conversations.MEMBERSHIPS.name) == 2)
    world.broker.drops = lambda channel, _: own_channel_loses_it and channel == channels.user(2)
    world.chat.change_member("c", "removed", 2)
    await until(lambda: "participant.removed" in of_room(stays))
    world.chat.may_answer_memberships.set()
    late = await arriving
    world.chat.say("c", "after")
    await until(lambda: contents(stays) == ["after"])
    assert of_room(late) == []


async def test_who_is_added_again_hears_again(world: GatewayWorld) -> None:
    world.chat.create("c", 1, 2)
    stays, returns = await world.connect(1), await world.connect(2)
    world.chat.change_member("c", "removed", 2)
    world.chat.say("c", "between")
    world.chat.change_member("c", "added", 2)
    world.chat.say("c", "after")
    await until(lambda: contents(stays) == ["between", "after"])
    assert of_room(returns) == ["participant.removed", "participant.added", "message.new"]
    assert contents(returns) == ["after"]


async def test_who_left_and_came_back_unseen_hears_nothing_of_the_time_between(world: GatewayWorld) -> None:
    world.chat.create("c", 1, 2)
    stays, returns = await world.connect(1), await world.connect(2)
    world.broker.drops = lambda channel, payload: True
    world.chat.change_member("c", "removed", 2)
    world.chat.say("c", "between")
    world.chat.change_member("c", "added", 2)
    await until(lambda: not world.chat.bus._outbox)
    world.broker.drops = lambda channel, payload: False
    world.chat.say("c", "after")
    await until(lambda: contents(stays) == ["between", "after"])
    assert contents(returns) == ["after"]


async def test_a_membership_that_was_read_before_a_removal_brings_nobody_back(world: GatewayWorld) -> None:
    world.chat.create("c", 1)
    gone = await world.connect(1)
    # The event on the conversation's channel suffices; the user's own channel may lose its copy.
    world.broker.drops = lambda channel, payload: channel == channels.user(1)
    world.chat.may_answer_memberships.clear()
    await world.bus.interrupt()
    await until(lambda: world.chat.asked.count(conversations.MEMBERSHIPS.name) == 2)
    world.chat.change_member("c", "removed", 1)
    await until(lambda: of_room(gone))
    world.chat.may_answer_memberships.set()
    await until(lambda: not world.memberships._background._tasks)
    assert not world.hub.rooms
    assert of_room(gone) == ["participant.removed"]


async def test_a_membership_that_was_read_between_a_removal_and_a_return_removes_nobody(
    world: GatewayWorld,
) -> None:
    world.chat.create("c", 1, 2)
    stays, returns = await world.connect(1), await world.connect(2)
    # Committed and read, but not yet published.
    world.chat.members["c"].discard(2)
    world.chat.may_answer_memberships.clear()
    await world.bus.interrupt()
    await until(lambda: world.chat.asked.count(conversations.MEMBERSHIPS.name) >= 3)
    world.chat.change_member("c", "removed", 2)
    world.chat.change_member("c", "added", 2)
    await until(lambda: "participant.added" in of_room(returns))
    world.chat.may_answer_memberships.set()
    await until(lambda: not world.memberships._background._tasks)
    world.chat.say("c", "after")
    await until(lambda: contents(stays) == ["after"])
    assert contents(returns) == ["after"]


async def test_an_invitation_that_is_told_again_after_a_removal_lets_nobody_in(world: GatewayWorld) -> None:
    world.chat.create("c", 1)
    stays, gone = await world.connect(1), await world.connect(2)
    told: list[bytes] = []

    def note(channel: str, payload: bytes) -> bool:
        if channel == channels.user(2):
            told.append(payload)
        return False

    world.broker.drops = note
    world.chat.change_member("c", "added", 2)
    await until(lambda: told and of_room(gone))
    world.chat.change_member("c", "removed", 2)
    await until(lambda: "participant.removed" in of_room(gone))
    world.chat.bus.publish(channels.user(2), told[0])
    world.chat.say("c", "after")
    await until(lambda: contents(stays) == ["after"])
    assert of_room(gone) == ["participant.added", "participant.removed"]


async def test_who_is_found_to_be_back_hears_nothing_of_what_was_before_his_return(
    world: GatewayWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rooms, "HOLE_TIMEOUT_S", 5.0)
    world.chat.create("c", 1, 2)
    stays, returns = await world.connect(1), await world.connect(2)
    world.chat.change_member("c", "removed", 2)
    await until(lambda: "participant.removed" in of_room(returns))
    late: list[bytes] = []

    def hold_back(channel: str, payload: bytes) -> bool:
        if channel == channels.conversation("c"):
            late.append(payload)
        return True

    # The message is still under way while the memberships are already read.
    world.broker.drops = hold_back
    world.chat.say("c", "between")
    world.chat.change_member("c", "added", 2)
    world.chat.say("c", "after")
    await until(lambda: not world.chat.bus._outbox)
    world.broker.drops = lambda channel, payload: False
    world.chat.returns["c", 2] = 4
    await world.bus.interrupt()
    await until(lambda: world.chat.asked.count(conversations.MEMBERSHIPS.name) >= 4)
    await until(lambda: not world.memberships._background._tasks)
    for payload in dict.fromkeys(late):
        world.chat.bus.publish(channels.conversation("c"), payload)
    await until(lambda: contents(stays) == ["between", "after"])
    assert of_room(returns) == ["participant.removed", "participant.added", "message.new"]
