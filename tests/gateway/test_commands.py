"""The commands of a socket: their order, their answers, and the errors for bad frames."""

from __future__ import annotations

import asyncio
from typing import Any

import orjson
import pytest

from gateway.connections.connection import Connection
from gateway.settings import GatewaySettings
from gateway.sockets.command_queue import MAX_QUEUED
from gateway.sockets.commands import Commands, ref_in
from gateway.sockets.socket_commands import SocketCommands, SocketHandler
from messenger_shared.contract import errors
from messenger_shared.contract.errors import AppError
from messenger_shared.rpc.client import AnswerCallback
from messenger_shared.settings.environment import Environment
from tests.gateway.world import REQUIRED_SETTINGS, make_connection
from tests.waiting import LIMIT_S, until

ID = "01a20ac3-5727-772d-ad3e-fd6faf3624ac"


class SlowRpc:
    """Answers when it is told to, and remembers the requests."""

    def __init__(self) -> None:
        self.asked: list[tuple[dict[str, Any], AnswerCallback]] = []

    def call(self, service: str, operation: str, body: dict[str, Any], then: AnswerCallback, **_: Any) -> int:
        self.asked.append((body, then))
        return len(self.asked)

    def answer(self, index: int, error: AppError | None = None) -> None:
        body, then = self.asked[index]
        then(error or orjson.dumps({"message_id": body["message_id"], "content": body["content"]}))


class Harness:
    def __init__(self, handlers: dict[str, SocketHandler] | None = None) -> None:
        self.rpc: Any = SlowRpc()
        unused: Any = None
        settings = GatewaySettings.read(Environment(REQUIRED_SETTINGS))
        session = SocketCommands(unused, self.rpc, unused, unused, unused, unused, settings)
        self.commands = Commands(self.rpc, session.handlers | (handlers or {}))
        self.connection, self.transport = make_connection(1)
        self.queue = self.commands.queue(self.connection)

    async def put(self, text: str) -> None:
        await self.commands.handle(self.connection, self.queue, text)

    async def send(self, content: str) -> None:
        await self.put(
            f'{{"type":"message.send","conversation_id":"{ID}","content":"{content}","ref":"{content}"}}'
        )


async def test_queued_messages_are_sent_together_and_answers_keep_their_order() -> None:
    harness = Harness()
    await harness.send("a")
    await until(lambda: len(harness.rpc.asked) == 1)
    for content in "bcd":
        await harness.send(content)
    await asyncio.sleep(0)
    assert len(harness.rpc.asked) == 1
    harness.rpc.answer(0)
    await until(lambda: len(harness.rpc.asked) == 4)
    for index in (3, 1):
        harness.rpc.answer(index)
    harness.rpc.answer(2, AppError(errors.FORBIDDEN))
    await until(lambda: len(harness.transport.frames()) == 4)
    assert [(f["type"], f["ref"]) for f in harness.transport.frames()] == [
        ("message.sent", "a"),
        ("message.sent", "b"),
        ("error", "c"),
        ("message.sent", "d"),
    ]


async def test_a_ping_does_not_wait_for_a_slow_send() -> None:
    harness = Harness()
    await harness.send("a")
    await harness.put('{"type":"ping","ts":1}')
    await until(lambda: harness.transport.written)
    assert [f["type"] for f in harness.transport.frames()] == ["pong"]
    await harness.queue.stop()


async def test_presence_commands_delay_no_message_and_keep_their_own_order() -> None:
    answered, done = asyncio.Event(), []

    async def slow(connection: Connection, body: dict[str, Any]) -> dict[str, Any]:
        await answered.wait()
        done.append(body["status"])
        return {}

    harness = Harness({"presence.set": slow})
    for status in ("away", "online"):
        await harness.put(f'{{"type":"presence.set","status":"{status}","ref":"{status}"}}')
    await harness.send("a")
    await until(lambda: harness.rpc.asked)
    harness.rpc.answer(0)
    await until(lambda: harness.transport.frames())
    answered.set()
    await until(lambda: len(harness.transport.frames()) == 3)
    assert [frame["ref"] for frame in harness.transport.frames()] == ["a", "away", "online"]
    assert done == ["away", "online"]


async def test_stopping_the_queue_does_not_wait_for_presence_commands() -> None:
    async def never(connection: Connection, body: dict[str, Any]) -> dict[str, Any]:
        await asyncio.Event().wait()
        return {}

    harness = Harness({"presence.set": never})
    await harness.put('{"type":"presence.set","status":"away"}')
    await asyncio.wait_for(harness.queue.stop(), LIMIT_S)


async def test_reading_waits_while_the_queue_is_full() -> None:
    harness = Harness()
    await harness.send("first")
    await until(lambda: harness.rpc.asked)
    for n in range(MAX_QUEUED):
        await harness.send(str(n))
    late = asyncio.create_task(harness.send("late"))
    await asyncio.sleep(0)
    assert not late.done()
    harness.rpc.answer(0)
    await asyncio.wait_for(late, LIMIT_S)
    await harness.queue.stop()


async def test_an_unknown_type_without_a_ref_gets_no_answer() -> None:
    harness = Harness()
    await harness.put('{"type":"dance"}')
    assert harness.transport.frames() == []
    await harness.put('{"type":"dance","ref":"r"}')
    await until(lambda: harness.transport.written)
    [frame] = harness.transport.frames()
    assert (frame["code"], frame["ref"]) == ("unknown_type", "r")


@pytest.mark.parametrize("ref", ['""', "5", "null", "[]", '"' + "x" * 65 + '"'])
async def test_a_bad_ref_gets_an_error_and_is_not_echoed(ref: str) -> None:
    harness = Harness()
    await harness.put(f'{{"type":"ping","ref":{ref}}}')
    await until(lambda: harness.transport.written)
    [frame] = harness.transport.frames()
    assert frame["code"] == "invalid_frame"
    assert "ref" not in frame


BAD_VALUES = {
    "NUL": r'"\u0000"',
    "a lone surrogate": r'"\ud800"',
    "too deep": "[" * 101 + "]" * 101,
    "much too deep": "[" * 20_000 + "]" * 20_000,
    "too large": "9" * 400,
}


@pytest.mark.parametrize("name", BAD_VALUES)
async def test_an_error_in_a_frame_is_answered_with_its_ref(name: str) -> None:
    harness = Harness()
    await harness.put(f'{{"type":"ping","ts":{BAD_VALUES[name]},"ref":"r"}}')
    await until(lambda: harness.transport.written)
    [frame] = harness.transport.frames()
    code = "invalid_json" if name == "too large" else "invalid_frame"
    assert (frame["code"], frame["ref"]) == (code, "r")


@pytest.mark.parametrize("ref", [r'"\u0000"', r'"a\ud800"', "[" * 2_000 + "]" * 2_000])
async def test_a_ref_with_invalid_text_is_not_echoed(ref: str) -> None:
    harness = Harness()
    await harness.put(f'{{"type":"ping","ref":{ref}}}')
    await until(lambda: harness.transport.written)
    [frame] = harness.transport.frames()
    assert frame["code"] == "invalid_frame"
    assert "ref" not in frame


@pytest.mark.parametrize("name", BAD_VALUES)
def test_the_ref_of_a_rate_limited_frame_is_found_whatever_else_is_in_it(name: str) -> None:
    assert ref_in(f'{{"type":"ping","ts":{BAD_VALUES[name]},"ref":"r"}}') == "r"
    assert ref_in(r'{"type":"ping","ref":"\ud800"}') is None
    assert ref_in('{"type":"ping","ref":"r"') is None
