"""How each SQLSTATE of PostgreSQL is understood: "try later" or our mistake; and what happens to the pool."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable

import psycopg2
import pytest
from psycopg2 import errorcodes

from chat_api.storage.write_check import WRITE_CHECK
from messenger_shared.contract.errors import AppError
from messenger_shared.postgres.database import Database
from messenger_shared.postgres.pool import Limits
from messenger_shared.postgres.sqlstates import FAILURES, Failure, failure_of, failure_of_code
from tests.databases import logged_in
from tests.refusals import MISTAKES, NOT_NOW_CODES
from tests.waiting import eventually, until

BACKENDS = "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'test'"
QUICK = Limits(check_interval_s=0.05, write_check_interval_s=0.1)


def raising(code: str) -> str:
    return f"DO $$ BEGIN RAISE EXCEPTION 'planted' USING ERRCODE = '{code}'; END $$"


async def told(work: Awaitable[object]) -> str:
    """Returns the code of a refusal that says when to try again, "for good" for any other, "" for success."""
    try:
        await work
    except AppError as error:
        return error.kind.code if error.kind.retryable and error.retry_after_ms else "for good"
    return ""


@pytest.mark.parametrize("code", NOT_NOW_CODES)
async def test_not_now_is_unavailable_and_the_next_statement_is_served(database: Database, code: str) -> None:
    assert await told(database.rows(raising(code))) == "unavailable"

    async def work() -> None:
        async with database.transaction() as transaction:
            await transaction.rows(raising(code))

    assert await told(work()) == "unavailable"
    assert await database.rows("SELECT 1") == [(1,)]


@pytest.mark.parametrize("code", MISTAKES)
async def test_a_mistake_of_ours_stays_one(database: Database, code: str) -> None:
    with pytest.raises(psycopg2.Error) as caught:
        await database.rows(raising(code))
    assert caught.value.pgcode == code
    assert await database.rows("SELECT 1") == [(1,)]


def test_every_code_of_the_classes_that_mean_not_now_is_in_the_tests() -> None:
    """Covers all codes that psycopg2 knows, so that a new one has to be classified."""
    known = {value for name, value in vars(errorcodes).items() if name.isupper() and len(str(value)) == 5}
    assert {code for code in known if failure_of_code(code) is not Failure.BUG} <= set(NOT_NOW_CODES)
    assert {code[:2] for code in NOT_NOW_CODES} == {key[:2] for key in FAILURES}


def test_what_has_no_code_was_lost_on_the_way_unless_the_call_was_wrong() -> None:
    assert failure_of(psycopg2.OperationalError("server closed the connection")) is Failure.UNREACHABLE
    assert failure_of(psycopg2.InterfaceError("connection already closed")) is Failure.UNREACHABLE
    assert failure_of(psycopg2.DatabaseError("no message from the libpq")) is Failure.UNREACHABLE
    assert failure_of(TimeoutError()) is Failure.UNREACHABLE
    assert failure_of(psycopg2.ProgrammingError("can't adapt type")) is Failure.BUG
    assert failure_of(KeyError("x")) is Failure.BUG


async def alter(owner_url: str, what: str) -> None:
    """Runs a statement as the server's administrator, whatever the settings forbid."""

    def run() -> None:
        connection = psycopg2.connect(owner_url, options="-c default_transaction_read_only=off")
        connection.autocommit = True
        with connection.cursor() as cursor:
            cursor.execute("SELECT current_database()")
            [[name]] = cursor.fetchall()
            cursor.execute(what.format(database=name))
        connection.close()

    await asyncio.to_thread(run)


READ_ONLY = (
    "ALTER {of} SET default_transaction_read_only = on",
    "ALTER {of} RESET default_transaction_read_only",
)


@pytest.mark.parametrize("of", ["DATABASE {database}", "ROLE messenger_chat IN DATABASE {database}"])
async def test_sessions_that_only_read_are_given_up_once_they_may_write_again(
    database_url: str, chat_database_url: str, of: str
) -> None:
    """The setting affects only new sessions. The pool must close the old ones, or they
    would stay read-only.
    """
    on, off = (text.replace("{of}", of) for text in READ_ONLY)
    database = Database(chat_database_url, 3, "under test", QUICK, write_check=WRITE_CHECK)
    await alter(database_url, on)
    await database.start()
    try:
        assert not database.ready
        assert await told(database.rows(WRITE_CHECK)) == "unavailable"
        assert await database.rows("SELECT 1") == [(1,)]
        await alter(database_url, off)
        await until(lambda: database.ready)
        # On every connection of the pool.
        assert await asyncio.gather(*(told(database.rows(WRITE_CHECK)) for _ in range(9))) == [""] * 9
        async with database.transaction(), database.transaction(), database.transaction() as last:
            await last.rows(WRITE_CHECK)
    finally:
        await database.stop()


async def test_a_session_that_only_reads_goes_without_a_proof_too(
    database_url: str, chat_database_url: str
) -> None:
    """As in presence, which has no write check."""
    on, off = (text.replace("{of}", "DATABASE {database}") for text in READ_ONLY)
    await alter(database_url, on)
    async with logged_in(chat_database_url, 1) as database:
        assert await told(database.rows(WRITE_CHECK)) == "unavailable"
        assert database.ready
        await alter(database_url, off)

        async def writes() -> bool:
            return await told(database.rows(WRITE_CHECK)) == ""

        await eventually(writes)


async def test_without_the_right_to_write_nothing_is_proved(
    database_url: str, chat_database_url: str
) -> None:
    database = Database(chat_database_url, 1, "under test", QUICK, write_check=WRITE_CHECK)
    await database.start()
    try:
        await until(lambda: database.ready)
        await alter(database_url, "REVOKE UPDATE (last_pos) ON messenger.conversations FROM messenger_chat")
        await until(lambda: not database.ready)
        await alter(database_url, "GRANT UPDATE (last_pos) ON messenger.conversations TO messenger_chat")
        await until(lambda: database.ready)
    finally:
        await database.stop()


async def test_what_lacks_disk_is_not_ready_for_a_while_though_a_small_write_goes_through(
    chat_database_url: str,
) -> None:
    database = Database(chat_database_url, 1, "under test", QUICK, write_check=WRITE_CHECK)
    await database.start()
    try:
        assert database.ready
        assert await told(database.rows(raising("53100"))) == "unavailable"
        await database.rows(WRITE_CHECK)
        await database._check_server()
        assert not database.ready
        await until(lambda: database.ready)
    finally:
        await database.stop()


async def test_a_refused_statement_costs_no_connection(database: Database) -> None:
    async def backends() -> set[int]:
        return {row[0] for row in await database.rows(BACKENDS)}

    before = await backends()
    for code in ("40001", "40P01", "53200", "55P03"):
        await told(database.rows(raising(code)))
    assert await backends() == before
