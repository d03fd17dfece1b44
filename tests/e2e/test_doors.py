"""Access: tokens that expire while a socket is open, pages of other origins, and errors over REST."""

from __future__ import annotations

import json
from typing import Any
from uuid import uuid4

import aiohttp
import pytest

from tests.client import Reply
from tests.conftest import SharedStack
from tests.e2e.crowd import Crowd

TTL_S = 2
# The token's whole seconds, the heartbeat that looks for expired ones, and a slow machine.
END_S = 10.0


async def test_a_socket_ends_with_its_token_unless_it_brought_a_fresh_one(
    crowd: Crowd, stack: SharedStack
) -> None:
    user = crowd.newcomer()
    user.token = stack.token(user.user_id, ttl=TTL_S)
    refreshed, left = await user.connect(), await user.connect()
    answer = await refreshed.request("auth.refresh", token=stack.token(user.user_id))
    assert answer["type"] == "auth.ok"
    assert answer["expires_at"].endswith("Z")
    ended = await left.wait_end(END_S)
    assert ended.code == 4005
    assert isinstance(json.loads(ended.reason)["code"], str)
    assert (await refreshed.request("ping"))["type"] == "pong"


async def test_a_bad_fresh_token_is_an_error_and_the_socket_lives_on(
    crowd: Crowd, stack: SharedStack
) -> None:
    user, other = crowd.newcomers(2)
    socket = await user.connect()
    for bad in (other.token, "nonsense", "", stack.token(user.user_id, ttl=-1)):
        answer = await socket.request("auth.refresh", token=bad)
        assert (answer["type"], answer["code"]) == ("error", "unauthorized")
    assert (await socket.request("auth.refresh"))["code"] == "invalid_frame"
    assert (await socket.request("ping"))["type"] == "pong"


async def test_a_bad_fresh_token_does_not_lengthen_the_life_of_a_socket(
    crowd: Crowd, stack: SharedStack
) -> None:
    user, other = crowd.newcomers(2)
    user.token = stack.token(user.user_id, ttl=TTL_S)
    socket = await user.connect()
    await socket.request("auth.refresh", token=other.token)
    assert (await socket.wait_end(END_S)).code == 4005


def foreign_origins(url: str) -> list[str]:
    """Returns origins that are not this stack's, some of them similar."""
    return [
        "https://evil.example",
        "null",
        f"{url}.evil.example",
        f"{url}/",
        url.replace("http", "https"),
        url[:-1],
        "http://127.0.0.1",
        "",
    ]


async def test_a_page_of_another_origin_gets_403_before_the_upgrade(crowd: Crowd, stack: SharedStack) -> None:
    user = crowd.newcomer()
    for origin in foreign_origins(stack.url):
        for headers in (user.bearer, {}):
            with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
                await user.open("/ws", {**headers, "Origin": origin})
            assert refused.value.status == 403, origin
    socket = await user.open("/ws", {**user.bearer, "Origin": stack.url})
    await socket.expect("system", event="connected")


async def test_a_page_of_another_origin_gets_403_over_rest_too(crowd: Crowd, stack: SharedStack) -> None:
    user = crowd.newcomer()
    for origin in foreign_origins(stack.url)[:-1]:
        reply = await user.call("GET", "/conversations", headers={"origin": origin})
        assert_problem(reply, 403, "forbidden")
        assert "Access-Control-Allow-Origin" not in reply.headers
        body = {"type": "group", "title": "x"}
        assert_problem(await user.post("/conversations", body, origin=origin), 403, "forbidden")
    assert (await user.get("/conversations")).body["items"] == []
    reply = await user.call("GET", "/conversations", headers={"origin": stack.url})
    assert (reply.status, reply.headers["Access-Control-Allow-Origin"]) == (200, stack.url)


def assert_problem(reply: Reply, status: int, code: str) -> None:
    """The reply must be an RFC 9457 document with a known code."""
    assert reply.status == status, reply
    assert reply.headers["Content-Type"].split(";")[0] == "application/problem+json"
    assert {"type", "title", "status", "code", "retryable"} <= set(reply.body)
    assert (reply.body["status"], reply.body["code"], reply.body["retryable"]) == (status, code, False)


