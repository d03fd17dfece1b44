"""Access to a healthy PostgreSQL: callers that give up, slow statements, connections that end."""

from __future__ import annotations

import asyncio
import gc
import random
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import psycopg2.errors
import pytest

from messenger_shared.contract import errors
from messenger_shared.contract.errors import AppError
from messenger_shared.postgres.database import Database
from messenger_shared.postgres.pool import Limits
from tests.waiting import LIMIT_S, eventually

TASKS = 1_000
# Practically unlimited: what hangs must really hang.
UNLIMITED = Limits(connect_s=60, query_s=60, statement_s=60, check_interval_s=60)
Opened = Callable[..., Awaitable[Database]]


@pytest.fixture
async def opened(database_url: str) -> AsyncIterator[Opened]:
    """Opens databases with given limits, and closes them."""
    databases: list[Database] = []

    async def open_(limits: Limits, size: int = 1, application: str = "under test") -> Database:
        database = Database(database_url, size, application, limits)
        databases.append(database)
        await database.start()
        return database

    yield open_
    for database in databases:
        await database.stop()


async def fail(work: Awaitable[Any]) -> AppError:
    with pytest.raises(AppError) as caught:
        await work
    return caught.value


async def terminate(watcher: Database, application: str = "under test") -> None:
    """Ends the connections of `application` from the server's side."""
    await watcher.rows(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
        "WHERE datname = current_database() AND application_name = %s",
        (application,),
    )


def connections(watcher: Database, state: str) -> Callable[[], Awaitable[int]]:
    """Counts the connections of the database under test that are in `state`."""

    async def count() -> int:
        [[found]] = await watcher.rows(
            "SELECT count(*) FROM pg_stat_activity "
            "WHERE datname = current_database() AND application_name = 'under test' AND state = %s",
            (state,),
        )
        return int(found)

    return count


@pytest.mark.parametrize("size", [1, 2])
async def test_no_wake_up_is_lost_in_a_storm_of_cancellations(opened: Opened, size: int) -> None:
    database = await opened(UNLIMITED, size)
    chance = random.Random(size)
    tasks = [asyncio.create_task(database.rows("SELECT 1")) for _ in range(TASKS)]
    for task in chance.sample(tasks, TASKS - 100):
        for _ in range(chance.randrange(3)):
            await asyncio.sleep(0)
        task.cancel()
    async with asyncio.timeout(LIMIT_S):
        results = await asyncio.gather(*tasks, return_exceptions=True)
    assert sum(result == [(1,)] for result in results) >= 100
    assert all(isinstance(result, asyncio.CancelledError) for result in results if result != [(1,)])
    # Every slot came back.
    await asyncio.wait_for(asyncio.gather(*(database.rows("SELECT 1") for _ in range(size * 2))), LIMIT_S)


async def test_a_connection_that_was_ended_makes_room_for_who_waits(opened: Opened) -> None:
    database, watcher = await opened(UNLIMITED), await opened(UNLIMITED, application="watcher")
    slow = asyncio.create_task(database.rows("SELECT pg_sleep(60)"))
    await eventually(connections(watcher, "active"))
    waiting = asyncio.create_task(database.rows("SELECT 1"))
    await terminate(watcher)
    assert (await fail(slow)).kind.code == "unavailable"
    assert await asyncio.wait_for(waiting, LIMIT_S) == [(1,)]


async def test_a_free_connection_is_handed_out_while_another_is_opened(
    opened: Opened, monkeypatch: pytest.MonkeyPatch
) -> None:
    database = await opened(UNLIMITED, 2)
    never = asyncio.Event()

    async def connect() -> Any:
        await never.wait()

    monkeypatch.setattr(database._pool, "_connect", connect)
    database._pool._free[-1].connection.close()
    async with database.transaction():
        opening = asyncio.create_task(database.rows("SELECT 1"))
        waiting = asyncio.create_task(database.rows("SELECT 2"))
        await asyncio.sleep(0)
    assert await asyncio.wait_for(waiting, LIMIT_S) == [(2,)]
    opening.cancel()
    await asyncio.gather(opening, return_exceptions=True)


async def test_a_statement_that_the_server_ends_is_unavailable_and_no_cancellation(opened: Opened) -> None:
    database = await opened(Limits(statement_s=0.1))
    session = await database.rows("SELECT pg_backend_pid()")
    error = await fail(database.rows("SELECT pg_sleep(60)", user_id=1))
    assert (error.kind.code, error.kind.retryable) == ("unavailable", True)
    assert database.ready
    # The connection is as good as before; another one would cost a login.
    assert await database.rows("SELECT pg_backend_pid()") == session


