"""Revoking tokens: sockets end everywhere at once, and no earlier token is accepted again."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable

import aiohttp
import pytest

from tests.client import BASE_PATH, User
from tests.conftest import SharedStack
from tests.e2e.crowd import Crowd
from tests.e2e.placement import connect_apart
from tests.stack import MESSENGER
from tests.waiting import eventually, until

# A second by design; the rest is for a busy machine.
SOON_S = 5.0

Disconnect = Callable[[User], Awaitable[None]]


@pytest.fixture(params=["command line", "operator's route"])
def disconnect(request: pytest.FixtureRequest, stack: SharedStack, crowd: Crowd) -> Disconnect:
    """Both ways."""

    async def by_command(user: User) -> None:
        folder = ("--data-dir", str(stack.data_dir))
        command = (*MESSENGER, "disconnect", str(user.user_id), *folder)
        process = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE)
        output, _ = await process.communicate()
        assert process.returncode == 0
        assert f"user {user.user_id}" in output.decode()

    async def by_route(user: User) -> None:
        operator = crowd.newcomer()
        operator.token = stack.token(operator.user_id, scope="read messenger:admin")
        status, body = await post(stack, f"/admin/users/{user.user_id}/disconnect", operator)
        assert (status, body["user_id"]) == (200, user.user_id)

    return by_command if request.param == "command line" else by_route


async def post(stack: SharedStack, path: str, user: User) -> tuple[int, dict[str, object]]:
    """The route is in no published document, so the tests' client doesn't know it."""
    async with (
        aiohttp.ClientSession() as http,
        http.post(stack.url + BASE_PATH + path, headers=user.bearer) as response,
    ):
        return response.status, await response.json()


async def refuses(user: User) -> bool:
    """Whether REST and sockets refuse the token; four times, as each may reach another worker."""
    replies = await asyncio.gather(*(user.get("/conversations") for _ in range(4)))
    sockets = await asyncio.gather(*(user.open("/ws", user.bearer) for _ in range(4)))
    await until(lambda: all(socket.frames or socket.ended for socket in sockets))
    closed = [socket.ended is not None and socket.ended.code in (1008, 4503) for socket in sockets]
    return all(closed) and {reply.status for reply in replies} == {401}


async def test_a_users_sockets_end_on_every_gateway_and_no_others_do(
    crowd: Crowd, stack: SharedStack, disconnect: Disconnect
) -> None:
    one, two = crowd.newcomers(2)
    pids = await stack.workers("gateway")
    theirs, others = await connect_apart(one, pids), await connect_apart(two, pids)
    await disconnect(one)
    for ended in await asyncio.gather(*(socket.wait_end(SOON_S) for socket in theirs)):
        assert (ended.code, ended.reason) == (4503, '{"code":"session_revoked"}')
    for socket in others:
        assert (await socket.request("ping"))["type"] == "pong"


async def test_a_token_from_before_lets_nobody_in_and_one_from_after_does(
    crowd: Crowd, stack: SharedStack, disconnect: Disconnect
) -> None:
    user = crowd.newcomer()
    ticket = (await user.call("POST", "/ws-ticket")).body["ticket"]
    everywhere = await connect_apart(user, await stack.workers("gateway"))
    await disconnect(user)
    # A worker that has closed a socket of the user knows of the revocation.
    for socket in everywhere:
        await socket.wait_end(SOON_S)
    assert await refuses(user)
    socket = await user.open(f"/ws?ticket={ticket}")
    assert (await socket.wait_end()).code == 1008
    # `iat` is in whole seconds.
    fresh = stack.token(user.user_id, iat=int(time.time()) + 1)
    old, user.token = user.token, fresh
    socket = await user.connect()
    assert (await socket.request("auth.refresh", token=old))["code"] == "unauthorized"
    assert (await user.get("/conversations")).status == 200


async def test_a_token_that_does_not_say_when_it_was_issued_is_from_before(
    crowd: Crowd, stack: SharedStack, disconnect: Disconnect
) -> None:
    user = crowd.newcomer()
    user.token = stack.token(user.user_id, iat=None)
    assert (await user.get("/conversations")).status == 200
    await disconnect(user)
    await eventually(lambda: refuses(user), SOON_S)


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
    user, target = crowd.newcomers(2)
    user.token = stack.token(user.user_id, scope=scope)
    socket = await target.connect()
    assert (await post(stack, f"/admin/users/{target.user_id}/disconnect", user))[0] == status
    if status == 403:
        assert (await socket.request("ping"))["type"] == "pong"
    user.token = "nonsense"
    assert (await post(stack, f"/admin/users/{target.user_id}/disconnect", user))[0] == 401