async def test_rest_takes_the_token_from_its_header_alone(crowd: Crowd, stack: SharedStack) -> None:
    user = crowd.newcomer()
    expired = stack.token(user.user_id, ttl=-1)
    for header in ("", "Bearer", "Bearer ", "Bearer nonsense", f"Basic {user.token}", f"Bearer {expired}"):
        reply = await user.call(
            "GET", "/conversations", params={"token": user.token}, headers={"authorization": header}
        )
        assert_problem(reply, 401, "unauthorized")


async def test_strangers_and_missing_conversations_get_the_same_problem(crowd: Crowd) -> None:
    owner, stranger = crowd.newcomers(2)
    room = await owner.create_group()
    for suffix in ("", "/messages"):
        replies = [await stranger.get(f"/conversations/{id_}{suffix}") for id_ in (room, str(uuid4()))]
        assert_problem(replies[0], 404, "not_found")
        assert replies[0][:2] == replies[1][:2]
    reply = await stranger.post(f"/conversations/{room}/messages", {"content": "let me in"})
    assert_problem(reply, 404, "not_found")


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "code"),
    [
        ("GET", "/no/such/path", None, 404, "not_found"),
        ("GET", "/conversations/nope", None, 400, "invalid_conversation_id"),
        ("GET", "/conversations/nope/messages", None, 400, "invalid_conversation_id"),
        ("POST", "/conversations/nope/messages", {"content": "x"}, 400, "invalid_conversation_id"),
        ("POST", "/conversations", b"nope", 400, "invalid_json"),
        ("POST", "/conversations", b"", 400, "invalid_json"),
        ("POST", "/conversations", b'{"type":NaN}', 400, "invalid_json"),
        ("POST", "/conversations", b"\xff\xfe", 400, "invalid_json"),
        ("POST", "/conversations", b"[]", 422, "invalid_frame"),
        ("POST", "/conversations", b'{"type":"group","title":"\\ud800"}', 422, "invalid_frame"),
        ("GET", "/conversations?limit=0", None, 422, "invalid_frame"),
        ("GET", "/conversations?limit=101", None, 422, "invalid_frame"),
        ("GET", "/conversations?limit=x", None, 422, "invalid_frame"),
        ("GET", "/conversations?limit=1.0", None, 422, "invalid_frame"),
        ("GET", "/conversations?cursor=nonsense", None, 422, "invalid_frame"),
        ("GET", "/conversations?cursor=%00", None, 422, "invalid_frame"),
    ],
)
async def test_errors_over_rest_are_problem_documents(
    crowd: Crowd, method: str, path: str, body: Any, status: int, code: str
) -> None:
    assert_problem(await crowd.newcomer().call(method, path, body=body), status, code)


async def test_bad_fields_of_a_message_over_rest(crowd: Crowd) -> None:
    user = crowd.newcomer()
    path = f"/conversations/{await user.create_group()}/messages"
    for body, key, code, field in (
        ({}, "k", "invalid_frame", "content"),
        ({"content": " "}, "k", "invalid_frame", "content"),
        ({"content": "x" * 10_001}, "k", "message_too_long", "content"),
        ({"content": "x"}, "k" * 65, "invalid_frame", "client_message_id"),
        ({"content": "x", "message_type": "system"}, "k", "invalid_frame", "message_type"),
    ):
        reply = await user.post(path, body, idempotency_key=key)
        assert_problem(reply, 422, code)
        assert list(reply.body["errors"]) == [field]
    assert (await user.get(path)).body["items"] == []


async def test_a_body_above_256_kib_gets_413(crowd: Crowd) -> None:
    user = crowd.newcomer()
    body = {"type": "group", "title": "x", "extra": "x" * 256 * 1024}
    reply = await user.post("/conversations", body)
    assert reply.status == 413
    assert reply.headers["Content-Type"].split(";")[0] == "application/problem+json"


async def test_a_path_that_does_not_know_the_method_gets_405(crowd: Crowd) -> None:
    reply = await crowd.newcomer().call("DELETE", "/conversations")
    assert (reply.status, reply.headers["Allow"]) == (405, "GET,HEAD,OPTIONS,POST")
