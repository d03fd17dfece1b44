"""Every operation × every role × every type × socket and REST, against the table of expectations."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from functools import partial
from typing import Any, NamedTuple
from uuid import uuid4

import pytest

from messenger_shared.contract.operations.operation import Operation
from tests.client import User
from tests.e2e.crowd import Crowd
from tests.e2e.expectations import EXPECTED, FOR_EVERYBODY
from tests.e2e.requesting import FRAME_TYPES, OPERATIONS, Fields, Outcome, over_rest, over_socket
from tests.e2e.scene import Scene, make_scene
from tests.e2e.scene_requests import ABSENT, DESTRUCTIVE, REQUESTS, other_ids

Ask = Callable[[User, Fields], Awaitable[Outcome]]


def test_every_operation_has_a_row_and_every_row_a_request() -> None:
    """A new operation must say here who may request it."""
    for rows in EXPECTED.values():
        named = {what.partition(" ")[0] for what in rows}
        assert named.isdisjoint(FOR_EVERYBODY)
        assert named | FOR_EVERYBODY == set(OPERATIONS)
        assert set(rows) == set(REQUESTS)


class Case(NamedTuple):
    """A row of the table, over the socket or REST."""

    what: str
    ask: Ask
    expected: dict[str, str]

    async def of(self, scene: Scene, role: str) -> Outcome:
        """Returns the outcome for this role."""
        return await self.ask(scene.users[role], REQUESTS[self.what](scene, role))


def rest_cases(type_: str) -> Iterator[Case]:
    for what, expected in EXPECTED[type_].items():
        operation = OPERATIONS[what.partition(" ")[0]]
        if operation.route:
            yield Case(what, partial(ask_over_rest, operation), expected)


def socket_cases(type_: str) -> Iterator[Case]:
    for what, expected in EXPECTED[type_].items():
        for frame_type, operation in FRAME_TYPES.items():
            if operation.name == what.partition(" ")[0]:
                yield Case(what, partial(ask_over_socket, frame_type), expected)


async def ask_over_rest(operation: Operation, user: User, fields: Fields) -> Outcome:
    return await over_rest(user, operation, fields)


async def ask_over_socket(frame_type: str, user: User, fields: Fields) -> Outcome:
    socket = user.sockets[0] if user.sockets else await user.connect()
    return await over_socket(socket, frame_type, fields)


@pytest.mark.parametrize("type_", EXPECTED)
@pytest.mark.parametrize("cases_of", [rest_cases, socket_cases])
async def test_the_table_holds(crowd: Crowd, type_: str, cases_of: Callable[[str], Iterator[Case]]) -> None:
    """First the roles that are refused, in a scene that must stay unchanged; then the others."""
    cases = list(cases_of(type_))
    scene = await make_scene(crowd, type_)
    wrong = [fault for case in cases async for fault in refusals(scene, case)]
    fresh = [(case, role) for case in cases if case.what in DESTRUCTIVE for role in allowed(case)]
    scenes = await asyncio.gather(*(make_scene(crowd, type_) for _ in fresh))
    places = [(case, role, scene) for case in cases if case.what not in DESTRUCTIVE for role in allowed(case)]
    places += [(case, role, own) for (case, role), own in zip(fresh, scenes, strict=True)]
    for case, role, place in places:
        got = await case.of(place, role)
        wrong += [] if got.code == "ok" else [(case.what, role, got)]
    assert not wrong


def allowed(case: Case) -> list[str]:
    return [role for role, code in case.expected.items() if code == "ok"]


async def refusals(scene: Scene, case: Case) -> AsyncIterator[Any]:
    """Yields what is wrong with how the request is refused, and with what it changed in spite of that."""
    before = await scene.state()
    for role, code in case.expected.items():
        if code not in ("ok", "-") and (got := await case.of(scene, role)).code != code:
            yield case.what, role, got
    if case.expected["stranger"] != "-":
        stranger, fields = scene.users["stranger"], REQUESTS[case.what](scene, "stranger")
        strange, missing = [await case.ask(stranger, asked) for asked in (fields, other_ids(fields))]
        if strange != missing:
            yield case.what, strange, missing
    if await scene.state() != before:
        yield case.what, "changed something", before


@pytest.mark.parametrize("header", ["", "Bearer", "Bearer nonsense"])
async def test_without_a_token_nothing_is_told(crowd: Crowd, header: str) -> None:
    scene = await make_scene(crowd, "group")
    for case in rest_cases("group"):
        operation = OPERATIONS[case.what.partition(" ")[0]]
        fields = REQUESTS[case.what](scene, "member")
        for asked in (fields, other_ids(fields)):
            got = await over_rest(scene.users["member"], operation, asked, authorization=header)
            assert got.code == "unauthorized", case.what


async def test_what_is_for_everybody_tells_strangers_and_former_members_nothing(crowd: Crowd) -> None:
    scene = await make_scene(crowd, "group")
    for role in ("stranger", "former"):
        user = scene.users[role]
        socket = await user.connect()
        own = await user.create_group()
        for name in ("conversation.list", "conversation.sync"):
            got = await over_rest(user, OPERATIONS[name], {})
            assert got.code == "ok"
            assert scene.room not in str(got.answer)
        positions = {scene.room: 1, str(uuid4()): 1, own: 1}
        answer = await socket.request("resume", positions=positions)
        assert list(answer["conversations"]) == [own]
        there = [scene.users[name].user_id for name in ("admin", "another")]
        for users in (there, [ABSENT, ABSENT - 1]):
            listed = await over_rest(
                user, OPERATIONS["presence.list"], {"user_ids": ",".join(map(str, users))}
            )
            assert dict(listed.answer[2]) == {"items": [], "next_cursor": None}
            assert (await socket.request("presence.watch", user_ids=users))["users"] == []
            assert (await socket.request("presence.unwatch", user_ids=users))["users"] == []
        assert dict((await over_rest(user, OPERATIONS["presence.online"], {})).answer[2])["items"] == []
        answers = [
            str(await over_socket(socket, "unsubscribe", {"conversation_id": id_})).replace(id_, "")
            for id_ in (scene.room, str(uuid4()))
        ]
        assert answers[0] == answers[1]
        assert (await socket.request("auth.refresh", token=user.token))["type"] == "auth.ok"
        assert (await socket.request("ping"))["type"] == "pong"


async def test_through_a_conversation_of_ones_own_nothing_strange_is_seen(crowd: Crowd) -> None:
    scene = await make_scene(crowd, "group")
    for role in ("stranger", "former"):
        user = scene.users[role]
        own, theirs, missing = await user.create_group(), scene.messages["another"], str(uuid4())
        for name, field, extra, code in (
            ("conversation.read", "message_id", {}, "not_found" if role == "stranger" else "not_member"),
            ("message.history", "before", {}, "not_found"),
            ("message.send", "reply_to", {"content": "x"}, "invalid_frame"),
        ):
            asked = {"conversation_id": own, **extra}
            got = await over_rest(user, OPERATIONS[name], {**asked, field: theirs})
            assert got.code == code, (name, role)
            if role == "stranger":
                assert got == await over_rest(user, OPERATIONS[name], {**asked, field: missing})


async def test_nobody_gets_a_socket(crowd: Crowd) -> None:
    """The frames that the client sends before it sees the close get no answer."""
    user = crowd.newcomer()
    for path, headers in (
        ("/ws", {}),
        (f"/ws/{user.user_id}", {}),
        ("/ws", {"Authorization": "Bearer nonsense"}),
        (f"/ws/{user.user_id + 1}", user.bearer),
    ):
        socket = await user.open(path, headers)
        for type_ in FRAME_TYPES:
            if socket.ended is None and not socket.ws.closed:
                await socket.send(type_, conversation_id=str(uuid4()), ref="r")
        assert (await socket.wait_end()).code == 1008
        assert socket.frames == []


@pytest.mark.parametrize("name", [name for name in sorted(FOR_EVERYBODY) if OPERATIONS[name].route])
async def test_nobody_is_refused_what_is_for_everybody_too(crowd: Crowd, name: str) -> None:
    got = await over_rest(crowd.newcomer(), OPERATIONS[name], {}, authorization="")
    assert got.code == "unauthorized"
