"""Bodies, cursors and requests that are invalid as a whole: always a problem document, never a 5xx."""

from __future__ import annotations

import asyncio
import gzip
import json
import zlib
from itertools import product
from typing import Any
from urllib.parse import quote, urlsplit
from uuid import uuid4

import pytest

from tests.client import User
from tests.conftest import SharedStack
from tests.documented import BASE_PATH
from tests.e2e.crowd import Crowd
from tests.e2e.requesting import FRAME_TYPES, OPERATIONS, Fields, over_rest, path_of
from tests.waiting import LIMIT_S, eventually

# Of nothing that exists. Parameters of tests must be the same in each process.
IDS = {
    "conversation_id": "65b0b7e4-1d29-435d-9f29-f0948018c21b",
    "message_id": "cf2bead7-3569-4155-830a-878b965b5232",
    "file_id": "8e34bd32-0d01-4af1-9831-b2cee18a8aef",
    "user_id": 5,
    "emoji": quote("👍"),
    "side": 320,
}
ROUTES = {name: operation.route for name, operation in OPERATIONS.items() if operation.route}
WITH_BODIES = sorted(name for name in ROUTES if OPERATIONS[name].has_body)
PATHS = sorted({route.path for route in ROUTES.values()})
NO_JSON = [
    *(
        b"",
        b" \n",
        b"nope",
        b"{",
        b'{"content":"x",}',
        b"{'content':'x'}",
        b'{"content":"x"} {}',
        b'{"x":01}',
    ),
    *(b'{"x":NaN}', b'{"x":Infinity}', b'{"x":-Infinity}', b'{"x":1e400}', b'{"x":' + b"9" * 5_000 + b"}"),
    *(b"\xff\xfe", b'{"content":"\xff"}', b'{"content":"\xed\xa0\x80"}', b'\xef\xbb\xbf{"content":"x"}'),
    *('{"content":"x"}'.encode(encoding) for encoding in ("utf-16", "utf-32")),
    *(b"[" * 100_000, b'{"x":' + b"[" * 100_000 + b"]" * 99_999 + b"}"),
]
NO_REQUEST = [
    *(
        b"null",
        b"true",
        b"5",
        b'"x"',
        b"[]",
        b'[{"content":"x"}]',
        b'{"\\u0000":1}',
        b'{"x":{"y":["\\ud800"]}}',
    ),
    *(b'{"x":' + b"[" * depth + b"]" * depth + b"}" for depth in (100, 250, 900, 2_000, 100_000)),
    *(b'{"x":' * depth + b"1" + b"}" * depth for depth in (200, 20_000)),
]


async def send(user: User, name: str, body: bytes, **headers: str) -> Any:
    """Sends a body to the operation, whatever its route."""
    path, _ = path_of(OPERATIONS[name], IDS)
    return await user.call(ROUTES[name].method, path, body=body, headers=headers)


@pytest.mark.parametrize("name", WITH_BODIES)
async def test_a_body_that_is_no_request_is_refused_by_its_code(crowd: Crowd, name: str) -> None:
    user = crowd.newcomer()
    for bodies, status, code in ((NO_JSON, 400, "invalid_json"), (NO_REQUEST, 422, "invalid_frame")):
        for body in bodies:
            reply = await send(user, name, body)
            assert (reply.status, reply.body["code"]) == (status, code), body[:40]
            assert list(reply.body.get("errors", {})) == ([] if code == "invalid_json" else ["_"])


@pytest.mark.parametrize("name", WITH_BODIES)
async def test_a_body_above_the_limit_is_413(crowd: Crowd, name: str) -> None:
    body = json.dumps({"x": "x" * 256 * 1024}).encode()
    reply = await send(crowd.newcomer(), name, body)
    assert (reply.status, reply.body["status"], reply.body["code"]) == (413, 413, "invalid_frame")
    assert reply.body["title"] == "Content Too Large"


