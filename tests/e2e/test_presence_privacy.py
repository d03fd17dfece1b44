"""Strangers learn nothing of anybody's presence by any route, and a former contact is a stranger again."""

from __future__ import annotations

import asyncio
import statistics
import time

import pytest

from tests.client import Socket, User
from tests.e2e.crowd import Crowd
from tests.e2e.seen_presence import (
    expected_presence,
    open_viewing_socket,
    presence_as_seen_by,
    received_statuses,
    wait_for_rest_status,
    wait_for_status,
)

NOBODY = 2**52 + 1


async def watching(user: User, *others: User) -> Socket:
    """Returns a socket of the user that is subscribed to those of the others whom it may see."""
    socket = await user.connect()
    await socket.request("presence.watch", user_ids=[other.user_id for other in others])
    return socket


async def test_who_watches_is_told_without_looking_at_anything(crowd: Crowd) -> None:
    watcher, friend, other = crowd.newcomers(3)
    await watcher.create_group(friend.user_id, other.user_id)
    socket = await watcher.connect()
    state = await socket.request("presence.watch", user_ids=[friend.user_id, other.user_id, NOBODY])
    assert state["type"] == "presence.state"
    offline = {"status": "offline", "last_seen_at": None}
    assert state["users"] == [{"user_id": user.user_id, **offline} for user in (friend, other)]
    friends = await friend.connect()
    await wait_for_status(socket, friend, "online")
    answer = await socket.request("presence.unwatch", user_ids=[friend.user_id, NOBODY])
    assert (answer["type"], answer["users"]) == ("presence.state", [])
    await friends.request("presence.set", status="invisible")
    await other.connect()
    await wait_for_status(socket, other, "online")
    assert received_statuses(socket, friend) == ["online"]


async def test_a_stranger_learns_nothing_by_any_route(crowd: Crowd) -> None:
    stranger, user, companion, friend = crowd.newcomers(4)
    await stranger.create_group(friend.user_id)
    room = await user.create_group(companion.user_id)
    socket = await watching(stranger, user, friend)
    looking = await open_viewing_socket(companion, room)
    await user.connect()
    await wait_for_status(looking, user, "online")
    for user_id in (user.user_id, NOBODY):
        alone = await stranger.get(f"/presence/{user_id}")
        assert (alone.status, alone.body["code"]) == (404, "not_found")
        listed = await stranger.get("/presence", user_ids=f"{user_id},{friend.user_id}")
        assert [row["user_id"] for row in listed.body["items"]] == [friend.user_id]
        state = await socket.request("presence.watch", user_ids=[user_id, friend.user_id])
        assert [row["user_id"] for row in state["users"]] == [friend.user_id]
    assert (await stranger.get("/presence/online")).body["items"] == []
    await friend.connect()
    await wait_for_status(socket, friend, "online")
    assert [row["user_id"] for row in (await stranger.get("/presence/online")).body["items"]] == [
        friend.user_id
    ]
    assert received_statuses(socket, user) == []