async def test_so_it_is_inside_a_transaction_and_nothing_hides_it(opened: Opened) -> None:
    database = await opened(Limits(statement_s=0.1))

    async def work() -> None:
        async with database.transaction() as transaction:
            await transaction.rows("SELECT pg_sleep(60)")

    assert (await fail(work())).kind.code == "unavailable"
    assert await database.rows("SELECT 1") == [(1,)]


async def test_waiting_for_a_lock_has_a_bound(opened: Opened) -> None:
    database = await opened(Limits(lock_s=0.1), 2)
    async with database.transaction() as transaction:
        await transaction.rows("SELECT pg_advisory_xact_lock(1)")
        error = await fail(database.rows("SELECT pg_advisory_xact_lock(1)"))
    assert error.kind.code == "unavailable"
    assert database.ready


async def test_waiting_for_a_connection_has_a_bound(opened: Opened) -> None:
    database = await opened(Limits(connect_s=0.1))
    async with database.transaction():
        assert (await fail(database.rows("SELECT 1"))).kind.code == "unavailable"
    assert await database.rows("SELECT 1") == [(1,)]


async def test_the_deadline_of_a_query_holds_without_the_servers_help(opened: Opened) -> None:
    database = await opened(Limits(query_s=0.2))
    async with asyncio.timeout(LIMIT_S):
        assert (await fail(database.rows("SELECT pg_sleep(60)"))).kind.code == "unavailable"


async def test_a_cancelled_query_soon_ends_in_the_server(opened: Opened) -> None:
    database, watcher = await opened(Limits()), await opened(Limits(), application="watcher")
    task = asyncio.create_task(database.rows("SELECT pg_sleep(60)"))
    active = connections(watcher, "active")
    await eventually(active)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task

    async def none_active() -> bool:
        return await active() == 0

    await eventually(none_active, 2)


async def test_a_rollback_that_fails_does_not_hide_the_reason(opened: Opened) -> None:
    database, watcher = await opened(Limits()), await opened(Limits(), application="watcher")

    async def work() -> None:
        async with database.transaction():
            await terminate(watcher)
            raise AppError(errors.NOT_FOUND)

    assert (await fail(work())).kind.code == "not_found"
    assert await database.rows("SELECT 1") == [(1,)]


async def test_what_fails_in_a_transaction_leaves_nothing(opened: Opened) -> None:
    database = await opened(Limits())

    async def work() -> None:
        async with database.transaction() as transaction:
            await transaction.rows("CREATE TABLE public.left_behind (x int)")
            raise KeyError

    with pytest.raises(KeyError):
        await work()
    with pytest.raises(psycopg2.errors.UndefinedTable):
        await database.rows("SELECT FROM public.left_behind")


async def test_statements_leave_nothing_to_the_collector(opened: Opened) -> None:
    database = await opened(Limits())
    await database.rows("SELECT 1")
    gc.collect()
    gc.disable()
    try:
        for _ in range(50):
            await database.rows("SELECT 1")
            async with database.transaction() as transaction:
                await transaction.rows("SELECT 1")
        assert gc.collect() < 50
    finally:
        gc.enable()


ACTING = "SELECT current_setting('app.user_id', true)"


async def test_no_user_is_left_for_the_next_one(opened: Opened) -> None:
    database = await opened(Limits())
    assert await database.rows(ACTING) == [(None,)]
    assert await database.rows(ACTING, user_id=7) == [("7",)]
    assert await database.rows(ACTING) == [("",)]
    async with database.transaction(user_id=8) as transaction:
        assert await transaction.rows(ACTING) == [("8",)]
    assert await database.rows(ACTING) == [("",)]
    with pytest.raises(psycopg2.errors.DivisionByZero):
        await database.rows("SELECT 1 / 0", user_id=9)
    assert await database.rows(ACTING) == [("",)]
    with pytest.raises(AppError):
        async with database.transaction(user_id=10):
            raise AppError(errors.NOT_FOUND)
    assert await database.rows(ACTING) == [("",)]


async def test_a_stopped_database_is_unavailable(opened: Opened) -> None:
    database = await opened(Limits())
    await database.stop()
    assert (await fail(database.rows("SELECT 1"))).kind.code == "unavailable"


async def test_who_is_called_off_while_a_failure_is_handled_is_called_off() -> None:
    database = Database("postgresql://nobody@127.0.0.1/none", 1, "test")

    async def work() -> None:
        async with database._guarded():
            task = asyncio.current_task()
            assert task is not None
            task.cancel()
            raise psycopg2.OperationalError("gone")

    working = asyncio.create_task(work())
    await asyncio.wait([working])
    assert working.cancelled()
