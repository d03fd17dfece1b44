"""Owns the tests of last seen: from the store to the rows in the real PostgreSQL, whatever ends meanwhile."""

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
from presence.last_seen import LastSeen
from presence.ports import Choice
from tests.presence.stores import Bench, MemoryBench, changes, full, settle
from tests.waiting import eventually

NOON_MS = 1_764_158_400_000
NOON = datetime(2025, 11, 26, 12, tzinfo=UTC)


async def go(bench: Bench, *users: int, gateway: str = "a") -> dict[int, int]:
    """These come and go; when they were last there."""
    await bench.store.report(full(gateway, 1, *users))
    transitions = (await bench.store.report(changes(gateway, 2, closed=users))).transitions
    return {transition.user_id: transition.seen_ms for transition in transitions}


async def test_what_isnt_written_yet_is_in_the_store_until_it_is(graceless: Bench) -> None:
    went = await go(graceless, 1, 2, 3)
    assert await graceless.store.unwritten() == went
    assert await graceless.store.seen([3, 4, 1]) == {user: went[user] for user in (1, 3)}
    assert await graceless.store.seen([]) == {}
    # One has come back and gone again, one was written before.
    await graceless.pass_time(1_000)
    again = await go(graceless, 1, gateway="b")
    await graceless.store.written({**went, 2: went[2] - 1})
    assert await graceless.store.unwritten() == {1: again[1], 2: went[2]}


async def test_who_only_chooses_was_not_seen_by_that(graceless: Bench) -> None:
    await graceless.store.choose(Choice(1, 1, False, True))
    await graceless.store.choose(Choice(1, 2, True, True))
    assert await graceless.store.unwritten() == {}


class FakeDatabase(Database):
    """Remembers the batches; fails as long as `failures` lasts."""

    def __init__(self, *failures: Exception) -> None:
        self.failures = list(failures)
        self.batches: list[dict[int, int]] = []

    async def rows(self, sql: str, parameters: Sequence[Any] | dict[str, Any] = ()) -> list[Row]:
        if self.failures:
            raise self.failures.pop()
        assert not isinstance(parameters, dict)
        self.batches.append(dict(zip(*parameters, strict=True)))
        return []


@pytest.mark.parametrize("failure", [AppError(errors.UNAVAILABLE), RuntimeError("a bug")])
async def test_failed_batch_is_written_again(graceless: Bench, failure: Exception) -> None:
    went = await go(graceless, 1)
    database = FakeDatabase(failure, failure)
    last_seen = LastSeen(database, graceless.store, interval_s=0.002)
    if isinstance(graceless, MemoryBench):
        # Its clock stands still, and with it the period for which a worker has claimed the writing.
        graceless.store.claim = _always  # type: ignore[method-assign]
    await last_seen.start()

    async def is_written() -> bool:
        return not await graceless.store.unwritten()

    await eventually(is_written)
    await last_seen.stop()
    assert database.batches == [went]


async def _always(task: str, period_ms: int) -> bool:
    return True


async def test_stop_gives_up_when_postgresql_is_away_and_leaves_it_to_others(graceless: Bench) -> None:
    went = await go(graceless, 1, 2)
    await LastSeen(FakeDatabase(AppError(errors.UNAVAILABLE)), graceless.store).stop()
    database = FakeDatabase()
    await LastSeen(database, graceless.store).stop()
    assert database.batches == [went]


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    database = Database(database_url, 1, "test")
    await database.start()
    yield database
    await database.stop()


@pytest.fixture
async def last_seen(database: Database) -> LastSeen:
    bench = MemoryBench()
    await settle(bench)
    return LastSeen(database, bench.store)


async def _rows(database: Database) -> dict[int, datetime]:
    return dict(await database.rows("SELECT user_id, last_seen_at FROM presence.last_seen"))


async def test_rows_are_inserted_and_updated_and_never_go_back(
    database: Database, last_seen: LastSeen
) -> None:
    biggest = 2**63 - 1
    await last_seen.note({biggest, 1}, NOON_MS - 1_000)
    await last_seen.note({1}, NOON_MS)
    await last_seen.note({1}, NOON_MS - 500)
    assert await _rows(database) == {biggest: NOON.replace(hour=11, minute=59, second=59), 1: NOON}
    assert await last_seen.read([1, 2, biggest]) == {1: NOON_MS, biggest: NOON_MS - 1_000}


async def test_last_seen_is_never_in_the_future(database: Database, last_seen: LastSeen) -> None:
    await last_seen.note({1}, (int(time.time()) + 3_600) * 1_000)
    assert (await _rows(database))[1] <= datetime.now(UTC)


async def test_of_what_is_written_and_what_waits_the_later_one_is_read(
    database: Database, graceless: Bench
) -> None:
    went = await go(graceless, 1, 2)
    last_seen = LastSeen(database, graceless.store)
    await last_seen.note({1}, went[1] - 5_000)
    assert await last_seen.read([1, 2, 3]) == went
    await last_seen.note({1}, went[1] + 1)
    assert await last_seen.read([1]) == {1: went[1] + 1}
    await last_seen.stop()
    assert await graceless.store.unwritten() == {}
    assert await last_seen.read([1, 2]) == {1: went[1] + 1, 2: went[2]}


async def test_lost_connection_costs_nothing(database: Database, database_url: str, graceless: Bench) -> None:
    went = await go(graceless, 1)
    with psycopg2.connect(database_url) as other, other.cursor() as cursor:
        cursor.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'test' "
            "AND datname = current_database()"
        )
    other.close()
    graceless.store.claim = _always  # type: ignore[method-assign]
    last_seen = LastSeen(database, graceless.store, interval_s=0.01)
    await last_seen.start()

    async def is_written() -> bool:
        return not await graceless.store.unwritten()

    await eventually(is_written)
    await last_seen.stop()
    async with asyncio.timeout(5):
        assert await last_seen.read([1]) == went
