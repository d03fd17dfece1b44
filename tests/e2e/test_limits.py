"""The limits of one client at a gateway: frames, messages, and refusals before it is closed."""

from __future__ import annotations

import asyncio
import json
import time

import aiohttp
import pytest

from tests.client import NoSuchFrame, Reply, Socket, User
from tests.conftest import SharedStack
from tests.e2e.crowd import Crowd
from tests.e2e.placement import connect_apart, connect_at
from tests.waiting import eventually, until

MAX_SOCKETS = 50
MESSAGES_PER_S, MESSAGES_BURST = 30, 60
FRAMES_BURST = 200
MAX_REFUSALS, REFUSALS_PER_S = 200, 20


async def send_burst(user: User, room: str, number: int) -> list[dict[str, object]]:
    """Sends `number` messages at once, and returns the answers."""
    socket = await user.connect()
    for n in range(number):
        await socket.send("message.send", conversation_id=room, content=str(n), ref=str(n))
    return [await socket.wait(lambda frame, n=n: frame.get("ref") == str(n)) for n in range(number)]


async def test_messages_above_the_rate_are_refused_with_their_ref_and_the_socket_lives_on(
    crowd: Crowd,
) -> None:
    one = crowd.newcomer()
    room = await one.create_group()
    begun = time.monotonic()
    answers = await send_burst(one, room, 3 * MESSAGES_BURST)
    took = time.monotonic() - begun
    refused = [answer for answer in answers if answer["type"] == "error"]
    assert MESSAGES_BURST <= len(answers) - len(refused) <= MESSAGES_BURST + took * MESSAGES_PER_S + 1
    assert {(answer["code"], answer["retryable"]) for answer in refused} == {("rate_limited", True)}
    assert all(1 <= int(str(answer["retry_after_ms"])) <= 1_000 for answer in refused)
    assert (await one.sockets[-1].request("ping"))["type"] == "pong"


async def test_the_rate_holds_over_rest_too(crowd: Crowd) -> None:
    one = crowd.newcomer()
    room = await one.create_group()
    path = f"/conversations/{room}/messages"
    refused: list[Reply] = []
    # Each of two workers allows a burst, and more while a busy machine takes its time.
    while not refused:
        posts = (one.post(path, {"content": str(n)}) for n in range(4 * MESSAGES_BURST))
        refused = [reply for reply in await asyncio.gather(*posts) if reply.status == 429]
    assert {reply.body["code"] for reply in refused} == {"rate_limited"}
    assert all(int(reply.headers["Retry-After"]) >= 1 for reply in refused)


@pytest.mark.parametrize(
    "frame",
    ['{"type":"ping","ref":"%d"}', '{"type":"nothing known","ref":"%d"}', '{"ref":"%d"}', "broken %d"],
    ids=["ping", "unknown", "without a type", "broken"],
)
async def test_all_frames_count_and_a_flooding_client_is_closed(crowd: Crowd, frame: str) -> None:
    socket = await crowd.newcomer().connect()
    for number in range(5 * FRAMES_BURST):
        try:
            await socket.send_text(frame % number)
        except (ConnectionError, aiohttp.ClientError):
            break
    code, reason = await socket.wait_end()
    assert code == 4006
    assert json.loads(reason)["retry_after_ms"] >= 1_000
    limited = socket.collected("error", code="rate_limited")
    assert len(limited) >= FRAMES_BURST
    if "ref" in frame and frame != "broken %d":
        assert all("ref" in error for error in limited)


async def test_of_too_many_sockets_of_one_user_the_newest_is_refused_on_any_worker(
    crowd: Crowd, stack: SharedStack
) -> None:
    one = crowd.newcomer()
    pids = await stack.workers("gateway")
    apart = await connect_apart(one, pids)
    for socket in one.sockets:
        if socket not in apart:
            await socket.close()
    sockets = [*apart, *await asyncio.gather(*(one.connect() for _ in range(MAX_SOCKETS - len(apart))))]
    for _ in range(3):
        refused = await one.open("/ws", one.bearer)
        assert (await refused.wait_end()).code == 4504
    assert all(socket.ended is None for socket in sockets)
    await sockets[0].close()
    await eventually(lambda: is_welcome(one))


async def is_welcome(user: User) -> bool:
    """Whether one more socket may be opened; retries, since a worker takes a moment to see one end."""
    socket = await user.open("/ws", user.bearer)
    try:
        frame = await socket.wait(lambda frame: True)
    except NoSuchFrame:
        return False
    return frame.get("event") == "connected"


async def test_of_simultaneous_sockets_as_many_as_allowed_are_opened(crowd: Crowd) -> None:
    one = crowd.newcomer()
    sockets = await asyncio.gather(*(one.open("/ws", one.bearer) for _ in range(MAX_SOCKETS + 20)))
    await until(lambda: all(socket.frames or socket.ended for socket in sockets))
    welcome = [socket for socket in sockets if socket.frames]
    assert len(welcome) == MAX_SOCKETS
    assert {s.ended.code for s in sockets if s.ended is not None} == {4504}


async def flood(socket: Socket) -> int:
    """Goes on sending until the socket is closed for it; returns how often it was refused."""
    for _ in range(5 * FRAMES_BURST):
        try:
            await socket.send_text('{"type":"ping"}')
        except (ConnectionError, aiohttp.ClientError):
            break
    assert (await socket.wait_end()).code == 4006
    return len(socket.collected("error", code="rate_limited"))


async def test_a_flooding_client_that_reconnects_keeps_its_remaining_refusals(
    crowd: Crowd, stack: SharedStack
) -> None:
    one = crowd.newcomer()
    pids = await stack.workers("gateway")
    begun = time.monotonic()
    refusals = [await flood(await connect_at(one, pids[0], pids)) for _ in range(2)]
    assert refusals[0] >= MAX_REFUSALS
    assert sum(refusals) <= MAX_REFUSALS + REFUSALS_PER_S * (time.monotonic() - begun) + 1


async def test_flooding_closes_only_the_flooding_socket(crowd: Crowd, stack: SharedStack) -> None:
    one, two = crowd.newcomers(2)
    room = await one.create_group(two.user_id)
    pids = await stack.workers("gateway")
    theirs = await connect_apart(two, pids)
    flooding, other = await one.connect(), await one.connect()
    await flood(flooding)
    sent = await other.request("message.send", conversation_id=room, content="still here")
    assert sent["type"] == "message.sent"
    for socket in theirs:
        await socket.expect("message.new", pos=sent["data"]["pos"])
