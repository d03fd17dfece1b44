"""Things that happen at once: being added while connecting, and coming and going in quick succession."""

from __future__ import annotations

import asyncio

from tests.client import Socket, User
from tests.e2e.crowd import Crowd
from tests.waiting import until

PAIRS = 10
ROUNDS = 8
FLAPS = 5


async def test_who_is_added_while_he_connects_gets_every_message_from_then_on(crowd: Crowd) -> None:
    async def rounds(owner: User, added: User) -> None:
        ours = await owner.connect()
        for _ in range(ROUNDS):
            theirs, room = await asyncio.gather(added.connect(), owner.create_group(added.user_id))
            await ours.request("message.send", conversation_id=room, content="now he is here and a member")
            await theirs.expect("message.new", conversation_id=room)
            await theirs.close()

    users = crowd.newcomers(2 * PAIRS)
    await asyncio.gather(*map(rounds, users[::2], users[1::2]))


def transitions(socket: Socket, user: User) -> list[str]:
    """Returns the states of a user that the socket got, in order."""
    told = ("user.online", "user.offline")
    return [f["type"] for f in socket.frames if f["type"] in told and f["user_id"] == user.user_id]


async def test_who_comes_and_goes_quickly_is_told_in_order_and_in_the_end_rightly(crowd: Crowd) -> None:
    async def flap(viewer: User, restless: User) -> list[str]:
        viewing = await viewer.connect()
        room = await viewer.create_group(restless.user_id)
        await viewing.request("subscribe", conversation_id=room)
        for _ in range(FLAPS):
            await (await restless.connect()).close()
        await restless.connect()
        await until(lambda: transitions(viewing, restless)[-1:] == ["user.online"])
        return transitions(viewing, restless)

    users = crowd.newcomers(2 * PAIRS)
    for told in await asyncio.gather(*map(flap, users[::2], users[1::2])):
        assert told == (["user.online", "user.offline"] * len(told))[: len(told)]
