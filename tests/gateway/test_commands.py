"""The socket door: order, answers, and what is told of bad frames."""

from __future__ import annotations

import asyncio
from typing import Any

import orjson
import pytest

from gateway.commands import Commands
from gateway.connection import Connection
from gateway.lane import MAX_QUEUED
from gateway.session import Session, SocketHandler
from gateway.settings import GatewaySettings
from messenger_shared import errors
from messenger_shared.errors import AppError
from messenger_shared.rpc_client import Then
from messenger_shared.settings import Environment
from tests.gateway.world import FEWEST, make_connection
from tests.waiting import until

ID = "01a20ac3-5727-772d-ad3e-fd6faf3624ac"


class SlowRpc:
    """Answers when it is told to, and remembers what it was asked."""

    def __init__(self) -> None:
        self.asked: list[tuple[dict[str, Any], Then]] = []

    def call(self, service: str, operation: str, body: dict[str, Any], then: Then, **_: Any) -> int:
        self.asked.append((body, then))
        return len(self.asked)

    def answer(self, index: int, error: AppError | None = None) -> None:
        body, then = self.asked[index]
        then(error or orjson.dumps({"message_id": body["message_id"], "content": body["content"]}))


class Door:
    def __init__(self, handlers: dict[str, SocketHandler] | None = None) -> None:
        self.rpc: Any = SlowRpc()
        some: Any = None
        settings = GatewaySettings.read(Environment(FEWEST))
        session = Session(some, self.rpc, some, some, some, some, settings)
        self.commands = Commands(self.rpc, session.handlers | (handlers or {}))
        self.connection, self.transport = make_connection(1)
        self.lane = self.commands.lane(self.connection)

    async def put(self, text: str) -> None:
        await self.commands.handle(self.connection, self.lane, text)

    async def send(self, content: str) -> None:
        await self.put(
            f'{{"type":"message.send","conversation_id":"{ID}","content":"{content}","ref":"{content}"}}'
        )


async def test_messages_that_wait_go_together_and_answers_keep_the_order() -> None:
    door = Door()
    await door.send("a")
    await until(lambda: len(door.rpc.asked) == 1)
    for content in "bcd":
        await door.send(content)
    await asyncio.sleep(0)
    assert len(door.rpc.asked) == 1
    door.rpc.answer(0)
    await until(lambda: len(door.rpc.asked) == 4)
    for index in (3, 1):
        door.rpc.answer(index)
    door.rpc.answer(2, AppError(errors.FORBIDDEN))
    await until(lambda: len(door.transport.frames()) == 4)
    assert [(f["type"], f["ref"]) for f in door.transport.frames()] == [
        ("message.sent", "a"),
        ("message.sent", "b"),
        ("error", "c"),
        ("message.sent", "d"),
    ]


async def test_a_ping_does_not_wait_for_a_slow_send() -> None:
    door = Door()
    await door.send("a")
    await door.put('{"type":"ping","ts":1}')
    await until(lambda: door.transport.written)
    assert [f["type"] for f in door.transport.frames()] == ["pong"]
    await door.lane.stop()


async def test_commands_on_presence_hold_up_no_message_and_keep_their_own_order() -> None:
    answered, done = asyncio.Event(), []

    async def slow(connection: Connection, body: dict[str, Any]) -> dict[str, Any]:
        await answered.wait()
        done.append(body["status"])
        return {}

    door = Door({"presence.set": slow})
    for status in ("away", "online"):
        await door.put(f'{{"type":"presence.set","status":"{status}","ref":"{status}"}}')
    await door.send("a")
    await until(lambda: door.rpc.asked)
    door.rpc.answer(0)
    await until(lambda: door.transport.frames())
    answered.set()
    await until(lambda: len(door.transport.frames()) == 3)
    assert [frame["ref"] for frame in door.transport.frames()] == ["a", "away", "online"]
    assert done == ["away", "online"]


async def test_a_socket_that_ends_waits_for_no_command_on_presence() -> None:
    async def never(connection: Connection, body: dict[str, Any]) -> dict[str, Any]:
        await asyncio.Event().wait()
        return {}

    door = Door({"presence.set": never})
    await door.put('{"type":"presence.set","status":"away"}')
    await asyncio.wait_for(door.lane.stop(), 2)


async def test_a_client_that_is_too_fast_comes_to_wait() -> None:
    door = Door()
    await door.send("first")
    await until(lambda: door.rpc.asked)
    for n in range(MAX_QUEUED):
        await door.send(str(n))
    late = asyncio.create_task(door.send("late"))
    await asyncio.sleep(0)
    assert not late.done()
    door.rpc.answer(0)
    await asyncio.wait_for(late, 2)
    await door.lane.stop()


async def test_an_unknown_type_is_silent_without_a_ref() -> None:
    door = Door()
    await door.put('{"type":"dance"}')
    assert door.transport.frames() == []
    await door.put('{"type":"dance","ref":"r"}')
    await until(lambda: door.transport.written)
    [frame] = door.transport.frames()
    assert (frame["code"], frame["ref"]) == ("unknown_type", "r")


@pytest.mark.parametrize("ref", ['""', "5", "null", "[]", '"' + "x" * 65 + '"'])
async def test_a_bad_ref_is_told_and_not_echoed(ref: str) -> None:
    door = Door()
    await door.put(f'{{"type":"ping","ref":{ref}}}')
    await until(lambda: door.transport.written)
    [frame] = door.transport.frames()
    assert frame["code"] == "invalid_frame"
    assert "ref" not in frame
