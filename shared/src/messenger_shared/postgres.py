"""Owns the way to PostgreSQL: statements and transactions with deadlines, whose failures are AppErrors."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Sequence
from typing import Any, Final

import aiopg
import psycopg2

from messenger_shared import errors
from messenger_shared.common_settings import DATABASE_URL
from messenger_shared.errors import AppError
from messenger_shared.postgres_pool import Limits, Pool
from messenger_shared.settings import SettingsError

log = logging.getLogger(__name__)

START_TIMEOUT_S: Final = 15.0
START_RETRY_S: Final = 0.2
RETRY_AFTER_MS: Final = 500

Row = tuple[Any, ...]
Parameters = Sequence[Any] | dict[str, Any]


class Transaction:
    """A transaction under way."""

    def __init__(self, cursor: aiopg.Cursor) -> None:
        self._cursor = cursor

    async def rows(self, sql: str, parameters: Parameters = ()) -> list[Row]:
        """Runs statements and returns the rows of the last one."""
        await self._cursor.execute(sql, parameters)
        found: list[Row] = await self._cursor.fetchall() if self._cursor.description else []
        return found


class Database:
    """A few autocommit connections to one database."""

    def __init__(self, url: str, size: int, application: str, limits: Limits | None = None) -> None:
        self._limits = limits or Limits()
        self._pool = Pool(url, size, application, self._limits)
        self._healthy = False
        self._answered = 0.0
        self._looker: asyncio.Task[None] | None = None

    @property
    def ready(self) -> bool:
        """Whether the server answered when it was last asked, which is about every second."""
        return self._healthy

    async def start(self) -> None:
        """Opens every connection; waits a while for a server that is only just starting.

        Raises SettingsError with the reason when that is too long.
        """
        trouble = "no answer"
        try:
            async with asyncio.timeout(START_TIMEOUT_S):
                while not self._healthy:
                    try:
                        await self._pool.open()
                        self._heard()
                    except (psycopg2.OperationalError, TimeoutError) as error:
                        trouble = _reason(error)
                        log.warning("postgresql is away: %s", trouble)
                        await asyncio.sleep(START_RETRY_S)
        except TimeoutError:
            raise SettingsError(f"{DATABASE_URL.name}: {trouble}") from None
        self._looker = asyncio.create_task(self._look_for_ever(), name="postgresql")

    async def stop(self) -> None:
        """Closes the connections, also those that are in use."""
        if self._looker is not None:
            self._looker.cancel()
            await asyncio.gather(self._looker, return_exceptions=True)
        self._pool.close()

    async def rows(self, sql: str, parameters: Parameters = (), *, user_id: int | None = None) -> list[Row]:
        """Runs one statement (one transaction) and returns its rows; row-level security sees `user_id`.

        Raises AppError(unavailable) when PostgreSQL is away or too slow; then the statement may have been
        committed or not. psycopg2's other errors pass.
        """
        async with self._cursor() as cursor:
            # Two statements in one simple query: one transaction, and no round trip for the setting.
            return await Transaction(cursor).rows(_acting(user_id) + sql, parameters)

    @contextlib.asynccontextmanager
    async def transaction(
        self, *, user_id: int | None = None, begin: str = "BEGIN"
    ) -> AsyncIterator[Transaction]:
        """Several statements that are committed together, or not at all when the block raises.

        Raises like `rows`. The connection of a block that failed by anything but an AppError is given up.
        """
        async with self._cursor() as cursor:
            await cursor.execute(f"{begin};" + _acting(user_id))
            try:
                yield Transaction(cursor)
            except AppError:
                # Its failure must not hide the reason; a connection that is not idle after this is closed.
                with contextlib.suppress(psycopg2.Error):
                    await cursor.execute("ROLLBACK")
                raise
            await cursor.execute("COMMIT")

    def snapshot(self, *, user_id: int | None = None) -> contextlib.AbstractAsyncContextManager[Transaction]:
        """Several statements that all see the same moment, and change nothing. Raises like `rows`."""
        return self.transaction(user_id=user_id, begin="BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")

    @contextlib.asynccontextmanager
    async def _cursor(self) -> AsyncIterator[aiopg.Cursor]:
        """A cursor on a connection of one's own; whatever leaves the connection in doubt ends it."""
        async with self._guarded():
            cursor = await self._pool.acquire()
            try:
                yield cursor
            except BaseException as error:
                if not _leaves_it_usable(error):
                    self._pool.end(cursor)
                raise
            finally:
                self._pool.release(cursor)

    @contextlib.asynccontextmanager
    async def _guarded(self) -> AsyncIterator[None]:
        """Puts a deadline on the block and makes its failures AppErrors."""
        before = _cancellations()
        try:
            async with asyncio.timeout(self._limits.query_s):
                yield
            self._heard()
        except (psycopg2.OperationalError, psycopg2.InterfaceError, TimeoutError) as error:
            if _cancellations() > before:
                # While aiopg made something of the failure, which must not swallow it.
                raise asyncio.CancelledError from error
            self._missed(error)
            raise AppError(errors.UNAVAILABLE, retry_after_ms=RETRY_AFTER_MS) from error
        except asyncio.CancelledError:
            if _cancellations() > before:
                raise
            # Nobody cancelled: so aiopg puts it that the server ended a statement that took too long.
            log.warning("postgresql ended a statement after %s s", self._limits.statement_s)
            raise AppError(errors.UNAVAILABLE, retry_after_ms=RETRY_AFTER_MS) from None
        if _cancellations() > before:
            # aiopg waits by wait_for, which before Python 3.12 swallows one that comes with the answer: a
            # task that is to end would go on.
            raise asyncio.CancelledError

    async def _look_for_ever(self) -> None:
        """Asks a server that was not heard of lately, so that its going and coming is known without work."""
        loop = asyncio.get_running_loop()
        while True:
            await asyncio.sleep(self._limits.look_s)
            self._pool.prune()
            if not self._healthy or loop.time() - self._answered >= self._limits.look_s:
                with contextlib.suppress(AppError):
                    await self.rows("SELECT 1")

    def _heard(self) -> None:
        if not self._healthy:
            log.info("postgresql answers")
        self._healthy = True
        self._answered = asyncio.get_running_loop().time()

    def _missed(self, error: Exception) -> None:
        if not _is_away(error):
            log.warning("postgresql refused a statement: %s", _reason(error))
            return
        if self._healthy:
            log.warning("postgresql failed: %s", _reason(error))
        self._healthy = False
        # They lead to where nobody answers; what is opened anew finds out by itself who is there.
        self._pool.forget()


def _cancellations() -> int:
    """How many times somebody asked the current task to end."""
    task = asyncio.current_task()
    return task.cancelling() if task is not None else 0


def _acting(user_id: int | None) -> str:
    """What tells row-level security for whom the rest of the transaction runs."""
    return "" if user_id is None else f"SELECT set_config('app.user_id', '{int(user_id)}', true);"


def _leaves_it_usable(error: BaseException) -> bool:
    """Whether only the statement failed, or only a rule spoke, and the connection itself is sound."""
    if isinstance(error, AppError):
        return True
    lost = (psycopg2.OperationalError, psycopg2.InterfaceError)
    return isinstance(error, psycopg2.Error) and not isinstance(error, lost)


def _is_away(error: Exception) -> bool:
    """Whether the server didn't answer, or is about to go; else it merely gave up a statement."""
    code = error.pgcode if isinstance(error, psycopg2.Error) else None
    # 08: connection, 53: out of something, 57P: shutting down, starting up.
    return code is None or code.startswith(("08", "53", "57P"))


def _reason(error: Exception) -> str:
    """The first line of what libpq says."""
    return str(error).strip().partition("\n")[0] or "timeout"