@pytest.mark.parametrize("name", WITH_BODIES)
async def test_a_packed_body_is_refused_as_it_is(crowd: Crowd, name: str) -> None:
    user = crowd.newcomer()
    body = b'{"type":"group","title":"x"}'
    bomb = gzip.compress(b'{"x":"' + b"0" * 8 * 2**20)
    packed = [*product(("gzip", "x-gzip", " GZIP "), (gzip.compress(body), body, bomb))]
    for encoding, data in (*packed, ("deflate", zlib.compress(body)), ("br", body), ("gzip, identity", body)):
        reply = await send(user, name, data, content_encoding=encoding)
        assert (reply.status, reply.body["status"], reply.body["code"]) == (415, 415, "invalid_frame"), (
            encoding
        )
        assert reply.body["title"] == "Unsupported Media Type"
    # An unauthorised body isn't even read.
    reply = await send(user, name, bomb, content_encoding="gzip", authorization="")
    assert reply.status == 401
    reply = await user.call("POST", "/no", body=bomb, headers={"content_encoding": "gzip"})
    assert reply.status == 404


async def test_a_body_of_no_encoding_is_taken(crowd: Crowd) -> None:
    body = b'{"type":"group","title":"x"}'
    for encoding in ("identity", "Identity"):
        reply = await send(crowd.newcomer(), "conversation.create", body, content_encoding=encoding)
        assert reply.status == 201


