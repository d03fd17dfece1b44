"""Taking tokens back: sockets end everywhere at once, and what was issued before lets nobody in again."""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

import aiohttp
import pytest

from tests.client import BASE_PATH, Person
from tests.conftest import SharedStack
from tests.e2e.crowd import Crowd
from tests.e2e.placement import connect_apart, workers
from tests.waiting import eventually, until

MESSENGER = str(Path(sys.executable).with_name("messenger"))
# A second by design; the rest is for a busy machine.
SOON_S = 5.0

Disconnect = Callable[[Person], Awaitable[None]]


@pytest.fixture(params=["command line", "operator's route"])
def disconnect(request: pytest.FixtureRequest, stack: SharedStack, crowd: Crowd) -> Disconnect:
    """Both ways."""

    async def by_command(person: Person) -> None:
        folder = ("--data-dir", str(stack.data_dir))
        command = (MESSENGER, "disconnect", str(person.user_id), *folder)
        process = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE)
        output, _ = await process.communicate()
        assert process.returncode == 0
        assert f"user {person.user_id}" in output.decode()

    async def by_route(person: Person) -> None:
        operator = crowd.newcomer()
        operator.token = stack.token(operator.user_id, scope="read messenger:admin")
        status, body = await post(stack, f"/admin/users/{person.user_id}/disconnect", operator)
        assert (status, body["user_id"]) == (200, person.user_id)

    return by_command if request.param == "command line" else by_route


async def post(stack: SharedStack, path: str, person: Person) -> tuple[int, dict[str, object]]:
    """The route is in no published document, so that the tests' client doesn't know it."""
    async with (
        aiohttp.ClientSession() as http,
        http.post(stack.url + BASE_PATH + path, headers=person.bearer) as response,
    ):
        return response.status, await response.json()


async def refuses(person: Person) -> bool:
    """Whether REST and socket both refuse his token; four times, as each may reach another worker."""
    replies = await asyncio.gather(*(person.get("/conversations") for _ in range(4)))
    sockets = await asyncio.gather(*(person.open("/ws", person.bearer) for _ in range(4)))
    await until(lambda: all(socket.frames or socket.ended for socket in sockets))
    closed = [socket.ended is not None and socket.ended.code in (1008, 4503) for socket in sockets]
    return all(closed) and {reply.status for reply in replies} == {401}


async def test_a_users_sockets_end_on_every_gateway_and_no_others_do(
    crowd: Crowd, stack: SharedStack, disconnect: Disconnect
) -> None:
    one, two = crowd.newcomers(2)
    pids = workers(await asyncio.to_thread(stack.status), "gateway")
    theirs, others = await connect_apart(one, pids), await connect_apart(two, pids)
    await disconnect(one)
    for ended in await asyncio.gather(*(socket.wait_end(SOON_S) for socket in theirs)):
        assert (ended.code, ended.reason) == (4503, '{"code":"session_revoked"}')
    for socket in others:
        assert (await socket.request("ping"))["type"] == "pong"


async def test_a_token_from_before_lets_nobody_in_and_one_from_after_does(
    crowd: Crowd, stack: SharedStack, disconnect: Disconnect
) -> None:
    person = crowd.newcomer()
    ticket = (await person.call("POST", "/ws-ticket")).body["ticket"]
    everywhere = await connect_apart(person, workers(await asyncio.to_thread(stack.status), "gateway"))
    await disconnect(person)
    # Where a socket of his has ended, it is known.
    for socket in everywhere:
        await socket.wait_end(SOON_S)
    assert await refuses(person)
    socket = await person.open(f"/ws?ticket={ticket}")
    assert (await socket.wait_end()).code == 1008
    # `iat` is in whole seconds.
    fresh = stack.token(person.user_id, iat=int(time.time()) + 1)
    old, person.token = person.token, fresh
    socket = await person.connect()
    assert (await socket.request("auth.refresh", token=old))["code"] == "unauthorized"
    assert (await person.get("/conversations")).status == 200


async def test_a_token_that_does_not_say_when_it_was_issued_is_from_before(
    crowd: Crowd, stack: SharedStack, disconnect: Disconnect
) -> None:
    person = crowd.newcomer()
    person.token = stack.token(person.user_id, iat=None)
    assert (await person.get("/conversations")).status == 200
    await disconnect(person)
    await eventually(lambda: refuses(person), SOON_S)


@pytest.mark.parametrize(
    ("scope", "status"),
    [
        *((None, 403), ("", 403), ("admin", 403), ("messenger:admin:not", 403), ("xmessenger:admin", 403)),
        *((["messenger:admin"], 403), (True, 403), ("messenger:admin", 200)),
    ],
)
async def test_only_an_operators_token_may(
    crowd: Crowd, stack: SharedStack, scope: object, status: int
) -> None:
    person, target = crowd.newcomers(2)
    person.token = stack.token(person.user_id, scope=scope)
    socket = await target.connect()
    assert (await post(stack, f"/admin/users/{target.user_id}/disconnect", person))[0] == status
    if status == 403:
        assert (await socket.request("ping"))["type"] == "pong"
    person.token = "nonsense"
    assert (await post(stack, f"/admin/users/{target.user_id}/disconnect", person))[0] == 401
