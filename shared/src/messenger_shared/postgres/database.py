"""Runs SQL statements and transactions with deadlines, and maps failures to AppError."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Sequence
from typing import Any, Final

import aiopg
import psycopg2

from messenger_shared.contract import errors
from messenger_shared.contract.errors import AppError
from messenger_shared.postgres.health import Health
from messenger_shared.postgres.pool import Limits, Pool
from messenger_shared.postgres.sqlstates import Failure, failure_of
from messenger_shared.settings.common import DATABASE_URL
from messenger_shared.settings.environment import SettingsError

log = logging.getLogger(__name__)

START_TIMEOUT_S: Final = 15.0
START_RETRY_S: Final = 0.2
RETRY_AFTER_MS: Final = 500

Row = tuple[Any, ...]
Parameters = Sequence[Any] | dict[str, Any]


class Transaction:
    """An open transaction."""

    def __init__(self, cursor: aiopg.Cursor) -> None:
        self._cursor = cursor

    async def rows(self, sql: str, parameters: Parameters = ()) -> list[Row]:
        """Runs one or more statements and returns the rows of the last one."""
        await self._cursor.execute(sql, parameters)
        found: list[Row] = await self._cursor.fetchall() if self._cursor.description else []
        return found


class Database:
    """A pool of autocommit connections to one database.

    A service that must be able to write gives a `write_check`: a statement that succeeds only if writes do.
    """

    def __init__(
        self, url: str, size: int, application: str, limits: Limits | None = None, *, write_check: str = ""
    ) -> None:
        self._limits = limits or Limits()
        self._pool = Pool(url, size, application, self._limits)
        self._health = Health(needs_writes=bool(write_check))
        self._write_check = write_check
        self._renewed_at = 0.0
        self._monitor_task: asyncio.Task[None] | None = None

    @property
    def ready(self) -> bool:
        """Whether the server answered the last statement; it is asked at least every second or so.

        With a `write_check`, also whether the server takes writes.
        """
        return self._health.is_healthy

    async def start(self) -> None:
        """Opens all connections; retries for START_TIMEOUT_S, because the server may still be starting.

        Raises SettingsError with the reason after that time.
        """
        last_error = "no answer"
        try:
            async with asyncio.timeout(START_TIMEOUT_S):
                while not self._health.is_answering:
                    try:
                        await self._pool.open()
                        self._health.record_answer()
                    except (psycopg2.OperationalError, TimeoutError) as error:
                        last_error = _reason(error)
                        log.warning("postgresql is unavailable: %s", last_error)
                        await asyncio.sleep(START_RETRY_S)
        except TimeoutError:
            raise SettingsError(f"{DATABASE_URL.name}: {last_error}") from None
        await self._check_server()
        self._monitor_task = asyncio.create_task(self._monitor(), name="postgresql")

    async def stop(self) -> None:
        """Closes all connections, also those in use."""
        if self._monitor_task is not None:
            self._monitor_task.cancel()
            await asyncio.gather(self._monitor_task, return_exceptions=True)
        self._pool.close()

    async def rows(self, sql: str, parameters: Parameters = (), *, user_id: int | None = None) -> list[Row]:
        """Runs one statement as one transaction, on behalf of `user_id`, and returns its rows.

        Raises AppError(unavailable) when PostgreSQL can't run it now (see `sqlstates`); if the server was
        away or too slow, the statement may still have been committed. Other psycopg2 errors pass through.
        """
        async with self._cursor() as cursor:
            # Two statements in one simple query are one transaction, so setting the user costs no round trip.
            return await Transaction(cursor).rows(_set_user_sql(user_id) + sql, parameters)

    @contextlib.asynccontextmanager
    async def transaction(
        self, *, user_id: int | None = None, begin: str = "BEGIN"
    ) -> AsyncIterator[Transaction]:
        """Commits the block's statements together; rolls them all back if the block raises.

        Raises like `rows`. If the block raises anything but an AppError, its connection is closed.
        """
        async with self._cursor() as cursor:
            await cursor.execute(f"{begin};" + _set_user_sql(user_id))
            try:
                yield Transaction(cursor)
            except AppError:
                # A failed ROLLBACK must not hide the AppError. `release` closes a connection that isn't idle.
                with contextlib.suppress(psycopg2.Error):
                    await cursor.execute("ROLLBACK")
                raise
            await cursor.execute("COMMIT")

    def snapshot(self, *, user_id: int | None = None) -> contextlib.AbstractAsyncContextManager[Transaction]:
        """A read-only transaction whose statements all see the same snapshot. Raises like `rows`."""
        return self.transaction(user_id=user_id, begin="BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")

    @contextlib.asynccontextmanager
    async def _cursor(self) -> AsyncIterator[aiopg.Cursor]:
        """Lends a connection's cursor. Closes the connection after an error that may have broken it."""
        async with self._guarded():
            cursor = await self._pool.acquire()
            before = _cancellations()
            try:
                yield cursor
            except BaseException as error:
                if not _is_still_usable(error, is_cancelled=_cancellations() > before):
                    self._pool.close_used(cursor)
                raise
            finally:
                self._pool.release(cursor)

    @contextlib.asynccontextmanager
    async def _guarded(self) -> AsyncIterator[None]:
        """Sets a deadline for the block and maps its failures to AppError."""
        before = _cancellations()
        try:
            async with asyncio.timeout(self._limits.query_s):
                yield
            self._health.record_answer()
        except (psycopg2.Error, TimeoutError) as error:
            if _cancellations() > before:
                # The task was cancelled while aiopg handled the failure. The failure must not replace that.
                raise asyncio.CancelledError from error
            if (failure := failure_of(error)) is Failure.BUG:
                raise
            self._record_failure(failure, error)
            raise AppError(errors.UNAVAILABLE, retry_after_ms=RETRY_AFTER_MS) from error
        except asyncio.CancelledError:
            if _cancellations() > before:
                raise
            # Nobody cancelled this task: aiopg raises this when the server ends a statement for its timeout.
            log.warning("postgresql cancelled a statement after %s s", self._limits.statement_s)
            raise AppError(errors.UNAVAILABLE, retry_after_ms=RETRY_AFTER_MS) from None
        if _cancellations() > before:
            # aiopg uses wait_for, which before Python 3.12 swallows a cancellation that arrives together
            # with the answer: a cancelled task would go on.
            raise asyncio.CancelledError

    async def _monitor(self) -> None:
        """Checks the server about every second, so that `ready` is right also without any traffic."""
        while True:
            await asyncio.sleep(self._limits.check_interval_s)
            self._pool.prune()
            await self._check_server()

    async def _check_server(self) -> None:
        """Sends a statement if the server was quiet lately. Runs the `write_check` when it is due."""
        now, health = asyncio.get_running_loop().time(), self._health
        if self._write_check and (
            not health.is_healthy or now - health.writes_checked_at >= self._limits.write_check_interval_s
        ):
            await self._check_writes()
        elif not health.is_answering or now - health.answered_at >= self._limits.check_interval_s:
            with contextlib.suppress(AppError):
                await self.rows("SELECT 1")

    async def _check_writes(self) -> None:
        try:
            await self.rows(self._write_check)
        except AppError:
            return  # `_guarded` has recorded and logged the failure.
        except psycopg2.Error as error:
            self._health.record_write_check_failed(_reason(error))
            return
        if self._health.record_write_check_passed():
            # Sessions that were opened in the meantime may stay read-only until they end.
            self._renew()

    def _record_failure(self, failure: Failure, error: Exception) -> None:
        self._health.record_failure(failure, _reason(error))
        if failure is Failure.UNREACHABLE:
            # The free connections lead to a server that is gone; new ones look for a server again.
            self._pool.close_free()
        elif failure is Failure.READ_ONLY and self._may_renew():
            # Another server, or a new session at this one, may take writes.
            self._renew()

    def _may_renew(self) -> bool:
        """Whether `check_interval_s` has passed since the last renewal: renewals cost many logins."""
        return asyncio.get_running_loop().time() - self._renewed_at >= self._limits.check_interval_s

    def _renew(self) -> None:
        self._renewed_at = asyncio.get_running_loop().time()
        self._pool.renew()


def _cancellations() -> int:
    """How many cancellations of the current task are pending."""
    task = asyncio.current_task()
    return task.cancelling() if task is not None else 0


def _set_user_sql(user_id: int | None) -> str:
    """The SQL that tells row-level security on behalf of which user the transaction runs."""
    return "" if user_id is None else f"SELECT set_config('app.user_id', '{int(user_id)}', true);"


def _is_still_usable(error: BaseException, *, is_cancelled: bool) -> bool:
    """Whether the connection can be used again: only the statement failed, or the service refused it."""
    if isinstance(error, AppError):
        return True
    if isinstance(error, asyncio.CancelledError):
        # Without a cancellation of this task, the server has only ended the statement for its timeout.
        return not is_cancelled
    return isinstance(error, psycopg2.Error) and failure_of(error) is not Failure.UNREACHABLE


def _reason(error: Exception) -> str:
    """The first line of libpq's error text."""
    return str(error).strip().partition("\n")[0] or "timeout"