@pytest.mark.parametrize(
    "kind",
    [
        *("text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "nonsense"),
        *(
            "application/json; charset=bogus",
            "application/json; charset=utf-16",
            'application/json; charset="',
        ),
    ],
)
async def test_a_body_is_json_in_utf_8_whatever_its_type_says(crowd: Crowd, kind: str) -> None:
    """This API accepts only JSON; a wrong content type is no reason to refuse it or to read it otherwise."""
    body = '{"type":"group","title":"\u043f\u0440"}'.encode()
    reply = await send(crowd.newcomer(), "conversation.create", body, content_type=kind)
    assert (reply.status, reply.body["title"]) == (201, "\u043f\u0440")


async def full_lists(one: User, crowd: Crowd, stack: SharedStack) -> Fields:
    """Fills every list of the user with at least two items. Returns the fields that lists need."""
    two, three = crowd.newcomers(2)
    for user in (one, two, three):
        user.token = stack.token(user.user_id, name=f"Alike {user.user_id}")
        await user.get("/users/me")
    room = await one.create_group(two.user_id, three.user_id, title="Alike 1")
    await one.create_group(title="Alike 2")
    path = f"/conversations/{room}/messages"
    message = (await one.post(path, {"content": "first"})).body["id"]
    second = (await one.post(path, {"content": "second"})).body["id"]
    for user in (two, three):
        await user.post(path, {"content": "alike", "mentions": {"user_ids": [one.user_id]}})
    for pinned in (message, second):
        await one.call("PUT", f"/messages/{pinned}/pin")
    for emoji in ("👍", "🎉"):
        await one.call("PUT", f"/messages/{message}/reactions/{quote(emoji)}")
    for text in ("a", "b"):
        await one.call("PUT", f"/messages/{message}", body={"content": text})
    for user in (two, three):
        await user.call("PUT", f"/conversations/{room}/read", body={"seq": 1})
        await user.connect()

    async def all_are_there() -> bool:
        return len((await one.get("/presence/online")).body["items"]) == 2

    await eventually(all_are_there)
    # The users have names that begin alike, as titles and messages do.
    return {"conversation_id": room, "message_id": message, "q": "alike"}


async def test_no_list_takes_another_lists_cursor_or_a_part_of_its_own(
    crowd: Crowd, stack: SharedStack
) -> None:
    one = crowd.newcomer()
    needed = await full_lists(one, crowd, stack)
    lists = [o for o in OPERATIONS.values() if o.route and "cursor" in o.request.fields]

    async def page(operation: Any, cursor: str | None) -> Any:
        wanted = {name: value for name, value in needed.items() if name in operation.request.fields}
        given = {} if cursor is None else {"cursor": cursor}
        return await over_rest(one, operation, {**wanted, "limit": 1, **given})

    cursors = {}
    for operation in lists:
        got = await page(operation, None)
        cursors[operation.name] = dict(got.answer[2])["next_cursor"]
        assert cursors[operation.name], operation.name
    for operation in lists:
        own = cursors[operation.name]
        assert (await page(operation, own)).code == "ok"
        foreign = [cursor for name, cursor in cursors.items() if name != operation.name]
        for bad in (*foreign, *(own[:cut] for cut in range(len(own))), own + "A", own + own, "=" + own):
            got = await page(operation, bad)
            assert (got.code, got.invalid_fields) == ("invalid_frame", ("cursor",)), (operation.name, bad)


@pytest.mark.parametrize(
    "path",
    [
        *("/", "/no/such/path", "//conversations", "/conversations/", "/conversations/x/y", "/%00", "/%ff"),
        *("/messages", f"/conversations/{{{IDS['conversation_id']}}}", "/ws/1/2", "/conversations%2Fx"),
    ],
)
async def test_an_unknown_path_is_404(crowd: Crowd, path: str) -> None:
    for method in ("GET", "POST", "DELETE"):
        reply = await crowd.newcomer().call(method, path, body=b"{" if method == "POST" else None)
        assert (reply.status, reply.body["code"], reply.body["title"]) == (404, "not_found", "Not found")


@pytest.mark.parametrize("path", PATHS)
async def test_a_wrong_method_is_405_and_told_which_are_right(crowd: Crowd, path: str) -> None:
    known = {route.method for route in ROUTES.values() if route.path == path}
    for method in {"GET", "POST", "PUT", "PATCH", "DELETE", "PROPFIND"} - known:
        reply = await crowd.newcomer().call(method, path.format(**IDS))
        assert (reply.status, reply.body["status"], reply.body["code"]) == (405, 405, "not_found")
        assert reply.body["title"] == "Method Not Allowed"
        always = {"OPTIONS", "HEAD"} if "GET" in known else {"OPTIONS"}
        assert set(reply.headers["Allow"].split(",")) == known | always


async def test_bytes_in_a_header_that_are_no_text_are_refused(crowd: Crowd, stack: SharedStack) -> None:
    user = crowd.newcomer()
    path, _ = path_of(OPERATIONS["message.send"], {"conversation_id": await user.create_group()})
    bearer = f"Bearer {user.token}".encode()
    for header, value, authorization, status in (
        (b"Idempotency-Key", b"\xff", bearer, b"422"),
        (b"Idempotency-Key", b"\xed\xa0\x80", bearer, b"422"),
        (b"X-Other", b"\xff", b"Bearer \xff", b"401"),
        (b"X-Other", b"\xff", bearer, b"201"),
    ):
        body = b'{"content":"x"}'
        head = [
            f"POST {BASE_PATH}{path} HTTP/1.1".encode(),
            *(b"Host: x", b"Connection: close", b"Authorization: " + authorization, header + b": " + value),
            b"Content-Length: %d" % len(body),
        ]
        assert (await exchange(stack.url, b"\r\n".join(head) + b"\r\n\r\n" + body)).split()[1] == status


async def exchange(url: str, request: bytes) -> bytes:
    """Sends these bytes, and returns the answer."""
    parts = urlsplit(url)
    async with asyncio.timeout(LIMIT_S):
        reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
        try:
            writer.write(request)
            return await reader.read()
        finally:
            writer.close()
            await writer.wait_closed()


async def test_what_is_nested_too_deep_for_an_answer_is_refused_and_the_socket_lives_on(crowd: Crowd) -> None:
    """It can be read but not written again: a `ping` that asked to have it back used to end the socket."""
    socket = await crowd.newcomer().connect()
    for depth in (98, 99, 100, 101, 200, 254, 255, 300, 900):
        nested: Any = 1
        for level in range(depth):
            nested = [nested] if level % 2 else {"x": nested}
        await socket.send("ping", ts=nested)
        answer = await socket.wait(lambda frame: frame["type"] in ("pong", "error"))
        if depth < 100:
            assert answer["ts"] == nested
        else:
            assert (answer["code"], list(answer["details"])) == ("invalid_frame", ["_"])
    await socket.send("ping", ts=[[["[" * 1_000] * 20]] * 2)
    assert (await socket.expect("pong"))["ts"][1][0][19] == ["[" * 1_000][0]


async def test_huge_numbers_in_any_frame_leave_the_socket_alive(crowd: Crowd) -> None:
    socket = await crowd.newcomer().connect()
    for number in ("9" * 5_000, "-" + "9" * 5_000, "1e400", "NaN"):
        for type_ in FRAME_TYPES:
            await socket.send_text(f'{{"type":"{type_}","conversation_id":"{uuid4()}","ts":{number}}}')
            assert (await socket.expect("error"))["code"] == "invalid_json"
    assert (await socket.request("ping"))["type"] == "pong"
