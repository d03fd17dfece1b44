"""Random frames and requests cause no exception, no internal error and no leak, and chat goes on.

`MESSENGER_FUZZ_FRAMES` sets their number (10,000 in the suite, 100,000 by `make fuzz`). A failure prints the
seed, which `MESSENGER_FUZZ_SEED` repeats.
"""

from __future__ import annotations

import asyncio
import os
import random
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from messenger_local.services import SERVICES
from tests.client import BASE_PATH, User
from tests.conftest import SharedStack
from tests.e2e.crowd import Crowd
from tests.e2e.placement import workers
from tests.fuzz.hostile import HostileInput
from tests.metrics import scrape_metrics
from tests.security.raw import line, websocket
from tests.waiting import eventually, until

IN_THE_SUITE = 10_000
TOTAL = int(os.environ.get("MESSENGER_FUZZ_FRAMES", IN_THE_SUITE))
SEED = os.environ.get("MESSENGER_FUZZ_SEED") or str(random.randrange(2**32))
# Per user: below what counts as flooding.
TEXTS, REQUESTS, LINES = 100, 40, 10
# Connections that the services keep for later.
SPARE_FILES = 10
# Tasks that services run from time to time.
SPARE_TASKS = 10


async def tasks(stack: SharedStack) -> float:
    """Returns the number of tasks of all services."""
    found = [await scrape_metrics(stack, service) for service in SERVICES]
    return sum(told["messenger_tasks"] for told in found)


def open_files(pids: list[int]) -> int:
    return sum(len(list(Path(f"/proc/{pid}/fd").iterdir())) for pid in pids)


# In seconds: a test's usual limit, times the additional amount compared with the suite.
@pytest.mark.timeout(600 * max(1, TOTAL / IN_THE_SUITE))
async def test_nothing_that_dice_make_does_any_harm(crowd: Crowd, stack: SharedStack) -> None:
    status = await asyncio.to_thread(stack.status)
    pids = [pid for service in SERVICES for pid in workers(status, service)]
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
    """Two users who share a conversation send what was generated, one over REST, one over sockets."""
    one, two = crowd.newcomers(2)
    room = await one.create_group(two.user_id)
    message = (await one.post(f"/conversations/{room}/messages", {"content": "x"})).body["id"]
    hostile = HostileInput(dice, [room, message, one.user_id, two.user_id, str(one.user_id)])
    await throw_texts(one, hostile)
    await throw_requests(stack, two, hostile)
    for _ in range(LINES):
        async with websocket(stack.url, two.token) as socket:
            socket.send(hostile.frames())
            socket.writer.write_eof()
            answer = await socket.rest(10)
            # 1011 is the code by which a server reports that it has failed.
            assert b"\x88\x02\x03\xf3" not in answer
    async with line(stack.url) as opened:
        opened.send(dice.randbytes(500) + b"\r\n\r\n")
        assert b" 500 " not in await opened.rest(10)
    for user in (one, two):
        await user.leave()
        crowd.users.remove(user)


async def throw_texts(user: User, hostile: HostileInput) -> None:
    socket = await user.connect()
    for _ in range(TEXTS):
        await socket.send_text(hostile.text())
    await socket.send("ping", ref="last")
    await socket.wait(lambda frame: frame.get("ref") == "last", timeout_s=30)
    assert not socket.collected("error", code="internal")


async def throw_requests(stack: SharedStack, user: User, hostile: HostileInput) -> None:
    async with aiohttp.ClientSession(headers=user.bearer) as http:
        for _ in range(REQUESTS):
            request = hostile.request()
            url: Any = aiohttp.client.URL(stack.url + BASE_PATH + request.path, encoded=True)
            async with http.request(request.method, url, data=request.body) as response:
                assert response.status != 500, request
                assert response.status < 400 or response.content_type == "application/problem+json", request
                await response.read()
