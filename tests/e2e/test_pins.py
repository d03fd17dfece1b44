"""Pinned messages, by socket and REST."""

from __future__ import annotations

from typing import Any

import pytest

from tests.client import User
from tests.e2e.crowd import Crowd


async def send(user: User, room: str, text: str) -> str:
    id_: str = (await user.post(f"/conversations/{room}/messages", {"content": text})).body["id"]
    return id_


async def pin(user: User, message: str, method: str = "PUT") -> Any:
    return await user.call(method, f"/messages/{message}/pin")


async def pinned(user: User, room: str, **query: Any) -> Any:
    return (await user.get(f"/conversations/{room}/pins", **query)).body


async def test_pins_are_an_absolute_state_newest_first(crowd: Crowd) -> None:
    one, two = crowd.newcomers(2)
    room = await one.create_group(two.user_id)
    first, second = await send(one, room, "first"), await send(two, room, "second")
    socket = await two.connect()
    admin = await one.connect()
    await admin.send("message.pin", message_id=first, ref="p")
    answer = await admin.expect("pin.ok", ref="p")
    assert (answer["message_id"], answer["conversation_id"]) == (first, room)
    event = await socket.expect("conversation.pins", conversation_id=room, pos=4)
    assert (event["message_ids"], event["user_id"]) == ([first], one.user_id)
    reply = await pin(one, second)
    assert (reply.status, reply.body["message_ids"]) == (200, [second, first])
    assert (await pin(one, second)).body["message_ids"] == [second, first]
    assert (await socket.expect("conversation.pins", pos=5))["message_ids"] == [second, first]
    assert (await pin(one, first, "DELETE")).status == 204
    assert (await socket.expect("conversation.pins", pos=6))["message_ids"] == [second]
    assert len(socket.collected("conversation.pins")) == 3
    page = await pinned(two, room)
    assert [(row["message"]["id"], row["message"]["content"], row["user_id"]) for row in page["items"]] == [
        (second, "second", one.user_id)
    ]
    assert set(page["users"]) == {str(one.user_id), str(two.user_id)}


async def test_the_list_comes_in_pages(crowd: Crowd) -> None:
    one, two = crowd.newcomers(2)
    room = await one.create_group(two.user_id)
    messages = [await send(one, room, str(number)) for number in range(3)]
    for message in messages:
        await pin(one, message)
    page = await pinned(two, room, limit=2)
    rest = await pinned(two, room, cursor=page["next_cursor"])
    assert [row["message"]["id"] for row in page["items"] + rest["items"]] == messages[::-1]
    assert rest["next_cursor"] is None


async def test_admins_pin_in_groups_and_both_in_directs(crowd: Crowd) -> None:
    one, two, stranger = crowd.newcomers(3)
    room = await one.create_group(two.user_id)
    message = await send(two, room, "hello")
    for method in ("PUT", "DELETE"):
        assert (await pin(two, message, method)).body["code"] == "forbidden"
        assert (await pin(stranger, message, method)).body["code"] == "not_found"
    direct = (await one.post("/conversations", {"type": "direct", "participant_ids": [two.user_id]})).body[
        "id"
    ]
    message = await send(one, direct, "between us")
    for user in (one, two):
        assert (await pin(user, message)).status == 200
        assert (await pin(user, message, "DELETE")).status == 204
    assert (await stranger.get(f"/conversations/{direct}/pins")).body["code"] == "not_found"


async def test_a_deleted_message_is_no_longer_pinned_and_cannot_be(crowd: Crowd) -> None:
    one, two = crowd.newcomers(2)
    room = await one.create_group(two.user_id)
    message = await send(one, room, "hello")
    await pin(one, message)
    await one.call("DELETE", f"/messages/{message}")
    assert (await pinned(one, room))["items"] == []
    assert (await pin(one, message)).body["code"] == "not_found"


@pytest.mark.parametrize("times", [1, 2])
async def test_a_replay_has_the_latest_pins_once(crowd: Crowd, times: int) -> None:
    one, two = crowd.newcomers(2)
    room = await one.create_group(two.user_id)
    first, second = await send(one, room, "first"), await send(one, room, "second")
    for message in (first, second):
        await pin(one, message)
    for _ in range(times):
        socket = await two.connect()
        await socket.send("resume", positions={room: 3}, ref="r")
        await socket.expect("resumed", ref="r")
        [frame] = [frame for frame in socket.frames if frame.get("replay")]
        assert (frame["type"], frame["pos"], frame["message_ids"]) == (
            "conversation.pins",
            5,
            [second, first],
        )
