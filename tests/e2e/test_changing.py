"""Messages are edited and deleted: who may, which events follow, what is kept and what is gone."""

from __future__ import annotations

import asyncio
from typing import Any
from uuid import uuid4

import pytest

from tests.client import Socket, User
from tests.e2e.crowd import Crowd


async def say(user: User, room: str, content: str, **fields: Any) -> dict[str, Any]:
    reply = await user.post(f"/conversations/{room}/messages", {"content": content, **fields})
    assert reply.status == 201, reply
    message: dict[str, Any] = reply.body
    return message


async def change(user: User, method: str, message_id: str, body: Any = None, part: str = "") -> Any:
    return await user.call(method, f"/messages/{message_id}{part}", body=body)


@pytest.mark.parametrize("transport", ["socket", "rest"])
async def test_an_edit_is_told_to_all_with_the_next_version_and_pos(crowd: Crowd, transport: str) -> None:
    one, two = crowd.newcomers(2)
    room = await one.create_group(two.user_id)
    ours, theirs = await one.connect(), await two.connect()
    message = await say(one, room, "first")
    if transport == "socket":
        answer = await ours.request("message.edit", message_id=message["id"], content="second")
        assert (answer["type"], answer["message_id"]) == ("message.edited", message["id"])
        assert answer["conversation_id"] == room
        edited = answer["data"]
    else:
        reply = await change(one, "PUT", message["id"], {"content": "second"})
        assert reply.status == 200
        edited = reply.body
    assert (edited["version"], edited["content"], edited["seq"], edited["pos"]) == (2, "second", 1, 3)
    assert edited["edited_at"] is not None
    for socket in (ours, theirs):
        told = await socket.expect("message.edited", conversation_id=room, pos=3)
        assert (told["message_id"], told["data"]) == (message["id"], edited)
    page = await two.get(f"/conversations/{room}/messages")
    assert page.body["items"] == [edited]


async def test_an_edit_without_ref_is_silent_but_for_its_event(crowd: Crowd) -> None:
    one = crowd.newcomer()
    room = await one.create_group()
    ours = await one.connect()
    message = await say(one, room, "first")
    await ours.send("message.edit", message_id=message["id"], content="second")
    await ours.expect("message.edited", pos=3)
    await ours.request("ping")
    assert len(ours.collected("message.edited")) == 1


async def test_somebody_elses_edit_in_between_is_a_conflict_and_a_repeat_is_not(crowd: Crowd) -> None:
    one = crowd.newcomer()
    room = await one.create_group()
    message = await say(one, room, "first")
    for _ in range(2):
        reply = await change(one, "PUT", message["id"], {"content": "second", "expected_version": 1})
        assert (reply.status, reply.body["version"], reply.body["pos"]) == (200, 2, 3)
    reply = await change(one, "PUT", message["id"], {"content": "third", "expected_version": 1})
    assert (reply.status, reply.body["code"]) == (409, "version_conflict")
    ours = await one.connect()
    answer = await ours.request("message.edit", message_id=message["id"], content="third", expected_version=1)
    assert (answer["type"], answer["code"]) == ("error", "version_conflict")


async def test_every_earlier_text_is_kept_for_the_sender_and_admins(crowd: Crowd) -> None:
    admin, sender, other = crowd.newcomers(3)
    room = await admin.create_group(sender.user_id, other.user_id)
    message = await say(sender, room, "v1")
    for text in ("v2", "v3"):
        assert (await change(sender, "PUT", message["id"], {"content": text})).status == 200
    for user in (admin, sender):
        reply = await change(user, "GET", message["id"], part="/history")
        assert reply.status == 200
        assert [(row["version"], row["content"]) for row in reply.body["items"]] == [(1, "v1"), (2, "v2")]
        assert reply.body["items"][0]["edited_at"] == message["created_at"]
    assert (await change(other, "GET", message["id"], part="/history")).status == 403
    page = await change(sender, "GET", message["id"], part="/history?limit=1")
    more = await change(sender, "GET", message["id"], part=f"/history?cursor={page.body['next_cursor']}")
    assert [row["version"] for row in (page.body["items"] + more.body["items"])] == [1, 2]
    assert more.body["next_cursor"] is None


