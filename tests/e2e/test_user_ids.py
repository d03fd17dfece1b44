"""User ids go up to 2^53 - 1, which JavaScript can hold; a larger one is refused everywhere with a reason."""

from __future__ import annotations

from typing import Any

import aiohttp
import pytest

from tests.client import BASE_PATH
from tests.conftest import SharedStack
from tests.e2e.crowd import Crowd

MOST = 2**53 - 1
TOO_LARGE = (MOST + 1, 2**63 - 1, 2**63, 2**64, 10**30)


async def test_the_largest_id_is_a_users_like_any_other(crowd: Crowd) -> None:
    most, other = crowd.newcomer(MOST), crowd.newcomer()
    socket = await most.connect()
    assert socket.frames[0]["user_id"] == MOST
    room = await other.create_group(MOST)
    sent = await socket.request("message.send", conversation_id=room, content="x")
    assert sent["data"]["sender_id"] == MOST
    assert (await other.get(f"/presence/{MOST}")).body["user_id"] == MOST
    assert [row["user_id"] for row in (await other.get(f"/presence?user_ids={MOST}")).body["items"]] == [MOST]
    path = f"/conversations/{room}/participants/{MOST}"
    assert (await other.call("PATCH", path, body={"role": "observer"})).body["user_id"] == MOST
    assert (await other.call("DELETE", path)).status == 204


@pytest.mark.parametrize("too_large", TOO_LARGE)
async def test_a_larger_one_is_refused_wherever_it_stands(crowd: Crowd, too_large: int) -> None:
    user = crowd.newcomer()
    room = await user.create_group()
    asked: list[tuple[str, str, Any, str]] = [
        (
            "POST",
            "/conversations",
            {"type": "group", "title": "x", "participant_ids": [too_large]},
            "participant_ids",
        ),
        ("POST", f"/conversations/{room}/participants", {"user_ids": [1, too_large]}, "user_ids"),
        ("PATCH", f"/conversations/{room}/participants/{too_large}", {"role": "admin"}, "user_id"),
        ("DELETE", f"/conversations/{room}/participants/{too_large}", None, "user_id"),
        ("GET", f"/presence?user_ids=1,{too_large}", None, "user_ids"),
        ("GET", f"/presence/{too_large}", None, "user_id"),
    ]
    for method, path, body, field in asked:
        reply = await user.call(method, path, body=body)
        assert (reply.status, reply.body["code"], list(reply.body["errors"])) == (
            422,
            "invalid_frame",
            [field],
        )
        assert str(MOST) in reply.body["errors"][field][0]
    socket = await user.connect()
    for type_ in ("presence.watch", "presence.unwatch"):
        answer = await socket.request(type_, user_ids=[too_large])
        assert (answer["code"], str(MOST) in answer["details"]["user_ids"][0]) == ("invalid_frame", True)


@pytest.mark.parametrize("too_large", TOO_LARGE)
async def test_a_token_of_a_larger_one_is_no_token(crowd: Crowd, stack: SharedStack, too_large: int) -> None:
    user = crowd.newcomer()
    user.token = stack.token(too_large)
    reply = await user.get("/conversations")
    assert (reply.status, reply.body["code"]) == (401, "unauthorized")
    for path in ("/ws", f"/ws/{too_large}"):
        assert (await (await user.open(path, user.bearer)).wait_end()).code == 1008


async def test_no_token_is_made_for_a_larger_one(stack: SharedStack) -> None:
    # Containers have no route for tokens.
    assert stack.data_dir
    async with aiohttp.ClientSession(stack.url + BASE_PATH + "/") as http:
        for too_large in TOO_LARGE:
            async with http.post("dev/token", json={"user_id": too_large}) as response:
                problem = await response.json()
            assert (response.status, problem["code"]) == (422, "invalid_frame")
            assert str(MOST) in problem["errors"]["user_id"][0]


@pytest.mark.parametrize("too_large", TOO_LARGE)
async def test_other_numbers_end_there_too(crowd: Crowd, too_large: int) -> None:
    user = crowd.newcomer()
    room = await user.create_group()
    socket = await user.connect()
    frames: list[tuple[str, dict[str, Any], str]] = [
        ("subscribe", {"conversation_id": room, "after_pos": too_large}, "after_pos"),
        ("resume", {"positions": {room: too_large}}, "positions"),
        ("message.send", {"conversation_id": room, "content": "x", "file_size": too_large}, "file_size"),
        (
            "message.edit",
            {"message_id": room, "content": "x", "expected_version": too_large},
            "expected_version",
        ),
    ]
    for type_, fields, field in frames:
        answer = await socket.request(type_, **fields)
        assert (answer["code"], list(answer["details"])) == ("invalid_frame", [field])
    for name in ("before_seq", "after_seq"):
        reply = await user.get(f"/conversations/{room}/messages", **{name: too_large})
        assert (reply.status, list(reply.body["errors"])) == (422, [name])
    reply = await user.call("PUT", f"/conversations/{room}/read", body={"seq": too_large})
    assert (reply.status, list(reply.body["errors"])) == (422, ["seq"])
    assert (await user.call("PUT", f"/conversations/{room}/read", body={"seq": MOST})).body["read_seq"] == 0
