"""What clients claim about themselves, others or the database, and what others get to see of it."""

from __future__ import annotations

import asyncio
import itertools
import time
from typing import Any
from uuid import uuid4

import pytest

from tests.client import User
from tests.e2e.crowd import Crowd
from tests.waiting import until

TYPED = 60
# At once, and then one every three seconds.
TOLD_AT_ONCE, TOLD_PER_S = 15, 1 / 3


async def test_what_is_the_servers_to_say_is_not_taken_from_a_client(crowd: Crowd) -> None:
    one, two = crowd.newcomers(2)
    fake = {
        "id": str(uuid4()),
        "message_id": str(uuid4()),
        "sender_id": two.user_id,
        "user_id": two.user_id,
        "seq": 99,
        "pos": 99,
        "version": 9,
        "created_at": "2001-01-01T00:00:00Z",
        "is_system": True,
        "edited_at": "2001-01-01T00:00:00Z",
        "deleted_at": "2001-01-01T00:00:00Z",
        "created_by": two.user_id,
        "last_seq": 99,
        "last_pos": 99,
        "role": "admin",
        "unread": 99,
    }
    asked = {**fake, "type": "group", "title": "x", "participant_ids": [two.user_id]}
    made = await one.post("/conversations", asked)
    room = made.body["id"]
    assert (made.body["created_by"], made.body["last_seq"], made.body["last_pos"]) == (one.user_id, 0, 1)
    assert room != fake["id"]
    socket = await two.connect()
    fake |= {"content": "x", "sender_id": one.user_id}
    by_rest = await two.post(f"/conversations/{room}/messages", fake)
    by_socket = await socket.request("message.send", **fake, conversation_id=room)
    for message, seq in ((by_rest.body, 1), (by_socket["data"], 2)):
        assert (message["sender_id"], message["seq"], message["version"]) == (two.user_id, seq, 1)
        assert message["id"] != fake["id"]
        assert message["created_at"] > "2020"
        assert (message["edited_at"], message["deleted_at"]) == (None, None)
    rows = (await one.get(f"/conversations/{room}/participants")).body["items"]
    assert {row["user_id"]: row["role"] for row in rows} == {one.user_id: "admin", two.user_id: "member"}


async def test_an_event_shows_what_the_rest_read_shows(crowd: Crowd) -> None:
    """Every field, for every receiver: the classic leak is an event that holds more than the page."""
    one, two, three = crowd.newcomers(3)
    sockets = [await two.connect(), await one.connect()]
    room = await one.create_group(two.user_id)
    path = f"/conversations/{room}"
    kept = (await one.post(f"{path}/messages", {"content": "x"})).body["id"]
    await assert_equal(two, room, await sockets[0].expect("message.new"))
    await one.call("PUT", f"/messages/{kept}", body={"content": "y"})
    await assert_equal(two, room, await sockets[0].expect("message.edited"))
    await one.call("DELETE", f"/messages/{kept}")
    await assert_equal(two, room, await sockets[0].expect("message.deleted"))
    created = (await sockets[0].expect("conversation.created"))["data"]
    await one.call("PATCH", path, body={"title": "new"})
    updated = (await sockets[0].expect("conversation.updated"))["data"]
    read = (await two.get(path)).body
    assert {**updated, **read} == {**read, **updated}
    assert {name: read[name] for name in created if name not in ("title", "last_pos", "last_seq")} == {
        name: value for name, value in created.items() if name not in ("title", "last_pos", "last_seq")
    }
    await one.post(f"{path}/participants", {"user_ids": [three.user_id], "role": "observer"})
    told = await sockets[0].expect("participant.added", user_id=three.user_id)
    [row] = [
        r for r in (await two.get(f"{path}/participants")).body["items"] if r["user_id"] == three.user_id
    ]
    assert set(told) == {"type", "conversation_id", "pos", "user_id", "role", "users"}
    assert told["role"] == row["role"]
    assert told["users"] == [{"user_id": three.user_id, "role": row["role"]}]


async def assert_equal(reader: User, room: str, event: dict[str, Any]) -> None:
    items = (await reader.get(f"/conversations/{room}/messages", limit=1)).body["items"]
    assert event["data"] == items[0]
    assert set(event) <= {"type", "conversation_id", "message_id", "pos", "data"}


async def test_who_types_without_end_is_told_of_a_few_times(crowd: Crowd) -> None:
    one, two = crowd.newcomers(2)
    room = await one.create_group(two.user_id)
    typist, reader = await one.connect(), await two.connect()
    await reader.request("subscribe", conversation_id=room)
    begun = time.monotonic()
    for number in range(TYPED):
        answer = await typist.request(("typing.start", "typing.stop")[number % 2], conversation_id=room)
        assert answer["type"] == "typing.ok"
    sent = await typist.request("message.send", conversation_id=room, content="done")
    await until(lambda: reader.collected("message.new", pos=sent["data"]["pos"]))
    told = reader.collected("typing.start") + reader.collected("typing.stop")
    assert 2 <= len(told) <= TOLD_AT_ONCE + (time.monotonic() - begun) * TOLD_PER_S


QUOTES = ("'", '"', "`", "\\'", "''", "%27", "\u02bc", "$$", ")", "'))")
TAILS = (
    " OR 1=1 --",
    "; DROP TABLE messenger.messages; --",
    " UNION SELECT rolpassword FROM pg_authid --",
    " || pg_sleep(10) --",
    "/**/AND/**/1=(SELECT/**/1)",
    "::int",
    "%(user_id)s %s {0} ${user}",
    "\nCOMMIT;\n",
    "\\x00 E'\\\\' U&'\\0041'",
    "; SELECT set_config('app.user_id', '1', false); --",
)


@pytest.mark.parametrize("tail", TAILS, ids=range(len(TAILS)))
async def test_sql_in_every_field_is_text(crowd: Crowd, tail: str) -> None:
    one, two = crowd.newcomers(2)
    strings = [quote + tail for quote in QUOTES]
    room = await one.create_group(two.user_id, title=strings[0])
    assert (await two.get(f"/conversations/{room}")).body["title"] == strings[0]
    path = f"/conversations/{room}/messages"
    bodies = [{"content": text, "client_message_id": text[:64]} for text in strings]
    replies = await asyncio.gather(*(one.post(path, body) for body in bodies))
    assert {reply.status for reply in replies} == {201}
    stored = {item["content"]: item for item in (await two.get(path)).body["items"]}
    assert set(stored) == set(strings)
    for text, item in stored.items():
        assert item["client_message_id"] == text[:64]
    # Parameters that are no free text are refused by their form.
    for text, name in itertools.product(strings[:3], ("cursor", "before", "limit", "before_seq")):
        assert (await two.get(path, **{name: text})).status == 422
