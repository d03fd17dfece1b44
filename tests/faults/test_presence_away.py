"""presence is stopped: no connect, subscription or message waits for it, and readiness reports it."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager

import aiohttp

from gateway.presence.client import DEADLINE_S
from tests.conftest import SharedStack
from tests.e2e.crowd import Crowd
from tests.e2e.seen_presence import open_viewing_socket, wait_for_rest_status
from tests.waiting import eventually

AWAY_S = 20.0
MESSAGES = 30


@contextmanager
def standing_still(pids: list[int]) -> Iterator[None]:
    """Stops these processes while it is open."""
    for pid in pids:
        os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        for pid in pids:
            os.kill(pid, signal.SIGCONT)


async def ready_says(stack: SharedStack, presence: str) -> None:
    """Waits until every gateway is ready and reports this state of presence."""
    async with aiohttp.ClientSession(headers={"Connection": "close"}) as http:

        async def says() -> bool:
            async with http.get(f"{stack.url}/readyz") as response:
                body = await response.json()
                assert (response.status, body["ready"]) == (200, True)
                return bool(body["checks"]["presence"] == presence)

        await eventually(says, AWAY_S)


async def test_nothing_waits_for_presence(crowd: Crowd, stack: SharedStack) -> None:
    one, two, late = crowd.newcomers(3)
    room = await one.create_group(two.user_id, late.user_id)
    ours, theirs = await open_viewing_socket(one, room), await two.connect()
    await wait_for_rest_status(one, two, "online")
    await ready_says(stack, "ok")
    with standing_still(await stack.workers("presence")):
        begun = time.monotonic()
        socket = await late.connect()
        answer = await socket.request("subscribe", conversation_id=room)
        assert time.monotonic() - begun < DEADLINE_S
        assert (answer["type"], late.user_id in answer["online"]) == ("subscribed", True)
        # presence must answer this one itself: it can't be answered, and must hold up nothing.
        asking = asyncio.create_task(socket.request("presence.watch", user_ids=[two.user_id]))
        for number in range(MESSAGES):
            await socket.request("message.send", conversation_id=room, content=str(number))
        await theirs.wait(lambda f: f["type"] == "message.new" and f["data"]["content"] == str(MESSAGES - 1))
        refusal = await asking
        assert refusal["code"] in ("timeout", "unavailable")
        assert socket.frames.index(socket.collected("message.sent")[0]) < socket.frames.index(refusal)
        # The last known state stays.
        assert ours.collected("user.offline") == []
        await ready_says(stack, "degraded")
        reply = await one.get(f"/presence/{two.user_id}")
        assert reply.status in (503, 504)
    await ready_says(stack, "ok")
    await wait_for_rest_status(one, late, "online")
    assert ours.collected("user.offline") == []
