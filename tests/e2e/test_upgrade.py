"""An incomplete upgrade, as a proxy may produce: the answer names the missing header."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.client import User
from tests.conftest import SharedStack
from tests.e2e.crowd import Crowd
from tests.security.raw import line, request

KEY = b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=="
WHOLE = (b"Upgrade: websocket", b"Connection: Upgrade", b"Sec-WebSocket-Version: 13", KEY)
PATHS = ["/ws", "/ws/{user_id}"]


def without(*names: bytes, but: tuple[bytes, ...] = ()) -> tuple[bytes, ...]:
    """Returns the headers of a whole upgrade without `names`, and with `but` in their place."""
    return (*(row for row in WHOLE if row.partition(b":")[0] not in names), *but)


HALVES: dict[str, tuple[tuple[bytes, ...], int, str]] = {
    "nothing of it": ((), 426, "Upgrade"),
    "what nginx leaves by itself": (
        without(b"Upgrade", b"Connection", but=(b"Connection: close",)),
        426,
        "Upgrade",
    ),
    "no Upgrade": (without(b"Upgrade"), 426, "Upgrade"),
    "an upgrade to something else": (without(b"Upgrade", but=(b"Upgrade: h2c",)), 426, "Upgrade"),
    "no Connection": (without(b"Connection"), 426, "Connection"),
    "another Connection": (without(b"Connection", but=(b"Connection: keep-alive",)), 426, "Connection"),
    "no version": (without(b"Sec-WebSocket-Version"), 426, "Sec-WebSocket-Version"),
    "an old version": (
        without(b"Sec-WebSocket-Version", but=(b"Sec-WebSocket-Version: 8",)),
        426,
        "Sec-WebSocket-Version",
    ),
    "no key": (without(b"Sec-WebSocket-Key"), 400, "Sec-WebSocket-Key"),
    "a short key": (
        without(b"Sec-WebSocket-Key", but=(b"Sec-WebSocket-Key: c2hvcnQ=",)),
        400,
        "Sec-WebSocket-Key",
    ),
    "a key that is no base64": (
        without(b"Sec-WebSocket-Key", but=(b"Sec-WebSocket-Key: " + b"!" * 24,)),
        400,
        "Sec-WebSocket-Key",
    ),
}


async def answer_to(
    stack: SharedStack, method: str, path: str, token: str, headers: tuple[bytes, ...]
) -> tuple[int, dict[str, str], Any]:
    assert stack.has_no_proxy
    async with line(stack.url) as opened:
        opened.send(request(method, path, token, *headers))
        head = (await opened.reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        told = dict(row.split(": ", 1) for row in head[1:] if row)
        told = {name.lower(): value for name, value in told.items()}
        size = int(told.get("content-length", 0)) if method != "HEAD" else 0
        return int(head[0].split()[1]), told, json.loads(await opened.reader.readexactly(size) or b"null")


def path_of(path: str, user: User) -> str:
    return path.format(user_id=user.user_id)


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("name", HALVES)
async def test_half_an_upgrade_is_told_which_header_is_missing(
    crowd: Crowd, stack: SharedStack, name: str, path: str
) -> None:
    headers, status, header = HALVES[name]
    user = crowd.newcomer()
    found, told, problem = await answer_to(stack, "GET", path_of(path, user), user.token, headers)
    assert (found, told["content-type"]) == (status, "application/problem+json")
    assert list(problem["errors"]) == [header]
    assert header in problem["errors"][header][0]
    assert (problem["status"], problem["retryable"]) == (status, False)
    if status == 426:
        assert problem["code"] == "upgrade_required"
        assert "Upgrade: websocket" in problem["title"]
        assert (told["upgrade"], told["connection"].lower()) == ("websocket", "upgrade")
        assert told["sec-websocket-version"] == "13"
    else:
        assert problem["code"] == "invalid_frame"


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("name", HALVES)
async def test_without_a_token_it_is_401_before_anything_else(
    crowd: Crowd, stack: SharedStack, name: str, path: str
) -> None:
    headers = HALVES[name][0]
    for token in ("", "nonsense", crowd.newcomer().token):
        user = crowd.newcomer()
        if token and path == "/ws" and token != "nonsense":
            continue
        found, _, problem = await answer_to(stack, "GET", path_of(path, user), token, headers)
        assert (found, problem["code"]) == (401, "unauthorized")


@pytest.mark.parametrize("headers", [(), WHOLE], ids=["plain", "a whole upgrade"])
async def test_head_opens_no_socket(crowd: Crowd, stack: SharedStack, headers: tuple[bytes, ...]) -> None:
    user = crowd.newcomer()
    found, told, _ = await answer_to(stack, "HEAD", "/ws", user.token, headers)
    assert (found, told["upgrade"]) == (426, "websocket")
    assert (await answer_to(stack, "HEAD", "/ws", "", headers))[0] == 401


async def test_a_token_in_the_address_counts_for_a_plain_request_too(
    crowd: Crowd, stack: SharedStack
) -> None:
    user = crowd.newcomer()
    found, _, problem = await answer_to(stack, "GET", f"/ws?token={user.token}", "", ())
    assert (found, problem["code"]) == (426, "upgrade_required")


async def test_half_an_upgrade_does_not_use_a_ticket_up(crowd: Crowd, stack: SharedStack) -> None:
    user = crowd.newcomer()
    ticket = (await user.call("POST", "/ws-ticket")).body["ticket"]
    for headers, _, _ in HALVES.values():
        assert (await answer_to(stack, "GET", f"/ws?ticket={ticket}", "", headers))[0] == 401
    socket = await user.open(f"/ws?ticket={ticket}")
    await socket.expect("system", event="connected")
