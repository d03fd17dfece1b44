"""The audit of the search index finds what is planted, and a new build mends it while everything goes on."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from contextlib import closing

import psycopg2
import pytest

from chat_api.feed.indexer import Indexer
from chat_api.reindex import rebuild
from chat_api.reindex import run as rebuild_all
from chat_api.storage.operators import PgOperators
from messenger_shared.postgres.database import Database
from tests.integration.following import caught_up, following, run
from tests.integration.indexing import Room, findings

BLOCKS = "messenger.search_blocks"
COVERED = "every message up to the cursor of search is in exactly one block"
WITHIN = "a block of the search index is within a run of messages that there are"
GRAMS = "a block of the search index has the grams of its messages, and no others"
FAULTS = {
    "missing": (GRAMS, f"UPDATE {BLOCKS} SET grams = grams[2:] WHERE first_seq = 65"),
    "stale": (GRAMS, f"UPDATE {BLOCKS} SET grams = grams || 17 WHERE first_seq = 65"),
    "moment": (GRAMS, f"UPDATE {BLOCKS} SET newest_at = now() + interval '1 day' WHERE first_seq = 1"),
    "uncovered": (COVERED, f"DELETE FROM {BLOCKS} WHERE first_seq = 65"),
    "twice": (
        COVERED,
        f"INSERT INTO {BLOCKS} SELECT conversation_id, 3, 5, now(), '{{}}' FROM {BLOCKS} LIMIT 1",
    ),
    "crossing": (WITHIN, f"UPDATE {BLOCKS} SET last_seq = 66 WHERE first_seq = 1"),
    "beyond": (WITHIN, f"UPDATE {BLOCKS} SET last_seq = 75 WHERE last_seq = 70"),
}


@pytest.fixture
async def room(database: Database, database_url: str) -> Room:
    room = await Room(database, database_url).create()
    await room.send(*(f"글{number}" for number in range(70)))
    await room.index()
    assert findings(database_url) == []
    return room


@pytest.mark.parametrize("fault", FAULTS)
async def test_what_is_wrong_is_found_and_rebuilt(room: Room, database_url: str, fault: str) -> None:
    rule, damage = FAULTS[fault]
    run(database_url, damage)
    assert any(rule in line for line in findings(database_url))
    assert rebuild_all(database_url) == 0
    assert findings(database_url) == []
    assert room.blocks == [(1, 64), (65, 70)]


async def test_what_is_not_up_to_date_is_no_fault(room: Room, database_url: str) -> None:
    [message] = await room.send("새 글")
    await room.delete(message)
    assert findings(database_url) == []


async def test_the_audit_tells_of_the_index(room: Room, database_url: str) -> None:
    run(database_url, FAULTS["missing"][1])
    env = {**os.environ, "MESSENGER_DATABASE_URL": database_url}
    for command, code, told in (
        ("check", 1, GRAMS),
        ("reindex", 0, "70 messages"),
        ("check", 0, "0 findings"),
    ):
        done = await asyncio.to_thread(
            subprocess.run,
            [sys.executable, "-m", f"chat_api.{command}"],
            env=env,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert (done.returncode, told in done.stdout) == (code, True), done


async def test_an_interrupted_build_goes_on_where_it_was(
    database: Database, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("chat_api.reindex._PAGE", 1)
    rooms = [await Room(database, database_url).create() for _ in range(3)]
    for room in rooms:
        await room.send("글글", "말말")
    with closing(psycopg2.connect(database_url)) as connection, connection.cursor() as cursor:
        connection.autocommit = True
        progress = rebuild(cursor)
        [first, _] = [next(progress), next(progress)]
        assert len(list(rebuild(cursor, first[0]))) == 2
    assert all(room.blocks == [(1, 2)] for room in rooms)


async def test_a_build_while_everything_goes_on(database: Database, database_url: str) -> None:
    rooms = [await Room(database, database_url).create() for _ in range(3)]
    for room in rooms:
        await room.send(*(f"글{number}" for number in range(100)))
    async with following(database, Indexer(database, gather_s=0)) as follower:
        await caught_up(database, Indexer.name)
        run(database_url, f"DELETE FROM {BLOCKS}")
        building = asyncio.create_task(asyncio.to_thread(rebuild_all, database_url))
        while not building.done():
            for room in rooms:
                [message, _] = await room.send("새 글", "또 하나")
                await room.delete(message)
                follower.on_marks({room.id: 1_000_000})
        assert building.result() == 0
        await caught_up(database, Indexer.name)
    assert findings(database_url) == []


async def test_a_closed_conversation_is_left_without_blocks(
    room: Room, database: Database, database_url: str
) -> None:
    await PgOperators(database).close(room.id)
    assert rebuild_all(database_url) == 0
    assert room.blocks == []
