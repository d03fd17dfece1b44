"""Owns the tests of last seen: the bounds alone, and the rows in the real PostgreSQL."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime
from typing import Any

import psycopg2
import pytest

from messenger_shared import errors
from messenger_shared.errors import AppError
from messenger_shared.postgres import Database, Row
from messenger_shared.presences import AWAY, OFFLINE
from presence.last_seen import LastSeen
from presence.ports import Transition

DEADLINE_S = 10
NOON_MS = 1_764_158_400_000
NOON = datetime(2025, 11, 26, 12, tzinfo=UTC)


class FakeDatabase(Database):
    """Remembers the batches; fails as long as `failures` lasts."""

    def __init__(self, *failures: Exception) -> None:
        self.failures = list(failures)
        self.batches: list[dict[int, int]] = []
        self.wrote = asyncio.Event()

    async def rows(self, sql: str, parameters: Sequence[Any] | dict[str, Any] = ()) -> list[Row]:
        if self.failures:
            raise self.failures.pop()
        assert not isinstance(parameters, dict)
        self.batches.append(dict(zip(*parameters, strict=True)))
        self.wrote.set()
        return []


def _went(user_id: int, seen_ms: int = NOON_MS) -> Transition:
    return Transition(1, user_id, OFFLINE, seen_ms + 5, seen_ms, False)


async def test_those_who_go_are_written_in_bounded_batches() -> None:
    database = FakeDatabase()
    last_seen = LastSeen(database, max_batch=2)
    last_seen.tell([_went(1), _went(2), Transition(1, 9, AWAY, NOON_MS, NOON_MS, False), _went(3)])
    await last_seen.stop()
    assert database.batches == [{1: NOON_MS, 2: NOON_MS}, {3: NOON_MS}]


async def test_one_entry_per_user_with_the_latest_time() -> None:
    database = FakeDatabase()
    last_seen = LastSeen(database)
    last_seen.tell([_went(1, NOON_MS + 1), _went(1, NOON_MS)])
    await last_seen.stop()
    assert database.batches == [{1: NOON_MS + 1}]


async def test_when_too_many_wait_the_oldest_give_way() -> None:
    database = FakeDatabase()
    last_seen = LastSeen(database, max_waiting=2)
    last_seen.tell([_went(1), _went(2), _went(3), _went(2, NOON_MS + 1)])
    await last_seen.stop()
    assert database.batches == [{2: NOON_MS + 1, 3: NOON_MS}]


@pytest.mark.parametrize("failure", [AppError(errors.UNAVAILABLE), RuntimeError("a bug")])
async def test_failed_batch_is_written_again(failure: Exception) -> None:
    database = FakeDatabase(failure, failure)
    last_seen = LastSeen(database, interval_s=0.001)
    last_seen.tell([_went(1)])
    await last_seen.start()
    async with asyncio.timeout(DEADLINE_S):
        await database.wrote.wait()
    await last_seen.stop()
    assert database.batches == [{1: NOON_MS}]


async def test_stop_gives_up_when_postgresql_is_away(caplog: pytest.LogCaptureFixture) -> None:
    last_seen = LastSeen(FakeDatabase(AppError(errors.UNAVAILABLE)))
    last_seen.tell([_went(1), _went(2)])
    await last_seen.stop()
    assert caplog.messages == ["last seen of 2 users is lost"]


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    database = Database(database_url, 1, "test")
    await database.start()
    await database.rows("TRUNCATE presence.last_seen")
    yield database
    await database.stop()


async def _write(database: Database, *transitions: Transition) -> dict[int, datetime]:
    """What the table holds after `transitions`."""
    last_seen = LastSeen(database)
    last_seen.tell(transitions)
    await last_seen.stop()
    rows = await database.rows("SELECT user_id, last_seen_at FROM presence.last_seen")
    return dict(rows)


async def test_rows_are_inserted_and_updated(database: Database) -> None:
    biggest = 2**63 - 1
    assert await _write(database, _went(biggest), _went(1, NOON_MS - 1_000)) == {
        biggest: NOON,
        1: NOON.replace(hour=11, minute=59, second=59),
    }
    assert (await _write(database, _went(1)))[1] == NOON


async def test_last_seen_never_goes_back(database: Database) -> None:
    await _write(database, _went(1))
    assert await _write(database, _went(1, NOON_MS - 1_000)) == {1: NOON}


async def test_last_seen_is_never_in_the_future(database: Database) -> None:
    ahead_ms = (int(time.time()) + 3_600) * 1_000
    found = await _write(database, _went(1, ahead_ms))
    assert found[1] <= datetime.now(UTC)


async def test_what_waits_to_be_written_can_be_read_too(database: Database) -> None:
    await _write(database, _went(1), _went(2))
    last_seen = LastSeen(database)
    last_seen.tell([_went(1, NOON_MS - 1), _went(2, NOON_MS + 1), _went(3)])
    assert await last_seen.read([1, 2, 3, 4]) == {1: NOON_MS, 2: NOON_MS + 1, 3: NOON_MS}


async def test_who_is_there_is_noted_at_once_and_never_backwards(database: Database) -> None:
    last_seen = LastSeen(database)
    await last_seen.note({1, 2}, NOON_MS)
    await last_seen.note({2}, NOON_MS - 1)
    assert await last_seen.read([1, 2]) == {1: NOON_MS, 2: NOON_MS}


async def test_lost_connection_costs_nothing(database: Database, database_url: str) -> None:
    with psycopg2.connect(database_url) as other, other.cursor() as cursor:
        cursor.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'test' "
            "AND datname = current_database()"
        )
    other.close()
    watched = WatchedDatabase(database)
    last_seen = LastSeen(watched, interval_s=0.01)
    last_seen.tell([_went(1)])
    await last_seen.start()
    async with asyncio.timeout(DEADLINE_S):
        await watched.wrote.wait()
    await last_seen.stop()
    assert await database.rows("SELECT user_id FROM presence.last_seen") == [(1,)]


class WatchedDatabase(Database):
    """Says when a statement has gone well."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self.wrote = asyncio.Event()

    async def rows(self, sql: str, parameters: Sequence[Any] | dict[str, Any] = ()) -> list[Row]:
        rows = await self._database.rows(sql, parameters)
        self.wrote.set()
        return rows
