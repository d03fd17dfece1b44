"""A mark as unread belongs to one user, counts from a message, and goes when the user reads again."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from tests.client import Reply, Socket, User
from tests.e2e.crowd import Crowd
from tests.e2e.test_reading import position


async def say(user: User, room: str, content: str = "x") -> dict[str, Any]:
    reply = await user.post(f"/conversations/{room}/messages", {"content": content})
    assert reply.status == 201, reply
    message: dict[str, Any] = reply.body
    return message


async def put(user: User, room: str, **body: Any) -> Reply:
    return await user.call("PUT", f"/conversations/{room}/read", body=body)


async def standing(user: User, room: str) -> tuple[int, int | None, int]:
    """Returns `unread`, the mark and `read_seq`: the same in the list and in /sync."""
    rows = (await user.get("/conversations")).body["items"]
    [row] = [row for row in rows if row["id"] == room]
    [synced] = [row for row in (await user.get("/sync")).body["items"] if row["conversation_id"] == room]
    names = ("unread", "marked_unread_from", "read_seq")
    assert [row[name] for name in names] == [synced[name] for name in names]
    return row["unread"], row["marked_unread_from"], row["read_seq"]


async def told(socket: Socket, room: str) -> tuple[int, int | None]:
    frame = await socket.expect("unread.updated", conversation_id=room)
    return frame["unread"], frame["marked_unread_from"]


async def test_a_mark_is_told_to_all_own_devices_and_to_nobody_else(crowd: Crowd) -> None:
    one, two = crowd.newcomers(2)
    room = await one.create_group(two.user_id)
    messages = [await say(one, room) for _ in range(4)]
    await put(two, room, seq=4)
    sender, devices = await one.connect(), [await two.connect(), await two.connect()]
    assert await standing(two, room) == (0, None, 4)
    reply = await put(two, room, mark_unread_from=2)
    assert (reply.status, reply.body) == (200, position(4, 3))
    for device in devices:
        frame = await device.expect("unread.updated", conversation_id=room)
        assert (frame["unread"], frame["read_seq"], frame["last_seq"]) == (3, 4, 4)
        assert frame["marked_unread_from"] == 2
    assert await standing(two, room) == (3, 2, 4)
    assert await standing(one, room) == (0, None, 4)
    for message in messages:
        readers = (await one.get(f"/messages/{message['id']}/readers")).body["items"]
        assert [row["user_id"] for row in readers] == [two.user_id]
    await sender.request("ping")
    mine = [frame for frame in sender.frames if frame.get("conversation_id") == room]
    assert mine == []
    assert (await devices[0].request("subscribe", conversation_id=room))["read_seq"] == 4


@pytest.mark.parametrize("way", ["seq", "an older seq", "message_id", "read frame", "send", "newer"])
async def test_whatever_is_read_next_the_mark_goes(crowd: Crowd, way: str) -> None:
    one, two = crowd.newcomers(2)
    room = await one.create_group(two.user_id)
    messages = [await say(one, room) for _ in range(3)]
    await put(two, room, seq=3)
    device = await two.connect()
    await put(two, room, mark_unread_from=2)
    assert await told(device, room) == (2, 2)
    match way:
        case "seq":
            assert (await put(two, room, seq=3)).body == position(3, 0)
        case "an older seq":
            await put(two, room, seq=1)
        case "message_id":
            await put(two, room, message_id=messages[1]["id"])
        case "read frame":
            answer = await device.request("message.read", message_id=messages[2]["id"])
            assert (answer["read_seq"], answer["unread"]) == (3, 0)
        case "newer":
            await say(one, room)
            assert await standing(two, room) == (3, 2, 3)
            await put(two, room, seq=4)
        case "send":
            await say(two, room)
    if way != "send":
        assert await told(device, room) == (0, None)
    unread, marked, read_seq = await standing(two, room)
    assert (unread, marked, read_seq) == (0, None, 4 if way in ("newer", "send") else 3)


async def test_unread_counts_from_the_mark_what_others_wrote_and_is_not_deleted(crowd: Crowd) -> None:
    one, two = crowd.newcomers(2)
    room = await one.create_group(two.user_id)
    first = await say(one, room)
    mine = await say(two, room)
    gone = await say(one, room)
    await say(two, room)
    await say(one, room)
    for message, author in ((gone, one), (mine, two)):
        await author.call("DELETE", f"/messages/{message['id']}")
    await put(two, room, seq=5)
    for mark, unread in ((1, 2), (2, 1), (3, 1), (4, 1), (5, 1)):
        assert (await put(two, room, mark_unread_from=mark)).body["unread"] == unread
    await put(two, room, mark_unread_from=1)
    await say(one, room)
    assert await standing(two, room) == (3, 1, 5)
    await one.call("DELETE", f"/messages/{first['id']}")
    assert await standing(two, room) == (2, 1, 5)
    # The mark may also be above what was read; the count starts there.
    await put(two, room, seq=6)
    for _ in range(3):
        await say(one, room)
    assert (await put(two, room, mark_unread_from=8)).body == position(6, 2)
    assert await standing(two, room) == (2, 8, 6)


async def test_bounds_are_those_of_the_messages_and_only_one_thing_is_said_at_a_time(crowd: Crowd) -> None:
    one, two = crowd.newcomers(2)
    room = await one.create_group(two.user_id)
    assert (await put(two, room, mark_unread_from=1)).body == position(0, 0)
    assert await standing(two, room) == (0, None, 0)
    message = await say(one, room)
    await put(two, room, seq=1)
    assert (await put(two, room, mark_unread_from=10**6)).body == position(1, 1)
    for bad in (
        *({"mark_unread_from": value} for value in (0, -1, "1", True, 1.5, 2**63)),
        {"mark_unread_from": 1, "seq": 1},
        {"mark_unread_from": 1, "message_id": message["id"]},
        {"mark_unread_from": None},
    ):
        reply = await put(two, room, **bad)
        assert (reply.status, reply.body["code"]) == (422, "invalid_frame")
    assert await standing(two, room) == (1, 1, 1)


async def test_what_was_said_in_an_absence_is_not_counted_and_coming_back_begins_anew(crowd: Crowd) -> None:
    admin, goer = crowd.newcomers(2)
    room = await admin.create_group(goer.user_id)
    path = f"/conversations/{room}/participants"
    await say(admin, room)
    await put(goer, room, seq=1)
    await put(goer, room, mark_unread_from=1)
    await admin.call("DELETE", f"{path}/{goer.user_id}")
    await admin.post(path, {"user_ids": [goer.user_id]})
    assert await standing(goer, room) == (0, None, 1)
    await admin.call("DELETE", f"{path}/{goer.user_id}")
    between = [await say(admin, room) for _ in range(2)]
    await admin.post(path, {"user_ids": [goer.user_id]})
    await say(admin, room)
    await admin.call("DELETE", f"/messages/{between[0]['id']}")
    assert (await put(goer, room, mark_unread_from=1)).body["unread"] == 2
    await put(goer, room, seq=4)
    assert (await put(goer, room, mark_unread_from=1)).body["unread"] == 2


async def test_marks_and_reads_at_once_end_as_one_of_them(crowd: Crowd) -> None:
    one, two = crowd.newcomers(2)
    room = await one.create_group(two.user_id)
    for _ in range(5):
        await say(one, room)
    await asyncio.gather(
        *(put(two, room, mark_unread_from=1 + n % 5) for n in range(10)),
        *(put(two, room, seq=1 + n % 5) for n in range(10)),
    )
    unread, marked, read_seq = await standing(two, room)
    assert read_seq == 5
    assert unread == (0 if marked is None else 6 - marked)


async def test_notes_to_self_can_be_marked_though_nothing_of_others_is_there(crowd: Crowd) -> None:
    user = crowd.newcomer()
    body = {"type": "direct", "participant_ids": [user.user_id]}
    room = (await user.post("/conversations", body)).body["id"]
    await say(user, room)
    assert (await put(user, room, mark_unread_from=1)).body["unread"] == 0
    assert await standing(user, room) == (0, 1, 1)
