"""Devices, grace period, away and invisible: what others are told of a user, and get when they ask."""

from __future__ import annotations

import asyncio
import json
from datetime import datetime

import pytest
from redis.asyncio import Redis

from messenger_shared.bus import channels
from tests.client import Socket, User
from tests.conftest import PRESENCE_GRACE_MS, SharedStack
from tests.e2e.crowd import Crowd
from tests.e2e.placement import connect_apart, connect_at
from tests.e2e.seen_presence import (
    GRACE_S,
    expected_presence,
    open_viewing_socket,
    presence_as_seen_by,
    received_statuses,
    rows_of,
    wait_for_rest_status,
    wait_for_status,
)
from tests.waiting import eventually

COMERS = 20


@pytest.fixture
async def pids(stack: SharedStack) -> list[int]:
    return await stack.workers("gateway")


class Stage:
    """A user who views a conversation, a user whose state changes, and one who marks the time."""

    def __init__(self, viewer: User, changing: User, fence: User, room: str, looking: Socket) -> None:
        self.viewer, self.changing, self.fence = viewer, changing, fence
        self.room, self.looking = room, looking

    async def let_grace_pass(self) -> None:
        """Returns when a user who went after this call is shown as offline."""
        socket = await self.fence.connect()
        await wait_for_status(self.looking, self.fence, "online")
        await socket.close()
        await wait_for_status(self.looking, self.fence, "offline")


@pytest.fixture
async def stage(crowd: Crowd) -> Stage:
    viewer, changing, fence = crowd.newcomers(3)
    room = await viewer.create_group(changing.user_id, fence.user_id)
    return Stage(viewer, changing, fence, room, await open_viewing_socket(viewer, room))


async def test_while_one_device_is_there_nobody_sees_that_another_went(stage: Stage, pids: list[int]) -> None:
    first, second = await connect_apart(stage.changing, pids)
    await wait_for_status(stage.looking, stage.changing, "online")
    await first.close()
    await stage.let_grace_pass()
    assert received_statuses(stage.looking, stage.changing) == ["online"]
    assert await presence_as_seen_by(stage.viewer, stage.changing, stage.room) == expected_presence(
        stage.changing, "online"
    )
    await second.close()
    await wait_for_status(stage.looking, stage.changing, "offline")
    assert received_statuses(stage.looking, stage.changing) == ["online", "offline"]


async def test_who_goes_is_offline_after_his_grace_and_was_last_seen_when_he_went(stage: Stage) -> None:
    socket = await stage.changing.connect()
    await wait_for_status(stage.looking, stage.changing, "online")
    await socket.close()
    frame = await wait_for_status(stage.looking, stage.changing, "offline")
    told_at, seen_at = (datetime.fromisoformat(frame[name]) for name in ("timestamp", "last_seen_at"))
    assert (told_at - seen_at).total_seconds() >= GRACE_S
    expected = expected_presence(stage.changing, "offline", frame["last_seen_at"])
    assert await presence_as_seen_by(stage.viewer, stage.changing, stage.room) == expected


async def test_a_reload_within_the_grace_shows_nothing(stage: Stage, pids: list[int]) -> None:
    socket = await connect_at(stage.changing, pids[0], pids)
    await wait_for_status(stage.looking, stage.changing, "online")
    for pid in (pids[0], pids[1], pids[1]):
        again, _ = await asyncio.gather(connect_at(stage.changing, pid, pids), socket.close())
        await again.close()
        socket = await connect_at(stage.changing, pid, pids)
    await stage.let_grace_pass()
    assert received_statuses(stage.looking, stage.changing) == ["online"]


