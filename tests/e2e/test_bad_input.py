"""Bad fields of every operation over the socket and REST: each is named, none is accepted, nothing breaks."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from typing import Any, NamedTuple
from uuid import uuid4

import pytest

from messenger_shared.contract.operations.operation import Operation
from tests.client import Socket, User
from tests.e2e.bad_values import IN_JSON, IN_URL, TEXTS, kind_of
from tests.e2e.crowd import Crowd
from tests.e2e.requesting import FRAME_TYPES, OPERATIONS, Fields, Outcome, frame_outcome, over_rest, path_of
from tests.waiting import LIMIT_S

AT_ONCE = 10
MAX_IN_FRAME = 60_000
REST = sorted(name for name, operation in OPERATIONS.items() if operation.route)


class Place(NamedTuple):
    """A member of a group, and what a valid request there is made of."""

    user: User
    good: Fields

    def request(self, operation: Operation, **fields: Any) -> Fields:
        """Returns the least that the operation needs, with these fields."""
        needed = [name for name, field in operation.request.fields.items() if field.required]
        if operation.name == "conversation.create" and "title" not in fields:
            needed.append("title")
        if operation.name == "user.list" and "ids" not in fields:
            needed.append("q")
        if "entities" in fields:
            needed.append("content")
        return {name: self.good[name] for name in needed} | fields


@pytest.fixture
async def place(crowd: Crowd) -> Place:
    user, other = crowd.newcomers(2)
    room = await user.create_group(other.user_id)
    sent = await user.post(f"/conversations/{room}/messages", {"content": "a message"})
    good = {
        "conversation_id": room,
        "message_id": sent.body["id"],
        "content": "x",
        "title": "a title",
        "q": "ab",
        "type": "group",
        "role": "member",
        "user_id": other.user_id,
        "user_ids": [other.user_id],
        "token": user.token,
        "positions": {},
        "emoji": "👍",
        "on": True,
        "file_id": str(uuid4()),
        "side": 320,
        "name": "a.txt",
        "size": 1,
        "mime": "text/plain",
        "kind": "webpush",
        "endpoint": "https://push.example/x",
        "quiet_hours": None,
    }
    return Place(user, good)


def where_of(operation: Operation, field: str) -> str:
    """Returns where REST has this field: in the path, the query or the body."""
    assert operation.route is not None
    if f"{{{field}}}" in operation.route.path:
        return "path"
    return "body" if operation.has_body else "query"


def bad_fields(operation: Operation, *, frame: bool = False) -> Iterator[tuple[str, Any]]:
    """Yields every bad value of every field of a request."""
    for field, shape in operation.request.fields.items():
        kind = kind_of(operation.name, field)
        where = "body" if frame else where_of(operation, field)
        if where == "body" and not shape.allow_none:
            yield field, None
        for value in IN_JSON[kind] if where == "body" else IN_URL[kind]:
            # These would make another path, or exceed the size of a frame.
            fits = len(json.dumps(value)) < MAX_IN_FRAME if frame else where != "path" or "{" not in value
            if fits and (where != "path" or value):
                yield field, value


def expected(operation: Operation, field: str, value: Any) -> tuple[str, tuple[str, ...]]:
    """Returns the expected code and fields at fault."""
    if field == "q" and value is not None and kind_of(operation.name, field) == "words" and len(value) < 65:
        return "query_too_short", (field,)
    if field == "conversation_id":
        return "invalid_conversation_id", ()
    if field == "application_server_key":
        return "bad_endpoint", (field,)
    return "bad_emoji" if field == "emoji" and value is not None else "invalid_frame", (field,)


@pytest.mark.parametrize("name", REST)
async def test_a_bad_field_over_rest(place: Place, name: str) -> None:
    operation = OPERATIONS[name]
    gate = asyncio.Semaphore(AT_ONCE)

    async def ask(field: str, value: Any) -> Any:
        async with gate:
            got = await over_rest(place.user, operation, place.request(operation, **{field: value}))
        right = (got.code, got.invalid_fields) == expected(operation, field, value)
        return None if right else (field, str(value)[:80], got)

    answers = await asyncio.gather(*(ask(field, value) for field, value in bad_fields(operation)))
    assert [answer for answer in answers if answer is not None] == []


async def _over_socket(socket: Socket, type_: str, fields: Fields) -> Outcome:
    """Waits as told when there are more bad values than frames at once."""
    async with asyncio.timeout(LIMIT_S):
        while (frame := await socket.request(type_, **fields)).get("code") == "rate_limited":  # noqa: ASYNC110
            await asyncio.sleep(frame["retry_after_ms"] / 1000)
    return frame_outcome(frame)


@pytest.mark.parametrize("type_", FRAME_TYPES)
async def test_a_bad_field_over_a_socket(place: Place, type_: str) -> None:
    operation = FRAME_TYPES[type_]
    socket = await place.user.connect()
    for field, value in bad_fields(operation, frame=True):
        got = await _over_socket(socket, type_, place.request(operation, **{field: value}))
        assert (got.code, got.invalid_fields) == expected(operation, field, value), (
            field,
            str(value)[:80],
            got,
        )
    assert (await _over_socket(socket, "ping", {})).code == "ok"


@pytest.mark.parametrize("bad", ["a\0b", "\ud800", "x\udfff", "\ude00\ud83d"])
async def test_nul_and_lone_surrogates_in_any_field_over_rest(place: Place, bad: str) -> None:
    for name in REST:
        operation = OPERATIONS[name]
        assert operation.route is not None
        for field in (*operation.request.fields, "no such field"):
            if field != "no such field" and kind_of(name, field) not in TEXTS:
                continue
            if where_of(operation, field) == "body":
                got = await over_rest(place.user, operation, place.request(operation, **{field: bad}))
                assert (got.code, got.invalid_fields) == ("invalid_frame", ("_",)), (name, field)


@pytest.mark.parametrize("bad", ["a\0b", "\ud800", "x\udfff", "\ude00\ud83d"])
async def test_nul_and_lone_surrogates_in_any_field_over_a_socket(place: Place, bad: str) -> None:
    socket = await place.user.connect()
    for type_, operation in FRAME_TYPES.items():
        for field in (*operation.request.fields, "ref", "no such field"):
            frame = {"type": type_, **place.request(operation, **{field: bad})}
            await socket.send_text(json.dumps(frame))
            got = frame_outcome(await socket.expect("error"))
            assert (got.code, got.invalid_fields) == ("invalid_frame", ("_",)), (type_, field)
    assert (await _over_socket(socket, "ping", {})).code == "ok"


async def test_too_long_a_text_has_its_own_code_at_both_doors(place: Place) -> None:
    text = "x" * 10_001
    socket = await place.user.connect()
    for name in ("message.send", "message.edit"):
        fields = place.request(OPERATIONS[name], content=text)
        got = await over_rest(place.user, OPERATIONS[name], fields)
        assert (got.code, got.invalid_fields) == ("message_too_long", ("content",))
        got = frame_outcome(await socket.request(name, **fields))
        assert (got.code, got.invalid_fields) == ("message_too_long", ("content",))


async def test_a_missing_field_is_named(place: Place) -> None:
    socket = await place.user.connect()
    for operation in OPERATIONS.values():
        whole = place.request(operation)
        for field in whole:
            fields = {name: value for name, value in whole.items() if name != field}
            if operation.route and where_of(operation, field) != "path":
                got = await over_rest(place.user, operation, fields)
                assert (got.code, got.invalid_fields) == expected(operation, field, None), (
                    operation.name,
                    field,
                )
            if operation.command:
                frame = await socket.request(operation.command.types[0], **fields)
                got = frame_outcome(frame)
                assert (got.code, got.invalid_fields) == expected(operation, field, None), (
                    operation.name,
                    field,
                )


async def test_many_bad_items_get_a_short_answer(place: Place) -> None:
    """Otherwise one cheap request keeps a gateway busy and gets megabytes as its answer."""
    body = b'{"type":"group","title":"x","participant_ids":[' + b"0," * 120_000 + b"0]}"
    reply = await place.user.call("POST", "/conversations", body=body)
    assert (reply.status, list(reply.body["errors"])) == (422, ["participant_ids"])
    assert int(reply.headers["Content-Length"]) < 1_000
    socket = await place.user.connect()
    frame = await socket.request("resume", positions={str(n): 0 for n in range(5_000)})
    assert len(json.dumps(frame)) < 1_000


@pytest.mark.parametrize(
    "url",
    [
        "http://example.org",
        "https://example.org/a?b=c#d",
        "HTTPS://EXAMPLE.ORG/",
        "http://localhost:8080/a",
        "http://127.0.0.1/a",
        "https://example.org/\u043f\u0440\u0438\u043c\u0435\u0440",
        "https://example.org/" + "a" * 2_028,
    ],
)
async def test_a_link_to_the_web_is_kept_as_it_was(place: Place, url: str) -> None:
    operation = OPERATIONS["message.send"]
    path, others = path_of(operation, place.request(operation, file_url=url))
    assert (await place.user.post(path, others)).body["file_url"] == url
    socket = await place.user.connect()
    sent = await socket.request("message.send", **place.request(operation, file_url=url))
    assert sent["data"]["file_url"] == url


@pytest.mark.parametrize(
    ("moment", "kept"),
    [
        ("2100-11-26T10:30:00Z", "2100-11-26T10:30:00.000000Z"),
        ("2100-11-26t10:30:00z", "2100-11-26T10:30:00.000000Z"),
        ("2100-11-26T10:30:00.25+23:59", "2100-11-25T10:31:00.250000Z"),
        ("2100-11-26T10:30:00.123456789-15:59", "2100-11-27T02:29:00.123456Z"),
        ("9999-12-31T23:59:59Z", "9999-12-31T23:59:59.000000Z"),
        ("0001-01-01T00:00:00Z", "0001-01-01T00:00:00.000000Z"),
    ],
)
async def test_a_moment_with_any_offset_is_kept(place: Place, moment: str, kept: str) -> None:
    path = f"/conversations/{place.good['conversation_id']}/settings"
    reply = await place.user.call("PUT", path, body={"muted_until": moment})
    assert (reply.status, reply.body["muted_until"]) == (200, kept)


async def test_unknown_fields_are_ignored_at_both_doors(place: Place) -> None:
    room = place.good["conversation_id"]
    extra = {"sender_id": 1, "seq": 99, "id": room, "user_id": 1, "__proto__": {"$gt": ""}, "created_at": "x"}
    body = {"content": "hi", **extra}
    reply = await place.user.post(f"/conversations/{room}/messages", body)
    socket = await place.user.connect()
    frame = await socket.request("message.send", conversation_id=room, **body)
    for message in (reply.body, frame["data"]):
        assert message["sender_id"] == place.user.user_id
        assert message["id"] != room
        assert message["seq"] < 99
    assert (await place.user.get("/conversations", nonsense="\0", user_id="1")).status == 200


async def test_of_two_equal_keys_the_last_counts(place: Place) -> None:
    path = f"/conversations/{place.good['conversation_id']}/messages"
    reply = await place.user.call("POST", path, body=b'{"content":"one","content":5,"content":"two"}')
    assert (reply.status, reply.body["content"]) == (201, "two")
    reply = await place.user.call("POST", path, body=b'{"content":"one","content":5}')
    assert reply.status == 422


async def test_the_path_stands_against_the_body_and_the_body_against_the_header(place: Place) -> None:
    elsewhere = await place.user.create_group()
    path = f"/conversations/{place.good['conversation_id']}/messages"
    body = {"content": "x", "conversation_id": elsewhere, "client_message_id": "of the body"}
    reply = await place.user.post(path, body, idempotency_key="of the header")
    assert reply.body["conversation_id"] == place.good["conversation_id"]
    assert reply.body["client_message_id"] == "of the body"
