"""Every process survives invalid messages on every channel, and client input never becomes a channel name."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
from redis.asyncio import Redis

from tests.client import User
from tests.conftest import SharedStack
from tests.e2e.crowd import Crowd
from tests.security.garbage import garbage
from tests.waiting import eventually

RECOVERY_S = 15.0
KINDS = {"heads", "reports", "workers", "rpc", "reply", "user", "conversation", "presence", "tick"}
KNOWN = {
    *("system", "subscribed", "message.new", "message.sent", "conversation.created", "unread.updated"),
    *("message.read", "user.online", "user.offline", "error", "participant.added"),
}
PATTERNS = [
    "*",
    "conversation:*",
    "?",
    "[a-z]*",
    "heads",
    "user:1",
    "x ",
    "x\n",
    "x" * 10_000,
    "\\",
    "x\r\nPUBLISH heads x",
]


@pytest.fixture
async def redis(valkey_url: str) -> AsyncIterator[Any]:
    async with Redis.from_url(valkey_url) as redis:
        yield redis


async def works(one: User, two: User, room: str) -> bool:
    """Whether a message gets from one user to the other, a page can be read, and both see
    each other online.
    """
    sockets = [one.sockets[0], two.sockets[0]]
    sent = await sockets[0].request("message.send", conversation_id=room, content="still here")
    if sent["type"] != "message.sent":
        return False
    await sockets[1].wait(lambda frame: frame.get("data", {}).get("id") == sent["message_id"])
    page = await two.get(f"/conversations/{room}/messages", limit=1)
    there = await one.get(f"/presence/{two.user_id}")
    return page.status == 200 and there.status == 200 and there.body["status"] == "online"


def processes(status: dict[str, Any]) -> set[int]:
    return {row["pid"] for row in status["processes"]}


async def test_nonsense_on_every_channel_is_survived_by_every_process(
    crowd: Crowd, stack: SharedStack, redis: Any
) -> None:
    one, two = crowd.newcomers(2)
    room = await one.create_group(two.user_id)
    await asyncio.gather(one.connect(), two.connect())
    await one.sockets[0].request("subscribe", conversation_id=room)
    await eventually(lambda: works(one, two, room))
    before = processes(await asyncio.to_thread(stack.status))
    await spoil_every_channel(redis)
    # A worker that is announced but doesn't exist is asked once. A real one that was said to leave comes
    # back.
    await eventually(lambda: works(one, two, room), RECOVERY_S)
    assert processes(await asyncio.to_thread(stack.status)) == before
    for socket in (one.sockets[0], two.sockets[0]):
        assert socket.ended is None
        assert {frame["type"] for frame in socket.frames} <= KNOWN


async def spoil_every_channel(redis: Any) -> None:
    """Publishes all invalid messages on each channel that has a subscriber."""
    found = sorted(channel.decode() for channel in await redis.pubsub_channels())
    assert {channel.partition(":")[0] for channel in found} >= KINDS
    for channel in found:
        for payload in garbage(channel):
            await redis.publish(channel, payload)


@pytest.mark.parametrize("pattern", PATTERNS, ids=range(len(PATTERNS)))
async def test_nothing_that_a_client_names_becomes_a_channel_or_a_pattern(
    crowd: Crowd, redis: Any, pattern: str
) -> None:
    socket = await crowd.newcomer().connect()
    before = await redis.pubsub_numpat()
    for type_ in ("subscribe", "unsubscribe", "typing.start", "message.send"):
        answer = await socket.request(type_, conversation_id=pattern, content="x")
        assert (answer["type"], answer["code"]) == ("error", "invalid_conversation_id")
    answer = await socket.request("resume", positions={pattern: 1})
    assert answer["code"] == "invalid_frame"
    assert await redis.pubsub_numpat() == before
    known = {channel.decode().partition(":")[0] for channel in await redis.pubsub_channels()}
    assert known <= {
        "heads",
        "feeds",
        "reports",
        "workers",
        "rpc",
        "reply",
        "server-keys",
        "viewers",
        "events",
        "users",
        "user",
        "conversation",
        "presence",
        "tick",
    }


async def test_a_strangers_subscribing_adds_no_subscription(crowd: Crowd, redis: Any) -> None:
    one, two = crowd.newcomers(2)
    theirs = await two.create_group()
    socket = await one.connect()
    assert (await socket.request("subscribe", conversation_id=theirs))["code"] == "not_found"
    assert not await redis.pubsub_channels(f"conversation:{theirs}")