async def test_a_user_is_away_when_he_is_on_all_devices(stage: Stage, pids: list[int]) -> None:
    first, second = await connect_apart(stage.changing, pids)
    await wait_for_status(stage.looking, stage.changing, "online")
    assert (await first.request("presence.set", status="away")) == {"type": "presence.ok", "ref": "r1"}
    assert await presence_as_seen_by(stage.viewer, stage.changing, stage.room) == expected_presence(
        stage.changing, "online"
    )
    await second.request("presence.set", status="away")
    assert await presence_as_seen_by(stage.viewer, stage.changing, stage.room) == expected_presence(
        stage.changing, "away"
    )
    await wait_for_status(stage.looking, stage.changing, "away")
    await first.request("presence.set", status="online")
    await wait_for_status(stage.looking, stage.changing, "online")
    # The active device goes: the user who remains is away.
    await first.close()
    await wait_for_status(stage.looking, stage.changing, "away")
    assert received_statuses(stage.looking, stage.changing) == ["online", "away", "online", "away"]
    # During the grace period, the user is seen as before.
    await second.close()
    await wait_for_status(stage.looking, stage.changing, "offline")
    assert received_statuses(stage.looking, stage.changing)[4:] == ["offline"]


async def test_who_subscribes_is_told_who_of_those_who_are_there_is_away(stage: Stage) -> None:
    socket = await stage.changing.connect()
    await socket.request("presence.set", status="away")
    late = await open_viewing_socket(stage.viewer, stage.room)
    [subscribed] = late.collected("subscribed")
    assert stage.changing.user_id in subscribed["online"]
    await wait_for_status(late, stage.changing, "away")


async def test_without_a_ref_presence_commands_are_silent(stage: Stage) -> None:
    socket = await stage.changing.connect()
    await socket.send("presence.set", status="away")
    await socket.send("presence.watch", user_ids=[stage.viewer.user_id])
    await socket.send("presence.unwatch", user_ids=[stage.viewer.user_id])
    await socket.request("presence.set")
    assert [frame["type"] for frame in socket.frames] == ["system", "presence.ok"]


async def test_who_is_invisible_looks_offline_to_all_but_himself(stage: Stage, pids: list[int]) -> None:
    first, second = await connect_apart(stage.changing, pids)
    await wait_for_status(stage.looking, stage.changing, "online")
    await first.request("presence.set", status="invisible")
    gone = await wait_for_status(stage.looking, stage.changing, "offline")
    expected = expected_presence(stage.changing, "offline", gone["last_seen_at"])
    assert await presence_as_seen_by(stage.viewer, stage.changing, stage.room) == expected
    own = await presence_as_seen_by(stage.changing, stage.changing, stage.room)
    assert own["row"] == {"user_id": stage.changing.user_id, "status": "invisible", "last_seen_at": None}
    assert own["subscribed"]
    # The user may type and write, and comes and goes unseen.
    assert (await second.request("typing.start", conversation_id=stage.room))["type"] == "typing.ok"
    await stage.looking.expect("typing.start", user_id=stage.changing.user_id)
    await first.close()
    await second.close()
    again = await stage.changing.connect()
    await stage.let_grace_pass()
    assert received_statuses(stage.looking, stage.changing) == ["online", "offline"]
    assert await presence_as_seen_by(stage.viewer, stage.changing, stage.room) == expected
    await again.request("presence.set", status="online")
    await wait_for_status(stage.looking, stage.changing, "online")
    assert await presence_as_seen_by(stage.viewer, stage.changing, stage.room) == expected_presence(
        stage.changing, "online"
    )


