"""Owns the open connections to PostgreSQL: who has one, who waits for one, and which are given up.

aiopg's own pool is not used: it connects under the lock that hands out connections, also while free ones lie
there, and forgets to wake a waiter when the connection that comes back is closed.
"""

from __future__ import annotations

import asyncio
import contextlib
import select
from dataclasses import dataclass
from typing import Any, Final

import aiopg
import psycopg2
from psycopg2.extensions import TRANSACTION_STATUS_IDLE

from messenger_shared.metrics import POOL_USED, POOL_WAIT

_KEEPALIVES: Final[dict[str, int]] = {
    # A silent peer is noticed; by default it never is.
    "keepalives_idle": 10,
    "keepalives_interval": 3,
    "keepalives_count": 3,
    "tcp_user_timeout": 10_000,
}


@dataclass(frozen=True, slots=True)
class Limits:
    """How long things may take; none is unbounded."""

    # To wait for a connection, or to open one.
    connect_s: float = 3.0
    # One statement or transaction with all waiting, as the caller sees it.
    query_s: float = 6.0
    # In the server, which ends what is longer. Below query_s, so that the server goes first.
    statement_s: float = 5.0
    lock_s: float = 3.0
    idle_in_transaction_s: float = 10.0
    # A query whose caller is gone would otherwise run to its end.
    gone_client_s: float = 0.5
    # Of the looks whether a quiet server is still there.
    look_s: float = 1.0

    @property
    def server_options(self) -> str:
        """What the server is told, as libpq's `options`."""
        settings = {
            "statement_timeout": self.statement_s,
            "lock_timeout": self.lock_s,
            "idle_in_transaction_session_timeout": self.idle_in_transaction_s,
            "client_connection_check_interval": self.gone_client_s,
        }
        return " ".join(f"-c {name}={int(value * 1_000)}" for name, value in settings.items())


class Pool:
    """Up to `size` connections, each used by one task at a time, through the one cursor that it has.

    A cursor of aiopg is circular: one for each statement made the collector stop everything for 15 ms at a
    time, to free 4,000 of them.
    """

    def __init__(self, url: str, size: int, application: str, limits: Limits) -> None:
        self._url = url
        self._size = size
        self._limits = limits
        self._options: dict[str, Any] = {
            **_KEEPALIVES,
            "application_name": application,
            "options": limits.server_options,
        }
        self._slots = asyncio.Semaphore(size)
        self._free: list[aiopg.Cursor] = []
        self._used: set[aiopg.Cursor] = set()
        # Of those in use.
        self._ended: set[aiopg.Cursor] = set()
        self._closed = False

    async def open(self) -> None:
        """Opens all connections before there is work; raises psycopg2.OperationalError, TimeoutError."""
        try:
            while len(self._free) < self._size:
                self._free.append(await self._connect())
        except BaseException:
            self.forget()
            raise

    async def acquire(self) -> aiopg.Cursor:
        """The cursor of a connection that nobody else has, until `release`.

        Raises psycopg2.Error, TimeoutError.
        """
        begun = asyncio.get_running_loop().time()
        async with asyncio.timeout(self._limits.connect_s):
            await self._slots.acquire()
            try:
                cursor = self._pop_free() or await self._connect()
            except BaseException:
                self._slots.release()
                raise
        self._used.add(cursor)
        POOL_WAIT.observe(asyncio.get_running_loop().time() - begun)
        POOL_USED.set(len(self._used))
        return cursor

    def release(self, cursor: aiopg.Cursor) -> None:
        """Takes a connection back; what is not idle is not fit for the next one."""
        self._used.discard(cursor)
        POOL_USED.set(len(self._used))
        connection = cursor.connection
        if not connection.closed and connection.raw.get_transaction_status() == TRANSACTION_STATUS_IDLE:
            self._free.append(cursor)
        else:
            self.end(cursor)
        self._ended.discard(cursor)
        # Whatever became of the connection: a waiter may open another one.
        self._slots.release()

    def end(self, cursor: aiopg.Cursor) -> None:
        """Ends a connection in use, once: its descriptor may be another one's by the second time."""
        if cursor not in self._ended:
            self._ended.add(cursor)
            cursor.connection.close()

    def forget(self) -> None:
        """Closes the free connections; the server they lead to may be gone."""
        while self._free:
            self._free.pop().connection.close()

    def prune(self) -> None:
        """Drops free connections that have ended, and ends the waiting on those where nothing more comes."""
        for cursor in [cursor for cursor in self._free if cursor.connection.closed]:
            self._free.remove(cursor)
            cursor.connection.close()
        # uvloop tells of a reset once and never again: what was still to be read then, nobody reads.
        for cursor in [cursor for cursor in self._used if _is_reset(cursor.connection)]:
            self.end(cursor)

    def close(self) -> None:
        """Ends all connections, also those in use, whose users fail."""
        self._closed = True
        self.forget()
        for cursor in self._used:
            self.end(cursor)

    def _pop_free(self) -> aiopg.Cursor | None:
        # The last one first: it is the likeliest to live.
        while self._free:
            cursor = self._free.pop()
            if not cursor.connection.closed:
                return cursor
            cursor.connection.close()
        return None

    async def _connect(self) -> aiopg.Cursor:
        if self._closed:
            raise psycopg2.InterfaceError("the pool is closed")
        # A connection that was refused leaves its descriptor known to uvloop as closed. The next one that
        # gets the same descriptor fails at once, whether the server is back or not, and thereby clears it.
        with contextlib.suppress(RuntimeError):
            return await self._open_one()
        return await self._open_one()

    async def _open_one(self) -> aiopg.Cursor:
        connection = await aiopg.connect(
            self._url,
            timeout=self._limits.query_s,
            enable_json=False,
            enable_hstore=False,
            enable_uuid=False,
            **self._options,
        )
        return await connection.cursor()


def _is_reset(connection: aiopg.Connection) -> bool:
    """Whether the server's end is gone for good, which the kernel knows without being asked for anything."""
    if connection.closed:
        return False
    poll = select.poll()
    poll.register(connection.raw.fileno(), 0)
    return bool(poll.poll(0))
