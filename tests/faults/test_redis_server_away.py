"""One of two Redis servers is away: its conversations go on too, a little later, and sockets are opened."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from messenger_shared.bus import channels
from messenger_shared.bus.redis_bus import RedisBus
from tests.client import Socket, User
from tests.e2e.crowd import Crowd, open_crowd_at
from tests.faults.injection.redis_server import RedisServer, two_servers
from tests.stack import running_stack
from tests.waiting import eventually

# Until every worker has noticed it and looks for another server, and until the marks tell of a message.
NOTICED_S = 10.0
TOLD_S = 10.0


@pytest.fixture
async def servers(tmp_path: Path) -> AsyncIterator[list[RedisServer]]:
    async with two_servers(tmp_path) as servers:
        yield servers


@pytest.fixture
async def crowd(
    servers: list[RedisServer], tmp_path: Path, unused_tcp_port_factory: Callable[[], int]
) -> AsyncIterator[Crowd]:
    urls = ",".join(server.url for server in servers)
    port = unused_tcp_port_factory()
    async with (
        running_stack(tmp_path / "data", port, "gateway=2,chat-api=2", redis=urls) as stack,
        open_crowd_at(stack) as crowd,
    ):
        yield crowd


async def _rooms_on_each(servers: list[RedisServer], one: User, other: User) -> list[str]:
    """Creates conversations until each server has one of them; returns these, in the order of the servers."""
    bus = RedisBus([server.url for server in servers], "")
    found: dict[str, str] = {}
    while len(found) < len(servers):
        room = await one.create_group(other.user_id)
        found[bus.lane(channels.conversation(room))] = room
    return [found[lane] for lane in bus.lanes]


async def _is_sent(socket: Socket, room: str, content: str) -> bool:
    """Sends it, once however often it is asked: a refusal may have been stored."""
    fields = {"conversation_id": room, "content": content, "client_message_id": content}
    answer = await socket.request("message.send", **fields)
    return bool(answer["type"] == "message.sent")


async def _hears(socket: Socket, content: str) -> None:
    await socket.wait(
        lambda f: f["type"] == "message.new" and f["data"]["content"] == content, content, TOLD_S
    )


@pytest.mark.parametrize("lost", [0, 1])
async def test_conversations_of_a_lost_server_go_on(
    crowd: Crowd, servers: list[RedisServer], lost: int
) -> None:
    one, other = crowd.newcomers(2)
    rooms = await _rooms_on_each(servers, one, other)
    ours, theirs = await one.connect(), await other.connect()
    for number, room in enumerate(rooms):
        assert await _is_sent(ours, room, f"before {number}")
        await _hears(theirs, f"before {number}")
    await servers[lost].kill()
    await eventually(lambda: _is_sent(ours, rooms[lost], "meanwhile"), NOTICED_S)
    await _hears(theirs, "meanwhile")
    late = await other.connect()
    for number, room in enumerate(rooms):
        assert await _is_sent(ours, room, f"late {number}")
        await _hears(late, f"late {number}")
    await servers[lost].start()
    assert await _is_sent(ours, rooms[lost], "after")
    for socket in (ours, theirs, late):
        await _hears(socket, "after")
    heard = [f["data"]["content"] for f in theirs.collected("message.new", conversation_id=rooms[lost])]
    assert heard == [f"before {lost}", "meanwhile", f"late {lost}", "after"]
