"""A gateway worker that drains: its sockets are told when to reconnect elsewhere, and lose nothing."""

from __future__ import annotations

import asyncio
import json
import os
import signal
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path

import aiohttp
import pytest

from tests.client import NoSuchFrame, Socket, User
from tests.conftest import SharedStack
from tests.e2e.crowd import Crowd
from tests.e2e.placement import connect_at
from tests.waiting import until

SOCKETS = 6
# The drain window of the embedded stack, and a margin.
WINDOW_MS = 2_000
GONE_S = 8.0


@pytest.fixture
async def pids(stack: SharedStack) -> AsyncIterator[list[int]]:
    """Yields the gateway's workers. A test ends the first one, which is gone before the next test."""
    pids = await stack.workers("gateway")
    yield pids
    await until(lambda: not Path(f"/proc/{pids[0]}").exists())


async def connect_all_at(crowd: Crowd, pid: int, pids: list[int]) -> dict[User, Socket]:
    """Connects a number of users, each with one socket, all at one worker."""
    return {user: await connect_at(user, pid, pids) for user in crowd.newcomers(SOCKETS)}


async def test_sockets_are_told_their_slots_and_closed_after_them(crowd: Crowd, pids: list[int]) -> None:
    sockets = await connect_all_at(crowd, pids[0], pids)
    os.kill(pids[0], signal.SIGTERM)
    slots = [
        (await socket.expect("system", event="draining"))["reconnect_after_ms"] for socket in sockets.values()
    ]
    assert len(set(slots)) == SOCKETS
    assert all(0 <= slot < WINDOW_MS for slot in slots)
    ends = await asyncio.gather(*(socket.wait_end(GONE_S) for socket in sockets.values()))
    assert {(end.code, json.loads(end.reason)["code"]) for end in ends} == {(4001, "draining")}


async def connect_elsewhere(user: User) -> Socket:
    """A kept-alive connection leads to the draining worker, but only once."""
    while True:
        try:
            return await user.connect()
        except aiohttp.WSServerHandshakeError as refusal:
            if refusal.status != 503:
                raise


async def test_until_its_end_a_socket_works_and_a_new_one_is_welcome_elsewhere(
    crowd: Crowd, pids: list[int]
) -> None:
    sockets = await connect_all_at(crowd, pids[0], pids)
    one, *others = sockets
    room = await one.create_group(*(user.user_id for user in others))
    for socket in sockets.values():
        await socket.expect("conversation.created", conversation_id=room)
    os.kill(pids[0], signal.SIGTERM)
    leaving = sockets[one]
    await leaving.expect("system", event="draining")
    sent = await leaving.request("message.send", conversation_id=room, content="on my way")
    assert sent["type"] == "message.sent", sent
    pos = sent["data"]["pos"]
    for user, socket in sockets.items():
        await socket.expect("message.new", pos=pos)
        fresh = await connect_elsewhere(user)
        answer = await fresh.request("resume", positions={room: pos - 1})
        assert answer["conversations"] == {room: {"from": pos - 1, "to": pos, "recovered": True}}
        await socket.close()


async def test_what_was_stored_before_the_end_was_answered(crowd: Crowd, pids: list[int]) -> None:
    one = crowd.newcomer()
    room = await one.create_group()
    socket = await connect_at(one, pids[0], pids)
    os.kill(pids[0], signal.SIGTERM)
    number = 0
    while socket.ended is None:
        with suppress(ConnectionError, NoSuchFrame):
            await socket.send("message.send", conversation_id=room, content=str(number))
            await socket.expect("message.new")
        number += 1
    assert socket.ended.code == 4001
    told = [frame["data"]["seq"] for frame in socket.collected("message.new")]
    answered = [frame["data"]["seq"] for frame in socket.collected("message.sent")]
    assert told == answered == list(range(1, len(told) + 1))
    assert told
