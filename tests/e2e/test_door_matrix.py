"""Every operation × every caller at every door: client routes, server routes, and the socket."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack
from typing import Any, NamedTuple

import pytest

from messenger_shared.contract.operations.operation import Operation
from messenger_shared.contract.operations.table import TABLE
from messenger_shared.contract.server_keys import SCOPES
from tests.client import Reply, User
from tests.conftest import SharedStack
from tests.e2e.crowd import Crowd
from tests.e2e.door_expectations import DOORS, HOST, INTERNAL
from tests.e2e.expectations import EXPECTED, FOR_EVERYBODY
from tests.e2e.hosts import host_with, new_key, run_key
from tests.e2e.requesting import FRAME_TYPES, OPERATIONS, Fields, path_of
from tests.e2e.scene import Scene, make_scene
from tests.e2e.scene_requests import REQUESTS, other_ids
from tests.e2e.server_requests import (
    SERVER_OPERATIONS,
    SERVER_REQUESTS,
    absent,
    ensure,
    over_server_route,
    server_route,
)
from tests.waiting import eventually

CLIENT, SERVER, SOCKET = "client route", "server route", "socket"
ELSEWHERE = ("roles", "host")
# What the refusal of the right credential at the wrong door says.
OTHER_DOOR = {CLIENT: "/server", SERVER: "server key"}
# Others' wrong guesses may hold up a key that this worker doesn't know yet.
PATIENCE_S = 30.0


class Keys(NamedTuple):
    """Server keys: `only` has one scope each, `without` all but the scopes of a route."""

    only: dict[str, str]
    without: dict[tuple[str, ...], str]
    revoked: str


class Caller(NamedTuple):
    """How a caller of the table proves who it is."""

    token: Callable[[Operation], str]
    headers: dict[str, str] = {}  # noqa: RUF012  (never changed)


@pytest.fixture(scope="module")
def keys(stack: SharedStack) -> Keys:
    routes = {server_route(operation).scopes for operation in SERVER_OPERATIONS.values()}
    single = sorted({scope for scopes in routes for scope in scopes})
    lacking = {scopes: [scope for scope in SCOPES if scope not in scopes] for scopes in routes}
    with ThreadPoolExecutor(2) as threads:
        only = dict(zip(single, threads.map(lambda s: new_key(stack.data_dir, s), single), strict=True))
        others = threads.map(lambda scopes: new_key(stack.data_dir, *scopes), lacking.values())
        without = dict(zip(lacking, others, strict=True))
        revoked = new_key(stack.data_dir)
    run_key(stack.data_dir, "revoke", revoked.split("_")[1])
    return Keys(only, without, revoked)


@pytest.fixture
async def hosts(stack: SharedStack, keys: Keys) -> AsyncIterator[dict[str, User]]:
    """One host for each scope, whose key has no other."""
    async with AsyncExitStack() as open_:
        opened = {
            scope: await open_.enter_async_context(host_with(stack.url, key))
            for scope, key in keys.only.items()
        }
        yield opened


def named(rows: Any) -> set[str]:
    """Returns the operations of the rows."""
    return {what.partition(" ")[0] for what in rows}


def test_every_operation_has_a_row_at_each_of_its_doors() -> None:
    """A new operation must say here who may request it."""
    clients = named(EXPECTED["group"]) | FOR_EVERYBODY
    assert clients == {name for name, one in TABLE.items() if one.route or one.command}
    for rows in HOST.values():
        assert named(rows) == set(SERVER_OPERATIONS)
        assert set(rows) == set(SERVER_REQUESTS)
    assert set(TABLE) - clients - set(SERVER_OPERATIONS) == INTERNAL


def callers(stack: SharedStack, scene: Scene, keys: Keys) -> dict[str, Caller]:
    """Returns the callers of the table by name; a newcomer is deactivated already."""
    users = {
        f"{name}'s token": scene.users[role].token
        for name, role in (
            *((role, role) for role in ("member", "admin", "stranger")),
            *(("former member", "former"), ("deactivated user", "deactivated")),
        )
    }
    users["operator's token"] = stack.token(scene.users["member"].user_id, scope="admin")
    users |= {"no token": "", "revoked key": keys.revoked}
    return {
        **{name: Caller(lambda _, token=token: token) for name, token in users.items()},  # type: ignore[misc]
        "server key": Caller(lambda one: keys.only[scopes_of(one)[0]]),
        "key without the scope": Caller(lambda one: keys.without[scopes_of(one)]),
        "key with an Origin": Caller(lambda one: keys.only[scopes_of(one)[0]], {"Origin": stack.url}),
    }


def scopes_of(operation: Operation) -> tuple[str, ...]:
    """Returns the scopes of the server route; those of another for an operation without."""
    return (operation.server or server_route(TABLE["server.user.get"])).scopes


@pytest.fixture
async def scene(stack: SharedStack, crowd: Crowd, hosts: dict[str, User]) -> Scene:
    """A group, with a user who was deactivated after they got their token."""
    made = await make_scene(crowd, "group")
    made.users["deactivated"] = user = crowd.newcomer()
    # By the host: a gateway where the user was before would learn of it within a second only.
    for name, status, fields in (
        ("server.user.upsert", 200, {"users": [{"id": user.user_id}]}),
        ("server.user.deactivate", 204, {"user_id": user.user_id}),
    ):
        assert (await patiently(hosts["users"], TABLE[name], fields)).status == status
    return made


async def patiently(host: User, operation: Operation, fields: Fields, **headers: str) -> Reply:
    """Requests at the server route until the answer is final, and not that there were too many wrong keys."""
    replies: list[Reply] = []

    async def is_answered() -> bool:
        replies.append(await over_server_route(host, operation, fields, **headers))
        return replies[-1].status < 400 or not replies[-1].body["retryable"]

    await eventually(is_answered, PATIENCE_S)
    return replies[-1]


def test_every_caller_has_credentials(stack: SharedStack, scene: Scene, keys: Keys) -> None:
    assert set(callers(stack, scene, keys)) == set(DOORS)


def client_requests(scene: Scene) -> Iterator[tuple[Operation, Fields]]:
    for what, request in {**REQUESTS, **dict.fromkeys(FOR_EVERYBODY, lambda *_: {})}.items():
        operation = OPERATIONS[what.partition(" ")[0]]
        if operation.route is not None:
            fields = request(scene, "member")
            yield operation, fields
            yield operation, other_ids(fields)


def server_requests(scene: Scene) -> Iterator[tuple[Operation, Fields]]:
    for what, request in SERVER_REQUESTS.items():
        fields = request(scene)
        operation = SERVER_OPERATIONS[what.partition(" ")[0]]
        yield operation, fields
        yield operation, absent(fields)
        yield operation, {name: fields.get(name, "x") for name in fields if "{" + name in path(operation)}


def path(operation: Operation) -> str:
    return server_route(operation).path


@pytest.mark.parametrize("name", [name for name, doors in DOORS.items() if doors[CLIENT] not in ELSEWHERE])
async def test_a_client_route_refuses(stack: SharedStack, scene: Scene, keys: Keys, name: str) -> None:
    caller, before = callers(stack, scene, keys)[name], await scene.state()
    for operation, fields in client_requests(scene):
        assert operation.route is not None
        token = caller.token(operation)
        at, body = path_of(operation, fields)
        headers = {"authorization": token and f"Bearer {token}"} | caller.headers
        sent = {"body": body} if operation.has_body else {"params": body}
        reply = await scene.witness.call(operation.route.method, at, headers=headers, **sent)
        assert told(reply) == DOORS[name][CLIENT], operation.name
        assert_names_the_other_door(reply, CLIENT, is_other="key" in name)
    assert await scene.state() == before


@pytest.mark.parametrize("name", [name for name, doors in DOORS.items() if doors[SERVER] not in ELSEWHERE])
async def test_a_server_route_refuses(stack: SharedStack, scene: Scene, keys: Keys, name: str) -> None:
    """Also a request that is wrong in itself: who may not ask isn't told what is wrong."""
    caller, before = callers(stack, scene, keys)[name], await scene.state()
    for operation, fields in server_requests(scene):
        token = caller.token(operation)
        headers = {"authorization": token and f"Bearer {token}"} | caller.headers
        reply = await patiently(scene.witness, operation, fields, **headers)
        assert told(reply) == DOORS[name][SERVER], operation.name
        assert_names_the_other_door(reply, SERVER, is_other=name.endswith("'s token"))
    assert await scene.state() == before


