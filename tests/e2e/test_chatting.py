"""Two users chat: in both directions, over the socket and REST, with numbers without holes, and with
repeats.
"""

from __future__ import annotations

import asyncio
from typing import Any
from uuid import uuid4

from redis.asyncio import Redis

from tests.client import User
from tests.conftest import SharedStack
from tests.e2e.crowd import Crowd
from tests.waiting import eventually

MESSAGE_FIELDS = {
    "id", "conversation_id", "seq", "pos", "version", "sender_id", "content", "message_type",
    "client_message_id", "reply_to", "file_url", "file_name", "file_size", "created_at", "edited_at",
    "deleted_at",
}  # fmt: skip


async def history(user: User, room: str, **query: Any) -> list[dict[str, Any]]:
    """Returns all messages of a conversation, oldest first, page by page."""
    items: list[dict[str, Any]] = []
    while True:
        after = items[-1]["seq"] if items else 0
        reply = await user.get(f"/conversations/{room}/messages", after_seq=after, **query)
        assert reply.status == 200, reply
        items += reply.body["items"]
        if not reply.body["has_more"]:
            return items


async def test_two_people_chat_in_both_directions_over_sockets_and_rest(crowd: Crowd) -> None:
    one, two = crowd.newcomers(2)
    room = await one.create_group(two.user_id)
    ours, theirs = await one.connect(), await two.connect()
    await ours.request("message.send", conversation_id=room, content="one by socket")
    await theirs.request("message.send", conversation_id=room, content="two by socket")
    for user, text in ((one, "one by REST"), (two, "two by REST")):
        reply = await user.post(f"/conversations/{room}/messages", {"content": text})
        assert reply.status == 201
        assert set(reply.body) == MESSAGE_FIELDS
    expected = ["one by socket", "two by socket", "one by REST", "two by REST"]
    for socket in (ours, theirs):
        await socket.wait(lambda f: f["type"] == "message.new" and f["pos"] == 5)
        news = socket.collected("message.new", conversation_id=room)
        assert [frame["data"]["content"] for frame in news] == expected
    assert [m["content"] for m in await history(two, room)] == expected


async def test_every_field_of_a_message_goes_through_verbatim(crowd: Crowd) -> None:
    one, two = crowd.newcomers(2)
    room = await one.create_group(two.user_id)
    theirs = await two.connect()
    first = await one.post(f"/conversations/{room}/messages", {"content": "look"})
    fields = {
        "content": " a picture \n",
        "message_type": "image",
        "client_message_id": "é" * 64,
        "reply_to": first.body["id"],
        "file_url": "https://example.org/a.png?x=1&y=%20",
        "file_name": "ä" * 255,
        "file_size": 2**40,
    }
    reply = await one.post(f"/conversations/{room}/messages", fields)
    numbers = {"seq": 2, "pos": 3, "version": 1, "sender_id": one.user_id, "conversation_id": room}
    expected = {**fields, **numbers, "edited_at": None, "deleted_at": None}
    assert expected.items() <= reply.body.items()
    new = await theirs.wait(lambda f: f["type"] == "message.new" and f["pos"] == 3)
    assert new["data"] == reply.body == (await history(two, room))[1]


async def test_seq_and_pos_have_no_holes_whoever_sends_through_whatever(crowd: Crowd) -> None:
    users = crowd.newcomers(4)
    room = await users[0].create_group(*(user.user_id for user in users))
    sockets = [await user.connect() for user in users for _ in range(2)]

    async def send(index: int) -> None:
        for number in range(4):
            answer = await sockets[index].request(
                "message.send", conversation_id=room, content=f"{index} says {number}"
            )
            assert answer["type"] == "message.sent", answer

    async def post(user: User) -> None:
        for number in range(4):
            reply = await user.post(f"/conversations/{room}/messages", {"content": f"rest {number}"})
            assert reply.status == 201

    await asyncio.gather(*map(send, range(len(sockets))), *map(post, users))
    total = 4 * (len(sockets) + len(users))
    stored = await history(users[1], room, limit=7)
    assert [(m["seq"], m["pos"]) for m in stored] == [(n, n + 1) for n in range(1, total + 1)]
    for socket in sockets:
        await socket.wait(lambda f: f["type"] == "message.new" and f["pos"] == total + 1)
        assert [f["data"] for f in socket.collected("message.new")] == stored


async def test_what_one_socket_sends_at_once_keeps_its_order(crowd: Crowd) -> None:
    one, two = crowd.newcomers(2)
    room = await one.create_group(two.user_id)
    ours, theirs = await one.connect(), await two.connect()
    texts = [f"line {number}" for number in range(50)]
    for text in texts:
        await ours.send("message.send", conversation_id=room, content=text)
    await theirs.wait(lambda f: f["type"] == "message.new" and f["pos"] == 51)
    assert [f["data"]["content"] for f in theirs.collected("message.new")] == texts
    await ours.wait(lambda f: f["type"] == "message.sent" and f["data"]["seq"] == 50)
    assert [f["data"]["content"] for f in ours.collected("message.sent")] == texts


