"""Tickets: each one opens one socket, within a short time, and only for the user who got it."""

from __future__ import annotations

import asyncio
import hashlib
from datetime import UTC, datetime, timedelta

import pytest
from redis.asyncio import Redis

from gateway.auth.tickets import LIFETIME_S
from messenger_shared.bus import keys
from tests.client import Reply, Socket, User
from tests.conftest import SharedStack
from tests.e2e.crowd import Crowd

END_S = 10.0


async def ticket_of(user: User) -> str:
    reply = await user.call("POST", "/ws-ticket")
    assert reply.status == 201, reply
    ticket: str = reply.body["ticket"]
    return ticket


async def is_let_in(socket: Socket) -> bool:
    """Whether the socket is welcomed; otherwise it has to be closed with 1008."""
    first = asyncio.create_task(socket.wait(lambda frame: True))
    ending = asyncio.create_task(socket.wait_end(END_S))
    await asyncio.wait([first, ending], return_when=asyncio.FIRST_COMPLETED)
    for task in (first, ending):
        task.cancel()
    await asyncio.gather(first, ending, return_exceptions=True)
    if socket.frames:
        assert socket.frames[0]["event"] == "connected"
        return True
    assert socket.ended is not None
    assert socket.ended.code == 1008
    return False


@pytest.mark.parametrize("path", ["/ws", "/ws/{user_id}"])
async def test_a_ticket_opens_a_socket_of_its_user(crowd: Crowd, path: str) -> None:
    user = crowd.newcomer()
    ticket = await ticket_of(user)
    socket = await user.open(f"{path.format(user_id=user.user_id)}?ticket={ticket}")
    assert (await socket.expect("system", event="connected"))["user_id"] == user.user_id


async def test_of_all_who_bring_it_at_once_over_all_gateways_one_gets_in(crowd: Crowd) -> None:
    user = crowd.newcomer()
    ticket = await ticket_of(user)
    sockets = await asyncio.gather(*(user.open(f"/ws?ticket={ticket}") for _ in range(20)))
    assert sum([await is_let_in(socket) for socket in sockets]) == 1
    assert not await is_let_in(await user.open(f"/ws?ticket={ticket}"))


async def test_its_time_is_thirty_seconds_by_redis_and_in_the_answer(crowd: Crowd, valkey_url: str) -> None:
    user = crowd.newcomer()
    reply = await user.call("POST", "/ws-ticket")
    left = datetime.fromisoformat(reply.body["expires_at"]) - datetime.now(UTC)
    assert timedelta(seconds=LIFETIME_S - 10) < left <= timedelta(seconds=LIFETIME_S)
    key = keys.ticket(hashlib.sha256(reply.body["ticket"].encode()).hexdigest())
    async with Redis.from_url(valkey_url) as redis:
        assert 0 < await redis.ttl(key) <= LIFETIME_S
        # Lets the ticket expire.
        assert await redis.pexpire(key, 1)
        await asyncio.sleep(0.01)
    assert not await is_let_in(await user.open(f"/ws?ticket={reply.body['ticket']}"))


async def test_redis_does_not_know_the_ticket_itself(crowd: Crowd, valkey_url: str) -> None:
    ticket = await ticket_of(crowd.newcomer())
    async with Redis.from_url(valkey_url) as redis:
        assert not [key async for key in redis.scan_iter(f"*{ticket}*")]


async def test_a_ticket_of_another_or_of_nobody_is_closed_with_1008(crowd: Crowd) -> None:
    one, two = crowd.newcomers(2)
    tickets = [await ticket_of(one), "", "x", "x" * 8_000, "%00", "*", one.token]
    for ticket in tickets:
        assert not await is_let_in(await two.open(f"/ws/{two.user_id}?ticket={ticket}"))


async def test_a_ticket_is_for_sockets_alone_and_is_not_used_up_by_a_look_at_its_address(
    crowd: Crowd,
) -> None:
    user = crowd.newcomer()
    ticket = await ticket_of(user)
    for path in ("/ws", "/conversations"):
        reply = await user.call("GET", path, params={"ticket": ticket}, headers={"authorization": ""})
        assert reply.status == 401
    assert await is_let_in(await user.open(f"/ws?ticket={ticket}"))


async def test_beside_a_token_a_ticket_counts_for_nothing_and_is_kept(crowd: Crowd) -> None:
    one, two = crowd.newcomers(2)
    ticket = await ticket_of(one)
    socket = await two.open(f"/ws?ticket={ticket}", two.bearer)
    assert (await socket.expect("system", event="connected"))["user_id"] == two.user_id
    assert not await is_let_in(await two.open(f"/ws?ticket={ticket}", {"Authorization": "Bearer "}))
    assert await is_let_in(await one.open(f"/ws?ticket={ticket}"))


async def test_a_socket_by_ticket_ends_with_the_token_that_got_it(crowd: Crowd, stack: SharedStack) -> None:
    user = crowd.newcomer()
    # On a busy machine a short-lived token may end before its ticket was used.
    for ttl in (2, 4, 8, 16):
        user.token = stack.token(user.user_id, ttl=ttl)
        reply = await user.call("POST", "/ws-ticket")
        if reply.status == 201:
            socket = await user.open(f"/ws?ticket={reply.body['ticket']}")
            if await is_let_in(socket):
                break
    assert (await socket.wait_end()).code == 4005


async def test_who_asks_for_too_many_is_told_when_to_ask_again(crowd: Crowd) -> None:
    user = crowd.newcomer()
    replies: list[Reply] = []
    # Not all at once: a busy machine would answer some too late.
    while not any(reply.status == 429 for reply in replies):
        replies += await asyncio.gather(*(user.call("POST", "/ws-ticket") for _ in range(50)))
    refused = [reply for reply in replies if reply.status == 429]
    assert all(int(reply.headers["Retry-After"]) >= 1 for reply in refused)
    assert {reply.status for reply in replies} == {201, 429}