async def test_a_stranger_and_nobody_take_the_same_time(crowd: Crowd) -> None:
    stranger, user = crowd.newcomers(2)
    for _ in range(3):
        await user.create_group()
    await stranger.create_group()
    await user.connect()
    took: dict[int, list[float]] = {user.user_id: [], NOBODY: []}
    for _ in range(100):
        for user_id, times in took.items():
            begun = time.perf_counter()
            assert (await stranger.get(f"/presence/{user_id}")).status == 404
            times.append(time.perf_counter() - begun)
    # The fastest quarter: the others were held up by what else the machine does.
    one, other = (statistics.mean(sorted(times)[: len(times) // 4]) for times in took.values())
    assert abs(one - other) < 0.005


@pytest.mark.parametrize("who_leaves", ["watcher", "watched"])
async def test_leaving_the_last_shared_conversation_ends_the_watching(crowd: Crowd, who_leaves: str) -> None:
    watcher, watched, friend = crowd.newcomers(3)
    rooms = [await watcher.create_group(watched.user_id) for _ in range(2)]
    await watcher.create_group(friend.user_id)
    socket = await watching(watcher, watched, friend)
    looking = await open_viewing_socket(watcher, rooms[1])
    theirs = await watched.connect()
    await wait_for_status(socket, watched, "online")
    leaver = watcher if who_leaves == "watcher" else watched
    await leaver.call("DELETE", f"/conversations/{rooms[0]}")
    # They still share another conversation.
    await wait_for_rest_status(watcher, watched, "online")
    await theirs.request("presence.set", status="away")
    await wait_for_status(socket, watched, "away")
    await wait_for_status(looking, watched, "away")
    await leaver.call("DELETE", f"/conversations/{rooms[1]}")
    # From the removal on, the user may not be seen any more.
    await socket.expect("participant.removed", conversation_id=rooms[1], user_id=leaver.user_id)
    await theirs.request("presence.set", status="online")
    await friend.connect()
    await wait_for_status(socket, friend, "online")
    assert received_statuses(socket, watched) == ["online", "away"]
    assert received_statuses(looking, watched)[-1] == "away"
    alone = await watcher.get(f"/presence/{watched.user_id}")
    assert (alone.status, alone.body["code"]) == (404, "not_found")
    assert (await socket.request("presence.watch", user_ids=[watched.user_id]))["users"] == []


async def test_who_hides_when_he_was_there_does_not_see_it_of_others(crowd: Crowd) -> None:
    one, two = crowd.newcomers(2)
    room = await one.create_group(two.user_id)
    looking = {user: await open_viewing_socket(user, room) for user in (one, two)}
    ok = await looking[one].request("presence.set", last_seen_visibility="nobody")
    assert ok["type"] == "presence.ok"
    for going, staying in ((one, two), (two, one)):
        await wait_for_rest_status(staying, going, "online")
        await looking[going].close()
        frame = await wait_for_status(looking[staying], going, "offline")
        assert frame.get("last_seen_at") is None
        assert await presence_as_seen_by(staying, going, room) == expected_presence(going, "offline")
        looking[going] = await open_viewing_socket(going, room)
    await wait_for_rest_status(one, two, "online")
    # The user shows it again, and so sees the others' again.
    await looking[one].request("presence.set", last_seen_visibility="contacts")
    await looking[two].close()
    frame = await wait_for_status(looking[one], two, "offline")
    assert await presence_as_seen_by(one, two, room) == expected_presence(
        two, "offline", frame["last_seen_at"]
    )


async def test_what_somebody_chose_for_his_last_time_holds_on_his_other_devices_too(crowd: Crowd) -> None:
    one, two = crowd.newcomers(2)
    room = await one.create_group(two.user_id)
    other_device, socket = await open_viewing_socket(one, room), await one.connect()
    theirs = await two.connect()
    await wait_for_status(other_device, two, "online")
    await socket.request("presence.set", last_seen_visibility="nobody")
    await theirs.close()
    assert (await wait_for_status(other_device, two, "offline")).get("last_seen_at") is None


async def test_what_one_claims_of_others_or_of_the_time_is_ignored(crowd: Crowd) -> None:
    one, two = crowd.newcomers(2)
    room = await one.create_group(two.user_id)
    looking = await open_viewing_socket(one, room)
    await looking.request(
        "presence.set", status="online", user_id=two.user_id, last_seen_at="2100-01-01T00:00:00Z"
    )
    assert await presence_as_seen_by(one, two, room) == expected_presence(two, "offline")


async def test_more_than_500_at_once_are_refused_and_500_are_not(crowd: Crowd) -> None:
    user = crowd.newcomer()
    socket = await user.connect()
    # The longest possible ids.
    ids = list(range(2**53 - 501, 2**53))
    for number, ok in ((500, True), (501, False)):
        reply = await user.get("/presence", user_ids=",".join(map(str, ids[:number])))
        assert reply.status == (200 if ok else 422)
        frame = await socket.request("presence.watch", user_ids=ids[:number])
        assert frame["type"] == ("presence.state" if ok else "error")


async def test_devices_are_nobodys_business(crowd: Crowd) -> None:
    """Neither their number nor their gateways."""
    one, two = crowd.newcomers(2)
    room = await one.create_group(two.user_id)
    looking = await open_viewing_socket(one, room)
    await asyncio.gather(*(two.connect() for _ in range(3)))
    frame = await wait_for_status(looking, two, "online")
    assert set(frame) <= {"type", "user_id", "timestamp", "status", "last_seen_at"}
    assert set((await one.get(f"/presence/{two.user_id}")).body) == {"user_id", "status", "last_seen_at"}
