"""The admin commands: close a conversation, post to one, read statistics; by each way to give them."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import Awaitable, Callable

import aiohttp
import pytest

from messenger_shared.contract.identifiers import new_id
from tests.client import BASE_PATH, User
from tests.conftest import SharedStack
from tests.e2e.crowd import Crowd
from tests.stack import MESSENGER
from tests.waiting import eventually

# Returns whether it was done, and the printed text or answer.
Operate = Callable[..., Awaitable[tuple[bool, str]]]


async def run(*command: str, **env: str) -> tuple[bool, str]:
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(
        *command, stdout=pipe, stderr=pipe, env={**os.environ, **env}
    )
    output, complaint = await process.communicate()
    assert bool(complaint) == bool(process.returncode), complaint
    return process.returncode == 0, (output or complaint).decode()


def by_command(stack: SharedStack) -> Operate:
    return lambda *arguments: run(*MESSENGER, arguments[0], "--data-dir", str(stack.data_dir), *arguments[1:])


def by_module(stack: SharedStack) -> Operate:
    """As in a gateway's container, with the gateway's rights on Redis."""
    url = stack.as_redis_user("gateway")
    return lambda *arguments: run(
        sys.executable, "-m", "gateway.admin.commands", *arguments, MESSENGER_REDIS_URL=url
    )


def by_route(stack: SharedStack) -> Operate:
    bearer = {"Authorization": f"Bearer {stack.token(1, scope='messenger:admin')}"}

    async def operate(what: str, conversation_id: str, text: str | None = None) -> tuple[bool, str]:
        action = {"close": "close", "post": "messages"}[what]
        path = f"{BASE_PATH}/admin/conversations/{conversation_id}/{action}"
        body = None if text is None else {"content": text}
        async with (
            aiohttp.ClientSession() as http,
            http.post(stack.url + path, headers=bearer, json=body) as response,
        ):
            return response.status == 200, await response.text()

    return operate


@pytest.fixture(params=[by_command, by_module, by_route])
def operate(request: pytest.FixtureRequest, stack: SharedStack) -> Operate:
    """All three ways."""
    way: Operate = request.param(stack)
    return way


async def test_what_the_system_says_reaches_everybody_and_stays(crowd: Crowd, operate: Operate) -> None:
    one, two = crowd.newcomers(2)
    room = await one.create_group(two.user_id)
    sockets = [await one.connect(), await two.connect()]
    assert (await operate("post", room, "Down at noon, back at one."))[0]
    for socket in sockets:
        message = (await socket.expect("message.new", conversation_id=room))["data"]
        assert (message["seq"], message["content"]) == (1, "Down at noon, back at one.")
        assert (message["message_type"], message["sender_id"]) == ("system", 0)
    assert (await two.get(f"/conversations/{room}/messages")).body["items"] == [message]
    [row] = (await two.get("/conversations")).body["items"]
    assert (row["last_message"], row["unread"]) == (message, 1)
    # It is a message like any other: the next one has the next number.
    assert (await sockets[1].request("message.send", conversation_id=room, content="ok"))["data"]["seq"] == 2


async def test_a_closed_conversation_is_gone_for_everybody(crowd: Crowd, operate: Operate) -> None:
    users = crowd.newcomers(3)
    room = await users[0].create_group(*(user.user_id for user in users[1:]))
    sockets = [await user.connect() for user in users]
    assert (await operate("close", room))[0]
    for user, socket in zip(users, sockets, strict=True):
        await socket.expect("participant.removed", conversation_id=room, user_id=user.user_id)
        answer = await socket.request("message.send", conversation_id=room, content="still there?")
        assert answer["code"] == "not_found"
        assert (await user.get(f"/conversations/{room}")).status == 404
        assert (await user.get(f"/conversations/{room}/messages")).status == 404
        assert (await user.get("/conversations")).body["items"] == []
    done, output = await operate("close", room)
    assert (done, "not found" in output.lower()) == (False, True)
    assert not (await operate("post", room, "anybody?"))[0]


async def test_two_whose_direct_conversation_was_closed_may_begin_another(
    crowd: Crowd, operate: Operate
) -> None:
    one, two = crowd.newcomers(2)
    body = {"type": "direct", "participant_ids": [two.user_id]}
    first = (await one.post("/conversations", body)).body["id"]
    assert (await operate("close", first))[0]
    again = await one.post("/conversations", body)
    assert (again.status, again.body["id"] != first, again.body["last_pos"]) == (201, True, 1)


@pytest.mark.parametrize(
    "arguments", [("close", "x"), ("close", new_id()), ("post", new_id(), "hello"), ("post", new_id(), " ")]
)
async def test_what_cannot_be_done_is_told_in_a_line(operate: Operate, arguments: tuple[str, ...]) -> None:
    done, output = await operate(*arguments)
    assert not done
    assert output.rstrip().count("\n") == 0


async def test_only_an_operators_token_may(crowd: Crowd, stack: SharedStack) -> None:
    user = crowd.newcomer()
    room = await user.create_group()
    user.token = stack.token(user.user_id, scope="admin")
    assert await knock(stack, user, room) == {403}
    user.token = "nonsense"
    assert await knock(stack, user, room) == {401}
    user.token = stack.token(user.user_id)
    assert (await user.get(f"/conversations/{room}")).body["last_pos"] == 1


async def knock(stack: SharedStack, user: User, room: str) -> set[int]:
    """Returns the statuses of the routes."""
    found = set()
    async with aiohttp.ClientSession(headers=user.bearer) as http:
        for path in ("close", "messages"):
            url = f"{stack.url}{BASE_PATH}/admin/conversations/{room}/{path}"
            async with http.post(url, json={"content": "hear me"}) as response:
                found.add(response.status)
    return found


@pytest.mark.parametrize("way", [by_command, by_module])
async def test_an_operator_sees_how_much_is_going_on(
    crowd: Crowd, stack: SharedStack, way: Callable[[SharedStack], Operate]
) -> None:
    await crowd.newcomer().connect()

    async def is_counted() -> bool:
        done, output = await way(stack)("stats")
        found = json.loads(output)
        assert (done, len(found["gateways"])) == (True, 2)
        return found["total_connections"] >= 1

    # Gateways report after a moment.
    await eventually(is_counted)
