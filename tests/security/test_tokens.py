"""Invalid tokens wherever a token is accepted; and no token, valid or not, in any log line."""

from __future__ import annotations

import asyncio
import json
from uuid import uuid4

import pytest
from redis.asyncio import Redis

from messenger_shared.bus import channels
from tests.conftest import SharedStack
from tests.e2e.crowd import Crowd
from tests.security.hostile_tokens import hostile, signed
from tests.security.raw import CLOSE, TEXT, RawConnection, frame, line, request, upgrade, websocket

# Larger than a header may be, so nobody looks for a token in it.
TOO_LARGE = ("a megabyte", "sub of ten thousand characters")
NAMES = sorted(hostile(b"s" * 64))


def bad(stack: SharedStack, name: str) -> str:
    return hostile(stack.secret)[name]


async def status_of(opened: RawConnection) -> int:
    """Returns the status of the answer."""
    head = await opened.reader.readuntil(b"\r\n\r\n")
    return int(head.split()[1])


async def closes_with_1008(opened: RawConnection) -> bool:
    """Whether the socket is accepted and closed at once, without a frame before."""
    status = await status_of(opened)
    assert status == 101
    return (await opened.frame()).code == 1008


@pytest.mark.parametrize("name", NAMES)
async def test_rest_refuses_it(stack: SharedStack, name: str) -> None:
    for method, path in (
        ("GET", "/conversations"),
        ("POST", "/ws-ticket"),
        ("POST", "/admin/users/7/disconnect"),
    ):
        async with line(stack.url) as opened:
            opened.send(request(method, path, "", b"Authorization: Bearer " + bad(stack, name).encode()))
            assert await status_of(opened) == (400 if name in TOO_LARGE else 401)


@pytest.mark.parametrize("name", NAMES)
async def test_no_socket_opens_by_it(stack: SharedStack, name: str) -> None:
    token = bad(stack, name)
    ways = [
        upgrade("", b"Authorization: Bearer " + token.encode()),
        upgrade("", b"Sec-WebSocket-Protocol: messenger.v1, bearer." + token.encode()),
        upgrade("", path=f"/ws?token={token}") if token.isascii() else upgrade(""),
        upgrade("", path=f"/ws/7?token={token}") if token.isascii() else upgrade(""),
        upgrade("", path=f"/ws?ticket={token}") if token.isascii() else upgrade(""),
    ]
    for way in ways:
        async with line(stack.url) as opened:
            opened.send(way)
            if name == "a megabyte" or (name in TOO_LARGE and "?" not in way.decode("latin-1")):
                assert await status_of(opened) == 400
            else:
                assert await closes_with_1008(opened)


@pytest.mark.parametrize("name", NAMES)
async def test_no_socket_lives_on_by_it(crowd: Crowd, stack: SharedStack, name: str) -> None:
    token = bad(stack, name)
    async with websocket(stack.url, stack.token(7)) as socket:
        socket.send(frame(TEXT, json.dumps({"type": "auth.refresh", "token": token, "ref": "r"}).encode()))
        if name == "a megabyte":
            assert (await socket.next(CLOSE)).code == 1009
        else:
            answer = (await socket.next(TEXT)).body
            assert (answer["code"], answer["ref"]) == ("unauthorized", "r")
            assert await socket.is_alive()


async def test_a_flipped_bit_in_any_part_is_refused(crowd: Crowd, stack: SharedStack) -> None:
    """A hundred bits of each part; the spare bits at the end of a part don't count."""
    user = crowd.newcomer()
    good = user.token
    parts = good.split(".")
    changed = []
    for number, part in enumerate(parts):
        for at in range(0, len(part) - 1, max(1, len(part) // 100)):
            other = "A" if part[at] != "A" else "B"
            flipped = part[:at] + other + part[at + 1 :]
            changed.append(".".join([*parts[:number], flipped, *parts[number + 1 :]]))
    for start in range(0, len(changed), 50):
        some = changed[start : start + 50]
        replies = await asyncio.gather(
            *(user.call("GET", "/stats", headers={"authorization": f"Bearer {token}"}) for token in some)
        )
        assert {reply.status for reply in replies} == {401}
    assert (await user.get("/stats")).status == 200


async def test_who_shows_no_good_token_is_neither_present_nor_listened_for(
    crowd: Crowd, stack: SharedStack, valkey_url: str
) -> None:
    friend, nobody = crowd.newcomers(2)
    await friend.create_group(nobody.user_id)
    forged = signed(b"t" * 64, sub=str(nobody.user_id))
    async with Redis.from_url(valkey_url) as redis:
        for _ in range(20):
            async with line(stack.url) as opened:
                opened.send(upgrade(forged, path=f"/ws/{nobody.user_id}"))
                assert await closes_with_1008(opened)
                assert not await redis.pubsub_channels(channels.user(nobody.user_id))
        assert not await redis.hexists("presence:shown", str(nobody.user_id))
    assert (await friend.get(f"/presence/{nobody.user_id}")).body["status"] == "offline"


async def test_a_token_in_a_frame_of_anothers_socket_is_nothing(crowd: Crowd) -> None:
    one, two = crowd.newcomers(2)
    theirs = await two.create_group()
    socket = await one.connect()
    answer = await socket.request("message.send", conversation_id=theirs, content="x", token=two.token)
    assert answer["code"] == "not_found"
    assert (await socket.request("auth.refresh", token=two.token))["code"] == "unauthorized"


async def test_no_token_and_no_ticket_is_in_any_log_line(crowd: Crowd, stack: SharedStack) -> None:
    """Wherever it is put, and however broken the request around it: aiohttp logs a bad request as it came."""
    before = len(stack.log())
    user = crowd.newcomer()
    token = user.token.encode()
    ticket = (await user.call("POST", "/ws-ticket")).body["ticket"].encode()
    sent = [
        upgrade("", path=f"/ws?token={user.token}"),
        upgrade("", path=f"/ws?token={user.token}\xff"),
        upgrade("", path=f"/ws?token={user.token}" + "x" * 20_000),
        upgrade("", path=f"/ws?ticket={ticket.decode()}\xff"),
        upgrade("", path=f"/ws?ticket={ticket.decode()}"),
        # aiohttp warns of unknown subprotocols.
        upgrade("", b"Sec-WebSocket-Protocol: bearer." + token),
        upgrade(user.token, b"X: a\rb"),
        request("GET", "/conversations", "", b"Authorization : Bearer " + token),
        request("GET", "/conversations", "", b"Authorization: Bearer " + token + b"\0"),
        request("GET", "/nowhere", user.token, b"X-Token: " + token + b"\xff\x01"),
        request("POST", "/conversations", user.token, b"Content-Length: -1"),
        request("POST", "/conversations", user.token, b"Transfer-Encoding: x", body=token),
        b"Bearer " + token + b"\r\n\r\n",
    ]
    for data in sent:
        async with line(stack.url) as opened:
            opened.send(data)
            await opened.reader.read(100)
    socket = await user.connect()
    await socket.request("auth.refresh", token=user.token + "x")
    await socket.send_text(user.token)
    await socket.request(user.token[:60], conversation_id=str(uuid4()))
    await socket.send("nothing known", token=user.token)
    assert (await socket.request("ping"))["type"] == "pong"
    new = stack.log()[before:]
    signature = user.token.rpartition(".")[2]
    assert signature not in new
    assert ticket.decode() not in new
    assert "Traceback" not in new
