"""Owns the tests of last seen: from the store to the rows in the real PostgreSQL, whatever ends meanwhile."""

from __future__ import annotations

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
from presence import last_seen
from presence.last_seen import LastSeen
from presence.ports import Choice, Transition
from tests.databases import logged_in
from tests.presence.stores import Bench, MemoryBench, changes, full
from tests.waiting import eventually, until

NOON_MS = 1_764_158_400_000
NOON = datetime(2025, 11, 26, 12, tzinfo=UTC)


async def go(bench: Bench, *users: int, gateway: str = "a") -> list[Transition]:
    """These come and go."""
    await bench.store.report(full(gateway, 1, *users))
    return (await bench.store.report(changes(gateway, 2, closed=users))).transitions


def seen(transitions: list[Transition]) -> dict[int, int]:
    """When each was last there."""
    return {transition.user_id: transition.seen_ms for transition in transitions}


async def test_what_isnt_written_yet_is_in_the_store_until_it_is(graceless: Bench) -> None:
    went = seen(await go(graceless, 1, 2, 3))
    assert await graceless.store.unwritten() == went
    assert await graceless.store.seen([3, 4, 1]) == {user: went[user] for user in (1, 3)}
    assert await graceless.store.seen([]) == {}
    # One has come back and gone again, one was written before.
    await graceless.pass_time(1_000)
    again = seen(await go(graceless, 1, gateway="b"))
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


def transition(user_id: int, seen_ms: int = NOON_MS, status: str = OFFLINE) -> Transition:
    return Transition(1, user_id, status, seen_ms + 5, seen_ms, False)


def writing(database: Database, bench: Bench, interval_s: float = 60) -> LastSeen:
    return LastSeen(database, bench.store, interval_s)


@pytest.fixture
async def memory() -> MemoryBench:
    return MemoryBench()


async def test_those_who_go_are_written_in_bounded_batches(
    memory: MemoryBench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(last_seen, "MAX_BATCH", 2)
    database = FakeDatabase()
    written = writing(database, memory)
    written.tell([transition(1), transition(2), transition(9, status=AWAY), transition(3)])
    written.tell([transition(3, NOON_MS + 1), transition(3, NOON_MS)])
    await written.stop()
    assert database.batches == [{1: NOON_MS, 2: NOON_MS}, {3: NOON_MS + 1}]


async def test_when_too_many_wait_the_oldest_are_left_to_the_store(
    memory: MemoryBench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(last_seen, "MAX_TOLD", 2)
    database = FakeDatabase()
    written = writing(database, memory)
    written.tell([transition(1), transition(2), transition(3), transition(2, NOON_MS + 1)])
    await written.stop()
    assert database.batches == [{3: NOON_MS, 2: NOON_MS + 1}]


@pytest.mark.parametrize("failure", [AppError(errors.UNAVAILABLE), RuntimeError("a bug")])
async def test_failed_batch_is_written_again(graceless: Bench, failure: Exception) -> None:
    transitions = await go(graceless, 1)
    database = FakeDatabase(failure, failure)
    written = writing(database, graceless, 0.002)
    written.tell(transitions)
    await written.start()

    async def is_written() -> bool:
        return not await graceless.store.unwritten()

    await eventually(is_written)
    await written.stop()
    assert database.batches[0] == seen(transitions)


async def test_what_a_worker_left_behind_another_one_writes(graceless: Bench) -> None:
    went = seen(await go(graceless, 1, 2))
    database = FakeDatabase()
    written = writing(database, graceless, 0.002)
    await written.start()
    await until(lambda: database.batches)
    await written.stop()
    assert database.batches == [went]
    assert await graceless.store.unwritten() == {}


async def test_a_store_that_lost_everything_costs_nothing_of_what_was_told(graceless: Bench) -> None:
    transitions = await go(graceless, 1, 2)
    database = FakeDatabase()
    written = writing(database, graceless, 0.002)
    written.tell(transitions)
    await graceless.empty()
    await written.start()
    await until(lambda: database.batches)
    await written.stop()
    assert database.batches == [seen(transitions)]


async def test_stop_gives_up_when_postgresql_is_away(memory: MemoryBench) -> None:
    database = FakeDatabase(AppError(errors.UNAVAILABLE))
    written = writing(database, memory)
    written.tell([transition(1)])
    await written.stop()
    assert database.batches == []


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    async with logged_in(database_url, 1) as database:
        yield database


async def _rows(database: Database) -> dict[int, datetime]:
    return dict(await database.rows("SELECT user_id, last_seen_at FROM presence.last_seen"))


async def test_rows_are_inserted_and_updated_and_never_go_back(
    database: Database, memory: MemoryBench
) -> None:
    biggest = 2**63 - 1
    kept = writing(database, memory)
    await kept.note({biggest, 1}, NOON_MS - 1_000)
    await kept.note({1}, NOON_MS)
    await kept.note({1}, NOON_MS - 500)
    assert await _rows(database) == {biggest: NOON.replace(hour=11, minute=59, second=59), 1: NOON}
    assert await kept.read([1, 2, biggest]) == {1: NOON_MS, biggest: NOON_MS - 1_000}


async def test_last_seen_is_never_in_the_future(database: Database, memory: MemoryBench) -> None:
    await writing(database, memory).note({1}, (int(time.time()) + 3_600) * 1_000)
    assert (await _rows(database))[1] <= datetime.now(UTC)


async def test_of_what_is_written_and_what_waits_the_latest_is_read(
    database: Database, graceless: Bench
) -> None:
    went = seen(await go(graceless, 1, 2))
    kept = writing(database, graceless)
    await kept.note({1}, went[1] - 5_000)
    assert await kept.read([1, 2, 3]) == went
    kept.tell([transition(1, went[1] + 1), transition(2, went[2] - 1)])
    assert await kept.read([1, 2, 3]) == {1: went[1] + 1, 2: went[2]}
    await kept.stop()
    assert await kept.read([1, 2]) == {1: went[1] + 1, 2: went[2]}


async def test_lost_connection_costs_nothing(database: Database, database_url: str, graceless: Bench) -> None:
    transitions = await go(graceless, 1)
    with psycopg2.connect(database_url) as other, other.cursor() as cursor:
        cursor.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'test' "
            "AND datname = current_database()"
        )
    other.close()
    kept = writing(database, graceless, 0.01)
    kept.tell(transitions)
    await kept.start()

    async def is_written() -> bool:
        return not await graceless.store.unwritten()

    await eventually(is_written)
    await kept.stop()
    assert await kept.read([1]) == seen(transitions)
    assert list(await _rows(database)) == [1]
