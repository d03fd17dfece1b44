"""A client that subscribes or resumes is brought up to date, then gets each live event once."""

from __future__ import annotations

import asyncio
from typing import Any

from gateway.delivery.resume import Resumer
from gateway.settings import GatewaySettings
from gateway.sockets.socket_commands import SocketCommands
from messenger_shared.contract.operations import conversations
from messenger_shared.settings.environment import Environment
from tests.gateway.world import REQUIRED_SETTINGS, GatewayWorld
from tests.waiting import until


def make_commands(world: GatewayWorld) -> SocketCommands:
    resumer = Resumer(world.hub, world.memberships._rooms, 500)
    some: Any = None
    settings = GatewaySettings.read(Environment(REQUIRED_SETTINGS))
    return SocketCommands(world.bus, world.rpc, world.hub, world.subscriptions, resumer, some, settings)


async def test_in_a_conversation_that_becomes_his_meanwhile_live_waits_for_the_replay_too() -> None:
    world = GatewayWorld()
    await world.start()
    world.chat.create("c", 1)
    await world.connect(1)
    transport = await world.connect(2)
    commands = make_commands(world)
    member = world.hub.members[2]
    [connection] = member.connections
    world.chat.may_answer_view.clear()
    body = {"conversation_id": "c", "after_pos": 1}
    subscribing = asyncio.create_task(commands.subscribe(connection, body))
    await until(lambda: conversations.VIEW.name in world.chat.asked)
    world.chat.change_member("c", "added", 2)
    await until(lambda: "c" in member.rooms)
    world.chat.may_answer_changes.clear()
    world.chat.may_answer_view.set()
    await until(lambda: conversations.CHANGES.name in world.chat.asked)
    world.chat.say("c", "live")
    await until(lambda: member.rooms["c"].stream.last_pos == 3)
    world.chat.may_answer_changes.set()
    await subscribing
    live = [frame["pos"] for frame in transport.frames() if not frame.get("replay")]
    assert live == [2, 3]
    await world.stop()


async def test_who_is_removed_while_he_is_brought_up_to_date_gets_nothing_after_that() -> None:
    world = GatewayWorld()
    await world.start()
    world.chat.create("c", 1, 2)
    world.chat.say("c", "missed")
    stays, transport = await world.connect(1), await world.connect(2)
    [connection] = world.hub.members[2].connections
    world.chat.may_answer_changes.clear()
    resumer = asyncio.create_task(make_commands(world).resume(connection, {"positions": {"c": 1}}))
    await until(lambda: conversations.CHANGES.name in world.chat.asked)
    world.chat.change_member("c", "removed", 2)
    world.chat.say("c", "secret")
    await until(lambda: len(stays.frames()) == 2)
    world.chat.may_answer_changes.set()
    assert await resumer == {"conversations": {}}
    assert [frame["type"] for frame in transport.frames()] == ["participant.removed"]
    await world.stop()


async def test_who_is_removed_and_is_back_meanwhile_gets_their_return_and_nothing_from_before_it() -> None:
    world = GatewayWorld()
    await world.start()
    world.chat.create("c", 1, 2)
    world.chat.say("c", "missed")
    stays, transport = await world.connect(1), await world.connect(2)
    [connection] = world.hub.members[2].connections
    world.chat.may_answer_changes.clear()
    resuming = asyncio.create_task(make_commands(world).resume(connection, {"positions": {"c": 1}}))
    await until(lambda: conversations.CHANGES.name in world.chat.asked)
    world.chat.change_member("c", "removed", 2)
    world.chat.say("c", "while they are out")
    world.chat.change_member("c", "added", 2)
    world.chat.say("c", "live")
    await until(lambda: len(stays.frames()) == 4)
    world.chat.may_answer_changes.set()
    assert (await resuming)["conversations"] == {}
    world.chat.say("c", "later")
    await until(lambda: len(stays.frames()) == 5)
    frames = [(frame["type"], frame["pos"]) for frame in transport.frames()]
    assert frames == [
        ("participant.removed", 3),
        ("participant.added", 5),
        ("message.new", 6),
        ("message.new", 7),
    ]
    await world.stop()
