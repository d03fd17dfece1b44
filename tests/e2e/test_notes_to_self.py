"""A direct conversation with oneself: one for each user, in which everything works."""

from __future__ import annotations

import asyncio
from typing import Any

from tests.client import User
from tests.e2e.crowd import Crowd


async def begin(user: User, *ids: int) -> Any:
    named = ids or (user.user_id,)
    return await user.post("/conversations", {"type": "direct", "participant_ids": list(named)})


async def say(user: User, room: str, content: str) -> dict[str, Any]:
    reply = await user.post(f"/conversations/{room}/messages", {"content": content})
    assert reply.status == 201, reply
    message: dict[str, Any] = reply.body
    return message


async def test_there_is_one_for_each_user_also_when_many_ask_at_once(crowd: Crowd) -> None:
    user, other = crowd.newcomers(2)
    replies = await asyncio.gather(*(begin(user) for _ in range(12)))
    assert sorted(reply.status for reply in replies) == [200] * 11 + [201]
    [room] = {reply.body["id"] for reply in replies}
    again = await begin(user, user.user_id, user.user_id)
    assert (again.status, again.body["id"]) == (200, room)
    assert [row["user_id"] for row in again.body["participants"]] == [user.user_id]
    assert (again.body["type"], again.body["title"], again.body["participants_count"]) == ("direct", None, 1)
    assert (await begin(other)).body["id"] != room
    # With another user it is the conversation of the two, whether the request names oneself or not.
    assert (await begin(user, user.user_id, other.user_id)).body["id"] != room
    assert (await other.get(f"/conversations/{room}")).status == 404


async def test_nobody_named_is_still_refused(crowd: Crowd) -> None:
    user = crowd.newcomer()
    for body in ({"participant_ids": []}, {}, {"participant_ids": [user.user_id], "title": "notes"}):
        reply = await user.post("/conversations", {"type": "direct", **body})
        assert (reply.status, reply.body["code"]) == (422, "invalid_frame")


async def test_what_is_written_there_is_read_and_reaches_all_devices(crowd: Crowd) -> None:
    user = crowd.newcomer()
    sockets = [await user.connect(), await user.connect()]
    room = (await begin(user)).body["id"]
    for socket in sockets:
        await socket.expect("conversation.created", conversation_id=room, pos=1)
    seen = await sockets[0].request("subscribe", conversation_id=room)
    assert (seen["last_seq"], seen["online"]) == (0, [user.user_id])
    message = await say(user, room, "milk")
    for socket in sockets:
        assert (await socket.expect("message.new", conversation_id=room))["data"] == message
    [row] = (await user.get("/conversations")).body["items"]
    assert (row["id"], row["unread"], row["read_seq"], row["last_message"]) == (room, 0, 1, message)
    [standing] = (await user.get("/sync")).body["items"]
    assert (standing["conversation_id"], standing["unread"], standing["last_pos"]) == (room, 0, 2)
    read = await sockets[0].request("message.read", message_id=message["id"])
    assert (read["read_seq"], read["unread"]) == (1, 0)
    assert (await user.get(f"/messages/{message['id']}/readers")).body["items"] == []
    muted = await user.call("PUT", f"/conversations/{room}/settings", body={"muted": True})
    assert muted.body["muted"] is True
    assert (await user.get(f"/presence/{user.user_id}")).body["status"] == "online"


async def test_typing_there_is_told_to_nobody(crowd: Crowd) -> None:
    user = crowd.newcomer()
    room = (await begin(user)).body["id"]
    sockets = [await user.connect(), await user.connect()]
    for socket in sockets:
        await socket.request("subscribe", conversation_id=room)
    assert (await sockets[0].request("typing.start", conversation_id=room))["type"] == "typing.ok"
    await say(user, room, "after that")
    for socket in sockets:
        await socket.expect("message.new", conversation_id=room)
        assert not socket.collected("typing.start")


async def test_nobody_comes_or_goes_and_putting_it_away_hides_it_until_the_next_note(crowd: Crowd) -> None:
    user, other = crowd.newcomers(2)
    room = (await begin(user)).body["id"]
    path = f"/conversations/{room}/participants"
    refused = [
        await user.post(path, {"user_ids": [other.user_id]}),
        await user.call("DELETE", f"{path}/{user.user_id}"),
        await user.call("PATCH", f"{path}/{user.user_id}", body={"role": "admin"}),
        await user.call("PATCH", f"/conversations/{room}", body={"title": "notes"}),
    ]
    assert [(reply.status, reply.body["code"]) for reply in refused] == [(403, "forbidden")] * 4
    socket = await user.connect()
    assert (await user.call("DELETE", f"/conversations/{room}")).status == 204
    await socket.expect("conversation.deleted", conversation_id=room)
    assert (await user.call("DELETE", f"/conversations/{room}")).status == 404
    assert (await user.get("/conversations")).body["items"] == []
    assert (await begin(user)).body["id"] == room
    await say(user, room, "bread")
    assert [row["id"] for row in (await user.get("/conversations")).body["items"]] == [room]


async def test_notes_that_were_missed_are_replayed(crowd: Crowd) -> None:
    user = crowd.newcomer()
    room = (await begin(user)).body["id"]
    first, second = await say(user, room, "one"), await say(user, room, "two")
    await user.call("PUT", f"/messages/{first['id']}", body={"content": "one, mended"})
    await user.call("DELETE", f"/messages/{second['id']}")
    socket = await user.connect()
    answer = await socket.request("resume", positions={room: 1})
    assert answer["conversations"][room] == {"from": 1, "to": 5, "recovered": True}
    told = [(frame["type"], frame["pos"]) for frame in socket.frames if frame.get("replay")]
    assert told == [("message.new", 4), ("message.deleted", 5)]
