"""A stack with a virus scanner: what it finds is rejected; a gateway that dies leaves its files to others."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Callable
from contextlib import closing
from pathlib import Path

import aiohttp
import psycopg2
import pytest
from aiohttp import web

from tests.client import User
from tests.e2e.crowd import Crowd, open_crowd_at
from tests.e2e.uploads import TEXT, Files
from tests.stack import RunningStack, running_stack
from tests.waiting import eventually, until

# A gateway looks for files that are due every ten seconds, and a machine may be slow.
EXAMINED_S = 90.0
VIRUS = b"not a real virus"


class Scanner:
    """An HTTP service that finds VIRUS, and may be slow or out of order."""

    def __init__(self) -> None:
        self.status = 200
        self.asked = 0
        self.goes_on = asyncio.Event()
        self.goes_on.set()

    async def answer(self, request: web.Request) -> web.Response:
        self.asked += 1
        content = await request.read()
        await self.goes_on.wait()
        return web.json_response({"clean": VIRUS not in content}, status=self.status)


@pytest.fixture
async def scanner(unused_tcp_port: int) -> AsyncIterator[tuple[Scanner, str]]:
    scanner, app = Scanner(), web.Application(client_max_size=2**20)
    app.router.add_post("/", scanner.answer)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", unused_tcp_port).start()
    yield scanner, f"http://127.0.0.1:{unused_tcp_port}/"
    scanner.goes_on.set()
    await runner.cleanup()


@pytest.fixture
async def stack(
    tmp_path: Path, unused_tcp_port_factory: Callable[[], int], scanner: tuple[Scanner, str]
) -> AsyncIterator[RunningStack]:
    env = {"MESSENGER_SCANNER": scanner[1], "MESSENGER_SCAN_REQUIRED": "1"}
    workers = "gateway=1,chat-api=1,presence=1"
    async with running_stack(tmp_path / "data", unused_tcp_port_factory(), workers, env) as stack:
        yield stack


@pytest.fixture
async def own_crowd(stack: RunningStack) -> AsyncIterator[Crowd]:
    async with open_crowd_at(stack) as crowd:
        yield crowd


@pytest.fixture
async def files(stack: RunningStack) -> AsyncIterator[Files]:
    async with aiohttp.ClientSession() as http:
        yield Files(http, stack.url)


def let_leases_end(stack: RunningStack) -> None:
    with (
        closing(psycopg2.connect(stack.database_url)) as connection,
        connection,
        connection.cursor() as cursor,
    ):
        cursor.execute("UPDATE messenger.files SET process_at = now() WHERE state = 'pending'")


async def begun(user: User, files: Files, content: bytes) -> str:
    """Returns a file whose bytes are there."""
    created = await files.create(user, len(content))
    assert (await files.put(created["upload"], content)).status == 204
    return str(created["file_id"])


async def test_files_are_scanned_and_outlive_a_gateway(
    own_crowd: Crowd, files: Files, stack: RunningStack, scanner: tuple[Scanner, str]
) -> None:
    one, two = own_crowd.newcomers(2)
    room = await one.create_group(two.user_id)
    await a_virus_is_rejected(one, room, files, stack)
    await without_a_scanner_a_file_is_pending(one, two, room, files, stack, scanner[0])
    await a_gateway_that_dies_leaves_its_file_to_the_next(one, files, stack, scanner[0])


async def a_virus_is_rejected(user: User, room: str, files: Files, stack: RunningStack) -> None:
    assert (await files.complete(user, await files.upload(user)))["state"] == "ready"
    rejected = await files.upload(user, b"a " + VIRUS)
    assert (await files.complete(user, rejected))["state"] == "rejected"
    assert (await files.get(user, rejected)).status == 404
    refused = await user.post(f"/conversations/{room}/messages", {"attachments": [rejected]})
    assert refused.status == 404
    bytes_ = stack.data_dir / "files" / "ready" / rejected[-2:] / rejected
    await until(lambda: not bytes_.exists())


async def without_a_scanner_a_file_is_pending(
    one: User, two: User, room: str, files: Files, stack: RunningStack, service: Scanner
) -> None:
    theirs = await two.connect()
    service.status = 500
    file_id = await begun(one, files, VIRUS)
    completed = await one.call("POST", f"/files/{file_id}/complete")
    assert (completed.status, completed.body["state"]) == (200, "pending")
    sent = await one.post(f"/conversations/{room}/messages", {"attachments": [file_id]})
    assert sent.status == 201
    assert (await files.get(two, file_id)).status == 409
    service.status = 200
    let_leases_end(stack)
    event = await theirs.wait(lambda frame: frame["type"] == "message.files", "message.files", EXAMINED_S)
    assert [file["state"] for file in event["attachments"]] == ["rejected"]
    assert (await files.get(two, file_id)).status == 404


async def a_gateway_that_dies_leaves_its_file_to_the_next(
    user: User, files: Files, stack: RunningStack, service: Scanner
) -> None:
    file_id, asked = await begun(user, files, TEXT), service.asked
    service.goes_on.clear()
    completing = asyncio.ensure_future(user.call("POST", f"/files/{file_id}/complete"))
    await until(lambda: service.asked > asked)
    for pid in stack.pids("gateway", "worker"):
        os.kill(pid, signal.SIGKILL)
    await asyncio.wait([completing])
    # It failed, or a proxy answered.
    completing.exception()
    service.goes_on.set()
    let_leases_end(stack)

    async def is_ready() -> bool:
        try:
            return (await files.get(user, file_id)).status == 200
        except aiohttp.ClientError:
            return False

    await eventually(is_ready, EXAMINED_S)
    assert service.asked > asked + 1