async def test_viewers_hear_of_who_is_in_their_conversation_and_others_do_not(
    stage: Stage, pids: list[int]
) -> None:
    """Several viewers, on every worker; members who are added later are seen too."""
    looking = await connect_apart(stage.viewer, pids)
    for socket in looking:
        await socket.request("subscribe", conversation_id=stage.room)
    idle = await stage.viewer.connect()
    left = await open_viewing_socket(stage.viewer, stage.room)
    await left.request("unsubscribe", conversation_id=stage.room)
    added = stage.fence
    path = f"/conversations/{stage.room}/participants"
    await stage.viewer.call("DELETE", f"{path}/{added.user_id}")
    for socket in looking:
        await socket.expect("participant.removed", user_id=added.user_id)
    await stage.viewer.post(path, {"user_ids": [added.user_id]})
    for socket in looking:
        await socket.expect("participant.added", user_id=added.user_id)
    await added.connect()
    await stage.changing.connect()
    for socket in looking:
        await wait_for_status(socket, added, "online")
        await wait_for_status(socket, stage.changing, "online")
    for socket in (idle, left):
        assert received_statuses(socket, added) == received_statuses(socket, stage.changing) == []


async def test_many_who_come_at_once_are_gathered(crowd: Crowd) -> None:
    viewer, *users = crowd.newcomers(1 + COMERS)
    room = await viewer.create_group(*(user.user_id for user in users))
    looking = await open_viewing_socket(viewer, room)
    loop = asyncio.get_running_loop()
    begun = loop.time()
    coming = [asyncio.create_task(user.connect()) for user in users]
    frames, missing = 0, {user.user_id for user in users}
    while missing:
        frame = await looking.wait(lambda f: f["type"].startswith(("user.", "presence.")))
        frames += 1
        missing -= {user_id for user_id in missing if rows_of(frame, user_id)}
    took = loop.time() - begun
    await asyncio.gather(*coming)
    # The first one at once, then one a second at most. On a busy machine the distance between two that arrive
    # may be shorter than between two that leave.
    assert frames <= 1 + took / 0.9


async def test_one_setting_feeds_both_the_grace_and_what_clients_are_told_of_it(crowd: Crowd) -> None:
    socket = await crowd.newcomer().connect()
    assert socket.frames[0]["limits"]["presence_grace_ms"] == PRESENCE_GRACE_MS


async def test_online_status_carries_every_transition(stage: Stage, stack: SharedStack) -> None:
    received: list[str] = []
    async with Redis.from_url(stack.redis_url) as client, client.pubsub() as subscription:
        await subscription.subscribe(channels.ONLINE_STATUS)
        socket = await stage.changing.connect()
        await wait_for_status(stage.looking, stage.changing, "online")
        await socket.request("presence.set", status="away")
        await socket.close()

        async def all_came() -> bool:
            message = await subscription.get_message(timeout=0.1)
            if message is not None and message["type"] == "message":
                frame = json.loads(message["data"])
                received.extend(row["status"] for row in rows_of(frame, stage.changing.user_id))
            return received == ["online", "away", "offline"]

        await eventually(all_came, 15)


async def test_stats_are_over_all_gateways(stage: Stage, pids: list[int]) -> None:
    await connect_apart(stage.changing, pids)
    reply = await stage.viewer.call("GET", "/stats", headers={"authorization": ""})
    assert reply.status == 401

    async def are_right() -> bool:
        stats = (await stage.viewer.get("/stats")).body
        connections = [gateway["connections"] for gateway in stats["gateways"]]
        assert sum(connections) == stats["total_connections"]
        # Sockets of earlier tests may still be closing.
        return (
            len(connections) == len(pids)
            and all(connections)
            and stats["total_connections"] >= stats["online_users"] >= 2
            and stats["active_conversations"] >= 1
        )

    await eventually(are_right, 15)


async def test_nothing_is_told_of_oneself(stage: Stage) -> None:
    own = await open_viewing_socket(stage.changing, stage.room)
    await own.request("presence.watch", user_ids=[stage.changing.user_id])
    other = await stage.changing.connect()
    await other.request("presence.set", status="away")
    await own.request("presence.set", status="away")
    await wait_for_rest_status(stage.viewer, stage.changing, "away")
    await own.request("presence.set", status="invisible")
    await own.request("presence.set", status="online")
    await stage.let_grace_pass()
    await wait_for_status(own, stage.fence, "offline")
    assert received_statuses(own, stage.changing) == []
