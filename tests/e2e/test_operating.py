"""What operators do: end a conversation, speak in one, look how much is going on; by each of their ways."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path

import aiohttp
import pytest

from messenger_shared.identifiers import new_id
from tests.client import BASE_PATH, Person
from tests.conftest import SharedStack
from tests.e2e.crowd import Crowd
from tests.waiting import eventually

MESSENGER = str(Path(sys.executable).with_name("messenger"))

# Whether it was done, and what was said of it.
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
    return lambda *arguments: run(MESSENGER, arguments[0], "--data-dir", str(stack.data_dir), *arguments[1:])


def by_module(stack: SharedStack) -> Operate:
    """As in a gateway's container, with the rights that the gateway has at Redis."""
    url = stack.as_redis_user("gateway")
    return lambda *arguments: run(
        sys.executable, "-m", "gateway.operating", *arguments, MESSENGER_REDIS_URL=url
    )


def by_route(stack: SharedStack) -> Operate:
    bearer = {"Authorization": f"Bearer {stack.token(1, scope='messenger:admin')}"}

    async def operate(what: str, conversation_id: str, text: str | None = None) -> tuple[bool, str]:
        door = {"close": "close", "post": "messages"}[what]
        path = f"{BASE_PATH}/admin/conversations/{conversation_id}/{door}"
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
    # It is a message like others: the next one follows on it.
    assert (await sockets[1].request("message.send", conversation_id=room, content="ok"))["data"]["seq"] == 2


async def test_a_closed_conversation_is_gone_for_everybody(crowd: Crowd, operate: Operate) -> None:
    people = crowd.newcomers(3)
    room = await people[0].create_group(*(person.user_id for person in people[1:]))
    sockets = [await person.connect() for person in people]
    assert (await operate("close", room))[0]
    for person, socket in zip(people, sockets, strict=True):
        await socket.expect("participant.removed", conversation_id=room, user_id=person.user_id)
        answer = await socket.request("message.send", conversation_id=room, content="still there?")
        assert answer["code"] == "not_found"
        assert (await person.get(f"/conversations/{room}")).status == 404
        assert (await person.get(f"/conversations/{room}/messages")).status == 404
        assert (await person.get("/conversations")).body["items"] == []
    done, said = await operate("close", room)
    assert (done, "not found" in said.lower()) == (False, True)
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
    done, said = await operate(*arguments)
    assert not done
    assert said.rstrip().count("\n") == 0


async def test_only_an_operators_token_may(crowd: Crowd, stack: SharedStack) -> None:
    person = crowd.newcomer()
    room = await person.create_group()
    person.token = stack.token(person.user_id, scope="admin")
    assert await knock(stack, person, room) == {403}
    person.token = "nonsense"
    assert await knock(stack, person, room) == {401}
    person.token = stack.token(person.user_id)
    assert (await person.get(f"/conversations/{room}")).body["last_pos"] == 1


async def knock(stack: SharedStack, person: Person, room: str) -> set[int]:
    """How the routes answer."""
    found = set()
    async with aiohttp.ClientSession(headers=person.bearer) as http:
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
        done, said = await way(stack)("stats")
        found = json.loads(said)
        assert (done, len(found["gateways"])) == (True, 2)
        return found["total_connections"] >= 1

    # Gateways report in a moment.
    await eventually(is_counted)