def told(reply: Reply) -> str:
    """Returns the status and the code of a refusal, in the form of the tables."""
    return str(reply.status) if reply.status < 300 else f"{reply.status} {reply.body['code']}"


def assert_names_the_other_door(reply: Reply, door: str, *, is_other: bool) -> None:
    if not is_other:
        return
    [text] = reply.body["errors"]["Authorization"]
    assert OTHER_DOOR[door] in text


@pytest.mark.parametrize("name", [name for name, doors in DOORS.items() if doors[SOCKET] == "closed"])
async def test_a_socket_closes(stack: SharedStack, scene: Scene, keys: Keys, name: str) -> None:
    """The frames that the client sends before it sees the close get no answer."""
    caller, user = callers(stack, scene, keys)[name], scene.users["deactivated"]
    token = caller.token(TABLE["server.user.get"])
    ways: list[tuple[str, dict[str, str], tuple[str, ...]]] = [
        ("/ws", {"Authorization": f"Bearer {token}"}, ()),
        (f"/ws/{user.user_id}", {"Authorization": f"Bearer {token}"}, ()),
        (f"/ws?token={token}", {}, ()),
        (f"/ws?ticket={token}", {}, ()),
        ("/ws", {}, ("messenger.v1", f"bearer.{token}")),
    ]
    for at, headers, offers in ways:
        socket = await user.open(at, headers | caller.headers, *offers)
        for type_ in FRAME_TYPES:
            if socket.ended is None and not socket.ws.closed:
                await socket.send(type_, conversation_id=scene.room, ref="r")
        assert (await socket.wait_end()).code == 1008
        assert socket.frames == []


