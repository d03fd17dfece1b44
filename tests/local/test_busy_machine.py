"""A machine that is busy with other programs: the whole stack goes on, including presence, and it stops."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from messenger_local.child import Child, ProcessSpec
from messenger_local.logline import parse_service
from messenger_local.processes import Command, ProcessManager
from messenger_local.stack import stop_in_stages
from messenger_local.terminal import Terminal
from tests.client import Frame, Socket, User
from tests.e2e.crowd import Crowd, open_crowd_at
from tests.local.busy_processors import busy_processors
from tests.stack import RunningStack, launch, running_stack
from tests.waiting import until

pytestmark = pytest.mark.alone

# MESSENGER_BUSY_S=300 for the long run.
BUSY_S = float(os.environ.get("MESSENGER_BUSY_S", "20"))
START_S = 120.0
ANSWER_S = 30.0
PEOPLE = 8
STOP_S = 20.0
ALARMS = ("presence is unavailable or slow", "does not answer, reconnecting", "does not stop", " error ")


async def ask(socket: Socket, type_: str, **fields: Any) -> Frame:
    """Returns the answer to a frame. It may take long: the test's own process gets little CPU as well."""
    ref = f"busy-{len(socket.frames)}"
    await socket.send(type_, **fields, ref=ref)
    return await socket.wait(lambda frame: frame.get("ref") == ref, f"the answer to {type_}", ANSWER_S)


async def chat(user: User, room: str, other: int, ends: float) -> int:
    """Connects, subscribes, sends and leaves until `ends`; returns how often."""
    turns = 0
    while time.monotonic() < ends:
        socket = await user.connect()
        answer = await ask(socket, "subscribe", conversation_id=room)
        assert answer["type"] == "subscribed"
        for number in range(5):
            await ask(socket, "message.send", conversation_id=room, content=f"{turns}.{number}")
        answer = await ask(socket, "presence.watch", user_ids=[other])
        assert answer["type"] == "presence.state", answer
        await socket.close()
        turns += 1
    return turns


async def load(crowd: Crowd, ends: float) -> int:
    """Runs several users who chat and come and go; returns their turns in all."""
    users = crowd.newcomers(PEOPLE)
    room = await users[0].create_group(*(user.user_id for user in users[1:]))
    others = [*users[1:], users[0]]
    chats = (chat(one, room, two.user_id, ends) for one, two in zip(users, others, strict=True))
    return sum(await asyncio.gather(*chats))


async def test_presence_stays_while_others_burn_all_processors_and_the_stack_stops_in_time(
    tmp_path: Path, unused_tcp_port_factory: Callable[[], int]
) -> None:
    other = await launch(tmp_path / "other", unused_tcp_port_factory(), "feed=1")
    async with running_stack(tmp_path / "ours", unused_tcp_port_factory(), "feed=1", apart=False) as ours:
        await other.wait_ready()
        with busy_processors(BUSY_S + START_S):
            turns = await busy(ours, other)
            took = [await ours.stop(signal.SIGTERM), await other.stop()]
    assert min(turns) > 0
    assert max(took) < STOP_S
    lines = [line for stack in (ours, other) for line in stack.output.splitlines()]
    assert [line for line in lines if any(alarm in line for alarm in ALARMS)] == []


async def busy(*stacks: RunningStack) -> list[int]:
    """Puts load on all stacks; returns the number of turns on each."""
    ends = time.monotonic() + BUSY_S
    async with open_crowd_at(stacks[0]) as ours, open_crowd_at(stacks[1]) as theirs:
        return await asyncio.gather(load(ours, ends), load(theirs, ends))


SLOW = """
import signal, sys, time
def leave(*_):
    time.sleep({})
    sys.exit(0)
signal.signal(signal.SIGTERM, leave)
print("up", flush=True)
time.sleep(600)
"""


async def leaving(
    cwd: Path, processes: ProcessManager, terminal: Terminal, name: str, takes_s: float
) -> Child:
    """Returns a child that takes `takes_s` to leave, once it listens for signals."""
    command = Command((sys.executable, "-c", SLOW.format(takes_s)), cwd, dict(os.environ))
    spec = ProcessSpec(name, command, parse_service, signal.SIGTERM, stop_timeout_s=0.5)
    child = Child(spec, processes, terminal, lambda: None)
    await until(lambda: child.tail, START_S)
    return child


async def test_who_is_slow_to_leave_gets_the_time_that_the_others_did_not_need(tmp_path: Path) -> None:
    log = os.open(tmp_path / "log", os.O_WRONLY | os.O_CREAT)
    terminal, processes = Terminal(log, colour=False), ProcessManager()
    quick = await leaving(tmp_path, processes, terminal, "quick", 0.0)
    slow = await leaving(tmp_path, processes, terminal, "slow", 2.0)
    stopping: list[str] = []
    await stop_in_stages([[quick], [slow]], 10.0, stopping.append)
    terminal.close()
    os.close(log)
    assert stopping == ["stopping quick", "stopping slow"]
    assert "does not stop" not in (tmp_path / "log").read_text()
