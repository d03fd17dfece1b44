"""Conversations that a host application gets or creates by its own keys, and what it may do in them."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator
from typing import Any

import psycopg2
import pytest

from tests.client import Reply, User
from tests.conftest import SharedStack
from tests.e2e.crowd import Crowd
from tests.e2e.hosts import host_with, new_key


@pytest.fixture
def one(crowd: Crowd) -> User:
    return crowd.newcomer()


@pytest.fixture(scope="module")
def key(stack: SharedStack) -> str:
    return new_key(stack.data_dir, "users", "conversations", "messages")


@pytest.fixture
async def host(stack: SharedStack, key: str) -> AsyncIterator[User]:
    async with host_with(stack.url, key) as host:
        yield host


async def ensure(host: User, key: str, *users: User, **fields: Any) -> Reply:
    body = {"type": "group", "title": "Order", "participant_ids": [user.user_id for user in users], **fields}
    return await host.call("PUT", f"/server/conversations/by-key/{key}", body=body)


async def test_the_same_key_is_the_same_conversation_and_missing_members_are_added(
    host: User, crowd: Crowd
) -> None:
    one, two, three = crowd.newcomers(3)
    key = secrets.token_hex(8)
    socket = await three.connect()
    made = await ensure(host, key, one, two, custom={"order": 123})
    assert made.status == 201
    assert made.body["custom"] == {"order": 123}
    assert made.body["external_keys"] == [key]
    again = await ensure(host, key, two, three)
    assert (again.status, again.body["id"]) == (200, made.body["id"])
    assert {member["user_id"] for member in again.body["participants"]} == {
        one.user_id,
        two.user_id,
        three.user_id,
    }
    await socket.expect("participant.added", conversation_id=made.body["id"])
    by_key = await host.get(f"/server/conversations/by-key/{key}")
    assert by_key.body == (await host.get(f"/server/conversations/{made.body['id']}")).body


async def test_many_requests_with_one_key_make_one_conversation(host: User, crowd: Crowd) -> None:
    key, users = secrets.token_hex(8), crowd.newcomers(3)
    replies = await asyncio.gather(*(ensure(host, key, *users) for _ in range(10)))
    assert sorted(reply.status for reply in replies) == [200] * 9 + [201], replies
    assert len({reply.body["id"] for reply in replies}) == 1


async def test_another_type_or_another_pair_is_a_conflict(host: User, crowd: Crowd) -> None:
    one, two, three = crowd.newcomers(3)
    key, direct = secrets.token_hex(8), secrets.token_hex(8)
    await ensure(host, key, one)
    assert (await ensure(host, key, one, type="announcement")).body["code"] == "key_conflict"
    made = await ensure(host, direct, one, two, type="direct", title=None)
    assert made.status == 201
    assert (await ensure(host, direct, two, one, type="direct", title=None)).body["id"] == made.body["id"]
    assert (await ensure(host, direct, one, three, type="direct", title=None)).status == 409


async def test_a_direct_conversation_that_exists_gets_the_key(host: User, crowd: Crowd) -> None:
    one, two = crowd.newcomers(2)
    direct = await one.post("/conversations", {"type": "direct", "participant_ids": [two.user_id]})
    key = secrets.token_hex(4) + "%2F" + secrets.token_hex(4)
    found = await ensure(host, key, one, two, type="direct", title=None)
    assert (found.status, found.body["id"]) == (200, direct.body["id"])
    assert found.body["external_keys"] == [key.replace("%2F", "/")]


async def test_a_host_posts_as_a_member_once(host: User, crowd: Crowd) -> None:
    one, two, stranger = crowd.newcomers(3)
    room = await one.create_group(two.user_id)
    socket = await two.connect()
    path, body = f"/server/conversations/{room}/messages", {"sender_id": one.user_id, "content": "hello"}
    first = await host.post(path, body, idempotency_key="k")
    again = await host.post(path, body, idempotency_key="k")
    assert (first.status, again.status) == (201, 200)
    assert first.body == again.body
    frame = await socket.expect("message.new", conversation_id=room)
    assert frame["data"]["sender_id"] == one.user_id
    assert (await host.post(path, body | {"sender_id": stranger.user_id})).status == 404
    assert (await host.post(path, {"content": "who?"})).status == 422


async def test_a_host_posts_as_the_system_once(host: User, crowd: Crowd) -> None:
    one = crowd.newcomer()
    room = await one.create_group()
    path, body = f"/server/conversations/{room}/messages", {"message_type": "system", "content": "shipped"}
    first = await host.post(path, body, idempotency_key="k")
    again = await host.post(path, body, idempotency_key="k")
    assert (first.status, again.status) == (201, 200)
    assert first.body == again.body
    assert (first.body["sender_id"], first.body["message_type"]) == (0, "system")
    assert (await host.post(path, body)).body["id"] != first.body["id"]


async def test_a_host_manages_members_title_and_messages_without_a_role(host: User, crowd: Crowd) -> None:
    one, two = crowd.newcomers(2)
    room = await one.create_group()
    socket = await one.connect()
    path = f"/server/conversations/{room}"
    assert (await host.call("PATCH", path, body={"title": "New"})).body["title"] == "New"
    await socket.expect("conversation.updated", conversation_id=room)
    assert (await host.post(f"{path}/participants", {"user_ids": [two.user_id]})).status == 200
    member = f"{path}/participants/{two.user_id}"
    assert (await host.call("PATCH", member, body={"role": "observer"})).body["role"] == "observer"
    assert (await host.call("DELETE", member)).status == 204
    assert (await host.call("DELETE", member)).status == 404
    sent = await one.post(f"/conversations/{room}/messages", {"content": "x"})
    assert (await host.call("DELETE", f"/server/messages/{sent.body['id']}")).status == 204
    await socket.expect("message.deleted", conversation_id=room)


async def test_a_closed_conversation_frees_its_key(host: User, crowd: Crowd) -> None:
    one, key = crowd.newcomer(), secrets.token_hex(8)
    made = await ensure(host, key, one)
    path = f"/server/conversations/{made.body['id']}"
    assert (await host.call("DELETE", path)).status == 204
    assert (await host.get(path)).status == 404
    assert (await host.get(f"/server/conversations/by-key/{key}")).status == 404
    assert (await one.get(f"/conversations/{made.body['id']}")).status == 404
    again = await ensure(host, key, one)
    assert again.status == 201
    assert again.body["id"] != made.body["id"]


@pytest.mark.parametrize(
    "fields",
    [
        {"type": "room"},
        {"title": " "},
        {"participant_ids": []},
        {"participant_ids": [0]},
        {"custom": []},
        {"type": "direct"},
    ],
)
async def test_a_bad_conversation_is_refused(host: User, one: User, fields: dict[str, Any]) -> None:
    reply = await ensure(host, secrets.token_hex(8), one, **fields)
    assert (reply.status, reply.body["code"]) == (422, "invalid_frame")


async def test_each_use_of_a_key_is_recorded_without_content(
    host: User, stack: SharedStack, key: str, one: User
) -> None:
    room = await one.create_group()
    body = {"sender_id": one.user_id, "content": "secret"}
    sent = await host.post(f"/server/conversations/{room}/messages", body)
    assert sent.status == 201
    with psycopg2.connect(stack.database_url) as connection, connection.cursor() as cursor:
        cursor.execute("SET app.user_id = '-1'; SET ROLE messenger_chat")
        cursor.execute(
            "SELECT key_id, operation FROM messenger.server_audit WHERE target = %s", (sent.body["id"],)
        )
        assert cursor.fetchall() == [(key.split("_")[1], "server.message.send")]