@pytest.mark.parametrize("transport", ["socket", "rest"])
async def test_deleting_leaves_a_tombstone_and_nothing_of_the_text(crowd: Crowd, transport: str) -> None:
    one, two = crowd.newcomers(2)
    room = await one.create_group(two.user_id)
    ours, theirs = await one.connect(), await two.connect()
    file = {"file_url": "https://example.org/f", "file_name": "secret.txt", "file_size": 5}
    message = await say(one, room, "secret", message_type="file", **file)
    await change(one, "PUT", message["id"], {"content": "secret still"})
    for _ in range(2):
        if transport == "socket":
            answer = await ours.request("message.delete", message_id=message["id"])
            assert (answer["type"], answer["message_id"]) == ("message.deleted", message["id"])
            assert answer["conversation_id"] == room
        else:
            assert (await change(one, "DELETE", message["id"])).status == 204
    told = await theirs.expect("message.deleted", conversation_id=room, message_id=message["id"], pos=4)
    assert told["data"]["deleted_at"] is not None
    assert [told["data"][name] for name in ("content", *file)] == [None] * 4
    await theirs.request("ping")
    assert len(theirs.collected("message.deleted")) == 1
    page = await two.get(f"/conversations/{room}/messages")
    assert page.body["items"] == [told["data"]]
    assert (await change(one, "GET", message["id"], part="/history")).status == 404
    assert (await change(one, "PUT", message["id"], {"content": "back"})).status == 404
    [row] = (await two.get("/conversations")).body["items"]
    assert row["unread"] == 0
    assert row["last_message"]["content"] is None


async def test_who_may_change_what(crowd: Crowd) -> None:
    admin, sender, other, stranger = crowd.newcomers(4)
    room = await admin.create_group(sender.user_id, other.user_id)
    message = await say(sender, room, "mine")
    new_text = {"content": "not yours"}
    for user, status in ((admin, 403), (other, 403), (stranger, 404)):
        assert (await change(user, "PUT", message["id"], new_text)).status == status
    for user, status in ((other, 403), (stranger, 404), (admin, 204)):
        assert (await change(user, "DELETE", message["id"])).status == status


async def test_a_strangers_and_a_missing_message_look_the_same(crowd: Crowd) -> None:
    one, stranger = crowd.newcomers(2)
    message = await say(one, await one.create_group(), "hidden")
    socket = await stranger.connect()
    for type_, extra in (("message.edit", {"content": "x"}), ("message.delete", {}), ("message.read", {})):
        ids = (message["id"], str(uuid4()))
        answers = [await socket.request(type_, message_id=id_, **extra) for id_ in ids]
        for answer in answers:
            answer.pop("ref")
        assert answers[0] == answers[1]
        assert answers[0]["code"] == "not_found"


@pytest.mark.parametrize("bad", [None, 5, "x", "", []])
async def test_a_malformed_message_id_is_an_invalid_frame_with_details(crowd: Crowd, bad: object) -> None:
    socket = await crowd.newcomer().connect()
    for type_ in ("message.edit", "message.delete", "message.read", "read.receipt"):
        answer = await socket.request(type_, message_id=bad, content="x")
        assert (answer["code"], list(answer["details"])) == ("invalid_frame", ["message_id"])


async def test_a_repeat_after_an_edit_or_a_deletion_gives_the_one_stored_message(crowd: Crowd) -> None:
    one = crowd.newcomer()
    room = await one.create_group()
    message = await say(one, room, "first", client_message_id="k")
    socket = await one.connect()

    async def again() -> dict[str, Any]:
        return await socket.request(
            "message.send", conversation_id=room, content="first", client_message_id="k"
        )

    await change(one, "PUT", message["id"], {"content": "second"})
    answer = await again()
    assert (answer["duplicate"], answer["data"]["content"], answer["data"]["version"]) == (True, "second", 2)
    await change(one, "DELETE", message["id"])
    answer = await again()
    assert (answer["duplicate"], answer["data"]["content"]) == (True, None)


async def test_positions_have_no_hole_under_concurrent_changes(crowd: Crowd) -> None:
    users = crowd.newcomers(4)
    room = await users[0].create_group(*(user.user_id for user in users[1:]))
    watcher = await users[0].connect()

    async def busy(user: User) -> None:
        socket: Socket = await user.connect()
        for n in range(8):
            sent = await socket.request("message.send", conversation_id=room, content=str(n))
            await socket.request("message.edit", message_id=sent["message_id"], content=f"{n}!")
            if n % 2:
                await socket.request("message.delete", message_id=sent["message_id"])

    await asyncio.gather(*map(busy, users))
    last = 1 + 4 * (8 + 8 + 4)
    await watcher.wait(lambda frame: frame.get("pos") == last)
    seen = [frame["pos"] for frame in watcher.frames if frame.get("conversation_id") == room]
    assert seen == list(range(2, last + 1))