async def test_a_repeat_is_the_one_stored_message_over_both_doors(crowd: Crowd) -> None:
    one, two = crowd.newcomers(2)
    room = await one.create_group(two.user_id)
    ours, theirs = await one.connect(), await two.connect()
    body = {"conversation_id": room, "content": "once", "client_message_id": "k"}
    first = await ours.request("message.send", **body)
    again = await (await one.connect()).request("message.send", **body)
    assert (first["duplicate"], again["duplicate"]) == (False, True)
    assert again["data"] == first["data"]
    path = f"/conversations/{room}/messages"
    by_header = await one.post(path, {"content": "once"}, idempotency_key="k")
    by_field = await one.post(path, {"content": "once", "client_message_id": "k"})
    assert (by_header.status, by_field.status) == (200, 200)
    assert by_header.body == by_field.body == first["data"]
    new = await one.post(path, {"content": "by REST first"}, idempotency_key="r")
    assert (new.status, new.body["client_message_id"]) == (201, "r")
    answer = await ours.request(
        "message.send", conversation_id=room, content="by REST first", client_message_id="r"
    )
    assert (answer["duplicate"], answer["data"]) == (True, new.body)
    await theirs.wait(lambda f: f["type"] == "message.new" and f["pos"] == 3)
    assert len(theirs.collected("message.new")) == 2


async def test_the_same_id_at_the_same_time_is_stored_once(crowd: Crowd) -> None:
    one, two = crowd.newcomers(2)
    room = await one.create_group(two.user_id)
    sockets = [await one.connect() for _ in range(4)]
    body = {"conversation_id": room, "content": "once", "client_message_id": str(uuid4())}
    answers = await asyncio.gather(*(socket.request("message.send", **body) for socket in sockets * 3))
    assert sorted(answer["duplicate"] for answer in answers) == [False] + [True] * 11
    assert len({answer["message_id"] for answer in answers}) == 1
    assert len(await history(two, room)) == 1


async def test_an_id_used_for_something_else_is_a_conflict(crowd: Crowd) -> None:
    one, two = crowd.newcomers(2)
    room, other = await one.create_group(two.user_id), await one.create_group(two.user_id)
    socket = await one.connect()
    await socket.request("message.send", conversation_id=room, content="this", client_message_id="k")
    for target, text in ((room, "that"), (other, "this")):
        answer = await socket.request(
            "message.send", conversation_id=target, content=text, client_message_id="k"
        )
        assert (answer["code"], answer["retryable"]) == ("idempotency_conflict", False)
        path = f"/conversations/{target}/messages"
        reply = await one.post(path, {"content": text}, idempotency_key="k")
        assert (reply.status, reply.body["code"]) == (409, "idempotency_conflict")
    theirs = await two.post(f"/conversations/{room}/messages", {"content": "that"}, idempotency_key="k")
    assert theirs.status == 201, "an id is its sender's own"


async def test_an_id_stands_for_its_first_text_whatever_became_of_the_message(crowd: Crowd) -> None:
    one = crowd.newcomer()
    room = await one.create_group()
    socket = await one.connect()
    sent = {"conversation_id": room, "client_message_id": "k"}
    message_id = (await socket.request("message.send", **sent, content="first"))["message_id"]
    for change in (
        {"method": "PUT", "path": f"/messages/{message_id}", "body": {"content": "second"}},
        {"method": "DELETE", "path": f"/messages/{message_id}"},
    ):
        changed = await one.call(**change)
        assert changed.status in (200, 204)
        again = await socket.request("message.send", **sent, content="first")
        assert (again["duplicate"], again["message_id"]) == (True, message_id)
        for other in ("second", "third"):
            answer = await socket.request("message.send", **sent, content=other)
            assert answer["code"] == "idempotency_conflict"
    assert [message["seq"] for message in await history(one, room)] == [1]


async def test_history_pages_in_both_directions(crowd: Crowd) -> None:
    one = crowd.newcomer()
    room = await one.create_group()
    path = f"/conversations/{room}/messages"
    ids = [(await one.post(path, {"content": str(n)})).body["id"] for n in range(1, 8)]

    async def seqs(**query: Any) -> tuple[list[int], bool]:
        body = (await one.get(path, **query)).body
        assert (body["next_cursor"] is not None) == body["has_more"]
        return [message["seq"] for message in body["items"]], body["has_more"]

    assert await seqs() == ([7, 6, 5, 4, 3, 2, 1], False)
    assert await seqs(limit=3) == ([7, 6, 5], True)
    assert await seqs(limit=3, before_seq=5) == ([4, 3, 2], True)
    assert await seqs(limit=3, before_seq=4) == ([3, 2, 1], False)
    assert await seqs(limit=3, before=ids[4]) == ([4, 3, 2], True)
    assert await seqs(limit=3, after_seq=0) == ([1, 2, 3], True)
    assert await seqs(limit=3, after_seq=4) == ([5, 6, 7], False)
    assert await seqs(after_seq=7) == ([], False)
    assert await seqs(before_seq=1) == ([], False)
    for start in ({}, {"after_seq": 0}):
        seen, cursor = [], (await one.get(path, limit=2, **start)).body
        while cursor["next_cursor"] is not None:
            seen += [message["seq"] for message in cursor["items"]]
            cursor = (await one.get(path, limit=2, cursor=cursor["next_cursor"])).body
        seen += [message["seq"] for message in cursor["items"]]
        assert seen == ([1, 2, 3, 4, 5, 6, 7] if start else [7, 6, 5, 4, 3, 2, 1])


async def test_the_seeds_channel_is_there_while_a_member_is_connected(
    crowd: Crowd, stack: SharedStack
) -> None:
    one, two = crowd.newcomers(2)
    room = await one.create_group(two.user_id)
    channel = f"conversation:{room}".encode()
    async with Redis.from_url(stack.redis_url) as client:
        assert channel not in await client.pubsub_channels("conversation:*")
        socket = await one.connect()
        assert channel in await client.pubsub_channels("conversation:*")
        await socket.close()

        async def gone() -> bool:
            return channel not in await client.pubsub_channels("conversation:*")

        await eventually(gone)
