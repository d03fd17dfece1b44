"""Owns the way to PostgreSQL: one pool with deadlines, whose failures are AppErrors.

It carries workarounds for aiopg 1.4: a wake-up that is lost when a closed connection is released, and a
statement timeout that aiopg turns into a cancellation nobody asked for.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Sequence
from typing import Any, Final

import aiopg
import psycopg2

from messenger_shared import errors
from messenger_shared.errors import AppError

log = logging.getLogger(__name__)

ACQUIRE_TIMEOUT_S: Final = 3.0
QUERY_TIMEOUT_S: Final = 6.0
START_TIMEOUT_S: Final = 15.0
START_RETRY_S: Final = 0.2
STOP_TIMEOUT_S: Final = 3.0
_SERVER_OPTIONS: Final = " ".join(
    (
        "-c statement_timeout=5000",
        "-c lock_timeout=3000",
        "-c idle_in_transaction_session_timeout=10000",
        # A query whose caller is gone would otherwise run to its end.
        "-c client_connection_check_interval=500",
    )
)

Row = tuple[Any, ...]


class _WakingPool(aiopg.Pool):
    """aiopg forgets to wake a waiter when the released connection is closed; this always wakes one."""

    def release(self, conn: aiopg.Connection) -> Any:
        done = super().release(conn)
        waker = asyncio.ensure_future(self._wake_one())
        waker.add_done_callback(lambda task: task.cancelled() or task.exception())
        return done

    async def _wake_one(self) -> None:
        async with self._cond:
            self._cond.notify()


class Transaction:
    """A transaction under way."""

    def __init__(self, cursor: aiopg.Cursor) -> None:
        self._cursor = cursor

    async def rows(self, sql: str, parameters: Sequence[Any] | dict[str, Any] = ()) -> list[Row]:
        """Runs statements and returns the rows of the last one."""
        await self._cursor.execute(sql, parameters)
        found: list[Row] = await self._cursor.fetchall() if self._cursor.description else []
        return found


class Database:
    """A pool of autocommit connections to one database."""

    def __init__(self, url: str, size: int, application: str) -> None:
        self._url = url
        self._size = size
        self._application = application
        self._pool: _WakingPool | None = None
        self._healthy = True

    @property
    def ready(self) -> bool:
        """Whether the last statement that had to do with the connection itself went well."""
        return self._pool is not None and self._healthy

    async def start(self) -> None:
        """Opens every connection; waits a while for a server that is only just starting."""
        async with asyncio.timeout(START_TIMEOUT_S):
            while self._pool is None:
                try:
                    self._pool = await self._connect()
                except psycopg2.OperationalError as error:
                    log.warning("postgresql is away: %s", str(error).strip().partition("\n")[0])
                    await asyncio.sleep(START_RETRY_S)

    async def stop(self) -> None:
        """Closes the connections, also those that are in use."""
        if self._pool is not None:
            self._pool.terminate()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(STOP_TIMEOUT_S):
                    await self._pool.wait_closed()

    async def rows(
        self, sql: str, parameters: Sequence[Any] | dict[str, Any] = (), *, user_id: int | None = None
    ) -> list[Row]:
        """Runs one statement (one transaction) and returns its rows; row-level security sees `user_id`.

        Raises AppError(unavailable) when PostgreSQL is away or too slow; then the statement may have been
        committed or not. psycopg2's other errors pass.
        """
        async with self._guarded():
            # Two statements in one simple query: one transaction, and no round trip for the setting.
            return await self._run(_acting(user_id) + sql, parameters)

    @contextlib.asynccontextmanager
    async def transaction(self, *, user_id: int | None = None) -> AsyncIterator[Transaction]:
        """Several statements that are committed together, or not at all when the block raises.

        Raises like `rows`. The connection of a block that failed by anything but an AppError is given up.
        """
        async with self._guarded():
            assert self._pool is not None, "start() first"
            connection = await self._pool._acquire()
            try:
                cursor = await connection.cursor()
                await cursor.execute("BEGIN;" + _acting(user_id))
                try:
                    yield Transaction(cursor)
                except AppError:
                    await cursor.execute("ROLLBACK")
                    raise
                await cursor.execute("COMMIT")
                cursor.close()
            except BaseException as error:
                if not isinstance(error, AppError):
                    connection.close()
                raise
            finally:
                await asyncio.shield(self._pool.release(connection))

    @contextlib.asynccontextmanager
    async def _guarded(self) -> AsyncIterator[None]:
        """Puts a deadline on the block and makes its failures AppErrors."""
        try:
            async with asyncio.timeout(QUERY_TIMEOUT_S):
                yield
            self._healthy = True
        except (psycopg2.OperationalError, psycopg2.InterfaceError, TimeoutError) as error:
            self._healthy = False
            log.warning("postgresql failed: %s", str(error).strip().partition("\n")[0] or "timeout")
            raise AppError(errors.UNAVAILABLE, retry_after_ms=500) from error
        except asyncio.CancelledError:
            task = asyncio.current_task()
            if task is not None and task.cancelling():
                raise
            raise AppError(errors.UNAVAILABLE, retry_after_ms=500) from None

    async def _run(self, sql: str, parameters: Sequence[Any] | dict[str, Any]) -> list[Row]:
        assert self._pool is not None, "start() first"
        connection = await self._pool._acquire()
        try:
            cursor = await connection.cursor()
            try:
                await cursor.execute(sql, parameters)
                found: list[Row] = await cursor.fetchall() if cursor.description else []
                return found
            finally:
                cursor.close()
        except BaseException as error:
            # Whatever went wrong other than the statement itself leaves the connection in doubt.
            if not isinstance(error, psycopg2.Error) or isinstance(error, psycopg2.OperationalError):
                connection.close()
            raise
        finally:
            await asyncio.shield(self._pool.release(connection))

    async def _connect(self) -> _WakingPool:
        pool = await _WakingPool.from_pool_fill(
            self._url,
            self._size,
            self._size,
            ACQUIRE_TIMEOUT_S,
            enable_json=False,
            enable_hstore=False,
            enable_uuid=False,
            echo=False,
            on_connect=None,
            pool_recycle=-1,
            application_name=self._application,
            connect_timeout=3,
            options=_SERVER_OPTIONS,
            keepalives_idle=10,
            keepalives_interval=3,
            keepalives_count=3,
            tcp_user_timeout=10_000,
        )
        assert isinstance(pool, _WakingPool)
        return pool


def _acting(user_id: int | None) -> str:
    """What tells row-level security for whom the rest of the transaction runs."""
    return "" if user_id is None else f"SELECT set_config('app.user_id', '{int(user_id)}', true);"
