"""chat-api's own migrations, as an operator starts them: on nothing, on what is in use, twice, at once."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Iterator
from contextlib import closing

import psycopg2
import pytest

from chat_api.storage.messages import PgMessages
from messenger_shared import migrations
from messenger_shared.postgres import Database
from tests.bench.history.loader import load
from tests.bench.history.shape import Shape
from tests.conftest import SharedStack, new_database

SHAPE = Shape(messages=2_000, conversations=100, largest=500, busy_users=2, busy_in=30)
STARTERS = 2
DEADLINE_S = 60


@pytest.fixture
def empty_url(stack: SharedStack) -> Iterator[str]:
    with new_database(stack, "template0") as url:
        yield url


async def start(url: str) -> tuple[int | None, str]:
    """The exit code and output of one process that migrates."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "chat_api.migrate"),
        env={**os.environ, "MESSENGER_DATABASE_URL": url},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    async with asyncio.timeout(DEADLINE_S):
        output, _ = await process.communicate()
    return process.returncode, output.decode()


def counts(url: str) -> list[int]:
    with closing(psycopg2.connect(url)) as connection, connection.cursor() as cursor:
        found = []
        for table in ("conversations", "conversation_participants", "messages", "read_receipts"):
            cursor.execute(f"SELECT count(*) FROM messenger.{table}")
            found.append(cursor.fetchall()[0][0])
        return found


async def migrate_at_once(url: str, lacking: list[str]) -> None:
    """Starters at once apply what is lacking, once; another finds nothing to do."""
    results = await asyncio.gather(*(start(url) for _ in range(STARTERS)))
    assert [code for code, _ in results] == [0] * STARTERS, results
    applied = [line for _, output in results for line in output.splitlines()]
    assert applied == [f"messenger: applied {name}" for name in lacking]
    assert await start(url) == (0, "")


async def test_on_an_empty_database(empty_url: str) -> None:
    await migrate_at_once(empty_url, [step.name for step in migrations.load("chat_api")])


async def test_on_a_database_that_is_in_use(stack: SharedStack, empty_url: str) -> None:
    first, *others = migrations.load("chat_api")
    assert migrations.migrate(empty_url, "messenger", [first]) == [first.name]
    loaded = load(empty_url, SHAPE)
    before = counts(empty_url)
    assert before[2] == SHAPE.messages
    await migrate_at_once(empty_url, [step.name for step in others])
    assert counts(empty_url) == before
    database = Database(stack.as_role(empty_url, "messenger_chat"), 1, "test")
    await database.start()
    largest = loaded.conversations[0]
    page = await PgMessages(database).page(largest.id, largest.members[0], SHAPE.largest + 1, 50, False)
    await database.stop()
    assert [message["seq"] for message in page] == list(range(SHAPE.largest, SHAPE.largest - 50, -1))
