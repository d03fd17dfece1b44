"""Services are killed while users upload: nothing half is readable, what was acked stays, nothing is left.

`MESSENGER_UPLOADERS=50` runs it at full size, in two minutes.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import random
import signal
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import psycopg2
from aiohttp.test_utils import unused_port

from messenger_sdk import Client, MessengerError
from tests.client import User
from tests.databases import logged_in
from tests.e2e.crowd import open_crowd_at
from tests.e2e.uploads import Files
from tests.stack import RunningStack, running_stack
from tests.waiting import eventually, until

WORKERS = "gateway=2,chat-api=2,presence=1"
UPLOADERS = int(os.environ.get("MESSENGER_UPLOADERS", "6"))
# A quick run kills what has files in its hands.
VICTIMS = (
    [("gateway", "worker"), ("chat-api", "worker"), ("gateway", "master"), ("postgres", "server")]
    if UPLOADERS < 50
    else [(name, role) for name in ("gateway", "chat-api", "presence") for role in ("worker", "master")]
    + [("redis", "server"), ("postgres", "server")]
)
FILE_BYTES = 1_500_000
# With a killed database, everything begins again; on a busy machine that takes its time.
BACK_S = 90.0
_OPEN = "SELECT id::text, owner_id FROM messenger.files WHERE state = 'open'"


class Uploader:
    """A user who uploads the same content again and again."""

    def __init__(self, user: User, client: Client, path: Path) -> None:
        self.user = user
        self.acked: list[str] = []
        self._client = client
        self._path = path

    async def run(self, is_over: asyncio.Event) -> None:
        while not is_over.is_set():
            try:
                file = await self._client.upload(self._path)
            except MessengerError as error:
                # What the user gave up is left behind, as in real life.
                if not error.retryable:
                    raise
            else:
                self.acked.append(file["file_id"])


class Reader:
    """Reads files that aren't complete, as their owners. It counts how often it was refused."""

    def __init__(self, stack: RunningStack, files: Files, users: dict[int, User], content: bytes) -> None:
        self.refused = 0
        self._stack = stack
        self._files = files
        self._users = users
        self._content = content

    async def run(self, is_over: asyncio.Event) -> None:
        while not is_over.is_set():
            with contextlib.suppress(psycopg2.Error, aiohttp.ClientError, TimeoutError):
                async with logged_in(self._stack.database_url, 1) as database:
                    for file_id, owner in await database.rows(_OPEN, ()):
                        got = await self._files.get(self._users[owner], file_id)
                        assert got.status != 200 or got.body == self._content
                        self.refused += got.status == 409


@contextlib.asynccontextmanager
async def uploaders(stack: RunningStack, users: list[User], path: Path) -> AsyncIterator[list[Uploader]]:
    async with contextlib.AsyncExitStack() as clients:
        made = []
        for user in users:
            client = Client(stack.url, lambda user=user: user.token)
            clients.push_async_callback(client.close)
            made.append(Uploader(user, client, path))
        yield made


async def kill(stack: RunningStack, service: str, role: str) -> None:
    pid = stack.pids(service, role)[0]
    os.kill(pid, signal.SIGKILL)


async def more_acked(uploaders: list[Uploader]) -> None:
    """Returns when as many files as there are users have become complete."""
    before = sum(len(each.acked) for each in uploaders)
    await until(lambda: sum(len(each.acked) for each in uploaders) >= before + UPLOADERS, BACK_S)


async def test_kills_leave_no_half_file_and_lose_no_file_that_was_acked(tmp_path: Path) -> None:
    path = tmp_path / "content.bin"
    content = random.Random(7).randbytes(FILE_BYTES)
    path.write_bytes(content)
    async with (
        running_stack(tmp_path / "data", unused_port(), WORKERS) as stack,
        open_crowd_at(stack) as crowd,
        aiohttp.ClientSession() as http,
        uploaders(stack, crowd.newcomers(UPLOADERS), path) as made,
    ):
        files, is_over = Files(http, stack.url), asyncio.Event()
        reader = Reader(stack, files, {each.user.user_id: each.user for each in made}, content)
        async with asyncio.TaskGroup() as tasks:
            for each in (*made, reader):
                tasks.create_task(each.run(is_over))
            for service, role in VICTIMS:
                await kill(stack, service, role)
                await more_acked(made)
            is_over.set()
        for each in made:
            for file_id in each.acked:
                got = await files.get(each.user, file_id)
                assert (got.status, got.body) == (200, content)
        assert reader.refused
        await eventually(lambda: finds_nothing(stack), BACK_S)


async def finds_nothing(stack: RunningStack) -> bool:
    return (await stack.command("check")).endswith(" 0 findings\n")
