"""Tests last seen: from the store to the rows in the real PostgreSQL, whatever ends meanwhile."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime
from typing import Any

import psycopg2
import pytest

from messenger_shared.contract import errors
from messenger_shared.contract.errors import AppError
from messenger_shared.contract.presence_states import AWAY, OFFLINE
from messenger_shared.postgres.database import Database, Row
from presence import last_seen
from presence.last_seen import LastSeen
from presence.ports import Choice, Transition
from tests.databases import logged_in
from tests.presence.stores import MemoryHarness, StoreHarness, changes, full
from tests.waiting import eventually, until

NOON_MS = 1_764_158_400_000
NOON = datetime(2025, 11, 26, 12, tzinfo=UTC)


async def go(harness: StoreHarness, *users: int, gateway: str = "a") -> list[Transition]:
    """Lets these users come and go."""
    await harness.store.report(full(gateway, 1, *users))
    return (await harness.store.report(changes(gateway, 2, closed=users))).transitions


def seen(transitions: list[Transition]) -> dict[int, int]:
    """Returns when each user was last there."""
    return {transition.user_id: transition.seen_ms for transition in transitions}


async def test_what_isnt_written_yet_is_in_the_store_until_it_is(harness_without_grace: StoreHarness) -> None:
    went = seen(await go(harness_without_grace, 1, 2, 3))
    assert await harness_without_grace.store.list_unwritten() == went
    assert await harness_without_grace.store.get_unwritten([3, 4, 1]) == {user: went[user] for user in (1, 3)}
    assert await harness_without_grace.store.get_unwritten([]) == {}
    # One user has come back and gone again, one was written before.
    await harness_without_grace.pass_time(1_000)
    again = seen(await go(harness_without_grace, 1, gateway="b"))
    await harness_without_grace.store.mark_written({**went, 2: went[2] - 1})
    assert await harness_without_grace.store.list_unwritten() == {1: again[1], 2: went[2]}


async def test_who_only_chooses_was_not_seen_by_that(harness_without_grace: StoreHarness) -> None:
    await harness_without_grace.store.choose(Choice(1, 1, False, True))
    await harness_without_grace.store.choose(Choice(1, 2, True, True))
    assert await harness_without_grace.store.list_unwritten() == {}


class FakeDatabase(Database):
    """Remembers the batches; fails `failures` times."""

    def __init__(self, *failures: Exception) -> None:
        self.failures = list(failures)
        self.batches: list[dict[int, int]] = []

    async def rows(self, sql: str, parameters: Sequence[Any] | dict[str, Any] = ()) -> list[Row]:
        if self.failures:
            raise self.failures.pop()
        assert not isinstance(parameters, dict)
        self.batches.append(dict(zip(*parameters, strict=True)))
        return []


def transition(user_id: int, seen_ms: int = NOON_MS, status: str = OFFLINE) -> Transition:
    return Transition(1, user_id, status, seen_ms + 5, seen_ms, False)


def make_last_seen(database: Database, harness: StoreHarness, interval_s: float = 60) -> LastSeen:
    return LastSeen(database, harness.store, interval_s)


@pytest.fixture
async def memory() -> MemoryHarness:
    return MemoryHarness()


async def test_those_who_go_are_written_in_bounded_batches(
    memory: MemoryHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(last_seen, "MAX_BATCH", 2)
    database = FakeDatabase()
    writer = make_last_seen(database, memory)
    writer.enqueue([transition(1), transition(2), transition(9, status=AWAY), transition(3)])
    writer.enqueue([transition(3, NOON_MS + 1), transition(3, NOON_MS)])
    await writer.stop()
    assert database.batches == [{1: NOON_MS, 2: NOON_MS}, {3: NOON_MS + 1}]


async def test_when_too_many_wait_the_oldest_are_left_to_the_store(
    memory: MemoryHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(last_seen, "MAX_QUEUED", 2)
    database = FakeDatabase()
    writer = make_last_seen(database, memory)
    writer.enqueue([transition(1), transition(2), transition(3), transition(2, NOON_MS + 1)])
    await writer.stop()
    assert database.batches == [{3: NOON_MS, 2: NOON_MS + 1}]


@pytest.mark.parametrize("failure", [AppError(errors.UNAVAILABLE), RuntimeError("a bug")])
async def test_failed_batch_is_written_again(harness_without_grace: StoreHarness, failure: Exception) -> None:
    transitions = await go(harness_without_grace, 1)
    database = FakeDatabase(failure, failure)
    writer = make_last_seen(database, harness_without_grace, 0.002)
    writer.enqueue(transitions)
    await writer.start()

    async def is_written() -> bool:
        return not await harness_without_grace.store.list_unwritten()

    await eventually(is_written)
    await writer.stop()
    assert database.batches[0] == seen(transitions)


async def test_what_a_worker_left_behind_another_one_writes(harness_without_grace: StoreHarness) -> None:
    went = seen(await go(harness_without_grace, 1, 2))
    database = FakeDatabase()
    writer = make_last_seen(database, harness_without_grace, 0.002)
    await writer.start()
    await until(lambda: database.batches)
    await writer.stop()
    assert database.batches == [went]
    assert await harness_without_grace.store.list_unwritten() == {}


async def test_a_store_that_lost_everything_costs_nothing_of_what_was_told(
    harness_without_grace: StoreHarness,
) -> None:
    transitions = await go(harness_without_grace, 1, 2)
    database = FakeDatabase()
    writer = make_last_seen(database, harness_without_grace, 0.002)
    writer.enqueue(transitions)
    await harness_without_grace.empty()
    await writer.start()
    await until(lambda: database.batches)
    await writer.stop()
    assert database.batches == [seen(transitions)]


async def test_stop_gives_up_when_postgresql_is_away(memory: MemoryHarness) -> None:
    database = FakeDatabase(AppError(errors.UNAVAILABLE))
    writer = make_last_seen(database, memory)
    writer.enqueue([transition(1)])
    await writer.stop()
    assert database.batches == []


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    async with logged_in(database_url, 1) as database:
        yield database


async def _rows(database: Database) -> dict[int, datetime]:
    return dict(await database.rows("SELECT user_id, last_seen_at FROM presence.last_seen"))


async def test_rows_are_inserted_and_updated_and_never_go_back(
    database: Database, memory: MemoryHarness
) -> None:
    biggest = 2**53 - 1
    writer = make_last_seen(database, memory)
    await writer.write({biggest, 1}, NOON_MS - 1_000)
    await writer.write({1}, NOON_MS)
    await writer.write({1}, NOON_MS - 500)
    assert await _rows(database) == {biggest: NOON.replace(hour=11, minute=59, second=59), 1: NOON}
    assert await writer.read([1, 2, biggest]) == {1: NOON_MS, biggest: NOON_MS - 1_000}


async def test_last_seen_is_never_in_the_future(database: Database, memory: MemoryHarness) -> None:
    await make_last_seen(database, memory).write({1}, (int(time.time()) + 3_600) * 1_000)
    assert (await _rows(database))[1] <= datetime.now(UTC)


async def test_what_a_clock_wrote_that_ran_ahead_is_neither_told_nor_kept(
    database: Database, memory: MemoryHarness
) -> None:
    await database.rows("INSERT INTO presence.last_seen VALUES (1, now() + interval '1 hour')")
    writer = make_last_seen(database, memory)
    assert (await writer.read([1]))[1] <= time.time() * 1_000
    await writer.write({1}, NOON_MS)
    assert (await _rows(database))[1] <= datetime.now(UTC)


async def test_of_what_is_written_and_what_waits_the_latest_is_read(
    database: Database, harness_without_grace: StoreHarness
) -> None:
    went = seen(await go(harness_without_grace, 1, 2))
    writer = make_last_seen(database, harness_without_grace)
    await writer.write({1}, went[1] - 5_000)
    assert await writer.read([1, 2, 3]) == went
    writer.enqueue([transition(1, went[1] + 1), transition(2, went[2] - 1)])
    assert await writer.read([1, 2, 3]) == {1: went[1] + 1, 2: went[2]}
    await writer.stop()
    assert await writer.read([1, 2]) == {1: went[1] + 1, 2: went[2]}


async def test_lost_connection_costs_nothing(
    database: Database, database_url: str, harness_without_grace: StoreHarness
) -> None:
    transitions = await go(harness_without_grace, 1)
    with psycopg2.connect(database_url) as other, other.cursor() as cursor:
        cursor.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'test' "
            "AND datname = current_database()"
        )
    other.close()
    writer = make_last_seen(database, harness_without_grace, 0.01)
    writer.enqueue(transitions)
    await writer.start()

    async def is_written() -> bool:
        return not await harness_without_grace.store.list_unwritten()

    await eventually(is_written)
    await writer.stop()
    assert await writer.read([1]) == seen(transitions)
    assert list(await _rows(database)) == [1]