async def test_an_open_socket_takes_no_server_key(scene: Scene, keys: Keys) -> None:
    socket = await scene.users["member"].connect()
    for key in (*keys.only.values(), keys.revoked):
        answer = await socket.request("auth.refresh", token=key)
        assert (answer["type"], answer["code"]) == ("error", "unauthorized")


@pytest.mark.parametrize("type_", HOST)
async def test_a_host_gets_what_the_table_says(crowd: Crowd, hosts: dict[str, User], type_: str) -> None:
    """Each row in a scene of its own, for each scope that opens the route."""
    rows = [
        (what, cells, scope)
        for what, cells in HOST[type_].items()
        for scope in server_route(SERVER_OPERATIONS[what.partition(" ")[0]]).scopes
    ]
    scenes = await asyncio.gather(*(make_scene(crowd, type_) for _ in rows))
    wrong = []
    for scene, (what, cells, scope) in zip(scenes, rows, strict=True):
        known = ensure("member", "another", is_known=True)(scene)
        await patiently(hosts["conversations"], TABLE["server.conversation.ensure"], known)
        for case, asked in (("absent", absent), ("there", lambda fields: fields)):
            fields = asked(SERVER_REQUESTS[what](scene))
            if cells[case] != "-":
                got = await patiently(hosts[scope], TABLE[what.partition(" ")[0]], fields)
                wrong += [] if told(got) == cells[case] else [(what, scope, case, got)]
    assert not wrong
