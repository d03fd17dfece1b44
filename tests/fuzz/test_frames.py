"""Frames and requests from dice: no exception, no internal error, nothing left open, and chat goes on.

`MESSENGER_FUZZ_FRAMES` says how many there are (10,000 in the suite, 100,000 by `make fuzz`). A failure tells
the seed, which `MESSENGER_FUZZ_SEED` throws again.
"""

from __future__ import annotations

import asyncio
import os
import random
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from tests.client import BASE_PATH, Person
from tests.conftest import SharedStack
from tests.e2e.crowd import Crowd
from tests.e2e.placement import workers
from tests.figures import figures
from tests.fuzz.hostile import Hostile
from tests.security.raw import line, websocket
from tests.waiting import eventually, until

IN_THE_SUITE = 10_000
TOTAL = int(os.environ.get("MESSENGER_FUZZ_FRAMES", IN_THE_SUITE))
SEED = os.environ.get("MESSENGER_FUZZ_SEED") or str(random.randrange(2**32))
# Of one user: below what counts as flooding.
TEXTS, REQUESTS, LINES = 100, 40, 10
# Connections that the services hold for later.
SPARE_FILES = 10
# What services do now and then.
SPARE_TASKS = 10


async def tasks(stack: SharedStack) -> float:
    """Of all services."""
    found = [await figures(stack, service) for service in ("gateway", "chat-api", "presence")]
    return sum(told["messenger_tasks"] for told in found)


def open_files(pids: list[int]) -> int:
    return sum(len(list(Path(f"/proc/{pid}/fd").iterdir())) for pid in pids)


# In seconds: as many as every test has, times how much more there is to do than in the suite.
@pytest.mark.timeout(600 * max(1, TOTAL / IN_THE_SUITE))
async def test_nothing_that_dice_make_does_any_harm(crowd: Crowd, stack: SharedStack) -> None:
    status = await asyncio.to_thread(stack.status)
    pids = [pid for service in ("gateway", "chat-api", "presence") for pid in workers(status, service)]
    logged, files, before = len(stack.log()), open_files(pids), await tasks(stack)
    for number in range(max(1, TOTAL // (TEXTS + REQUESTS + LINES))):
        dice = random.Random(f"{SEED} {number}")
        try:
            await one_round(crowd, stack, dice)
        except Exception as error:
            raise AssertionError(f"seed {SEED}, round {number}") from error
    wrong = [row for row in stack.log()[logged:].splitlines() if " error " in row or "Traceback" in row]
    assert not wrong, (SEED, wrong[:20])
    assert workers(await asyncio.to_thread(stack.status), "gateway") == workers(status, "gateway")
    await until(lambda: open_files(pids) <= files + SPARE_FILES, 30)

    async def at_rest() -> bool:
        return await tasks(stack) <= before + SPARE_TASKS

    await eventually(at_rest, 30)


async def one_round(crowd: Crowd, stack: SharedStack, dice: random.Random) -> None:
    """What two people who know each other may throw, one of them at each door."""
    one, two = crowd.newcomers(2)
    room = await one.create_group(two.user_id)
    message = (await one.post(f"/conversations/{room}/messages", {"content": "x"})).body["id"]
    hostile = Hostile(dice, [room, message, one.user_id, two.user_id, str(one.user_id)])
    await throw_texts(one, hostile)
    await throw_requests(stack, two, hostile)
    for _ in range(LINES):
        async with websocket(stack.url, two.token) as socket:
            socket.send(hostile.frames())
            socket.writer.write_eof()
            answer = await socket.rest(10)
            # 1011, by which a server says that it has failed.
            assert b"\x88\x02\x03\xf3" not in answer
    async with line(stack.url) as opened:
        opened.send(dice.randbytes(500) + b"\r\n\r\n")
        assert b" 500 " not in await opened.rest(10)
    for person in (one, two):
        await person.leave()
        crowd.people.remove(person)


async def throw_texts(person: Person, hostile: Hostile) -> None:
    socket = await person.connect()
    for _ in range(TEXTS):
        await socket.send_text(hostile.text())
    await socket.send("ping", ref="last")
    await socket.wait(lambda frame: frame.get("ref") == "last", timeout_s=30)
    assert not socket.collected("error", code="internal")


async def throw_requests(stack: SharedStack, person: Person, hostile: Hostile) -> None:
    async with aiohttp.ClientSession(headers=person.bearer) as http:
        for _ in range(REQUESTS):
            asked = hostile.request()
            url: Any = aiohttp.client.URL(stack.url + BASE_PATH + asked.path, encoded=True)
            async with http.request(asked.method, url, data=asked.body) as response:
                assert response.status != 500, asked
                assert response.status < 400 or response.content_type == "application/problem+json", asked
                await response.read()
