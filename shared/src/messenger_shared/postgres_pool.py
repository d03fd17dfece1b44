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
    """Up to `size` connections, each used by one task at a time."""

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
        self._free: list[aiopg.Connection] = []
        self._used: set[aiopg.Connection] = set()
        # One each, for as long as it is open: aiopg's are circular, and freeing 4,000 of them took the
        # collector 15 ms, in which nothing else was done.
        self._cursors: dict[aiopg.Connection, aiopg.Cursor] = {}
        # Of those in use.
        self._ended: set[aiopg.Connection] = set()
        self._closed = False

    async def open(self) -> None:
        """Opens all connections before there is work; raises psycopg2.OperationalError, TimeoutError."""
        try:
            while len(self._free) < self._size:
                self._free.append(await self._connect())
        except BaseException:
            self.forget()
            raise

    async def acquire(self) -> aiopg.Connection:
        """A connection that nobody else has, until `release`; raises psycopg2.Error, TimeoutError."""
        begun = asyncio.get_running_loop().time()
        async with asyncio.timeout(self._limits.connect_s):
            await self._slots.acquire()
            try:
                connection = self._pop_free() or await self._connect()
            except BaseException:
                self._slots.release()
                raise
        self._used.add(connection)
        POOL_WAIT.observe(asyncio.get_running_loop().time() - begun)
        POOL_USED.set(len(self._used))
        return connection

    def cursor(self, connection: aiopg.Connection) -> aiopg.Cursor:
        """What runs statements on a connection in use."""
        return self._cursors[connection]

    def release(self, connection: aiopg.Connection) -> None:
        """Takes a connection back; what is not idle is not fit for the next one."""
        self._used.discard(connection)
        POOL_USED.set(len(self._used))
        if not connection.closed and connection.raw.get_transaction_status() == TRANSACTION_STATUS_IDLE:
            self._free.append(connection)
        else:
            self.end(connection)
        self._ended.discard(connection)
        # Whatever became of the connection: a waiter may open another one.
        self._slots.release()

    def end(self, connection: aiopg.Connection) -> None:
        """Ends a connection in use, once: its descriptor may be another one's by the second time."""
        if connection not in self._ended:
            self._ended.add(connection)
            self._close(connection)

    def forget(self) -> None:
        """Closes the free connections; the server they lead to may be gone."""
        while self._free:
            self._close(self._free.pop())

    def prune(self) -> None:
        """Drops free connections that have ended, and ends the waiting on those where nothing more comes."""
        for connection in [connection for connection in self._free if connection.closed]:
            self._free.remove(connection)
            self._close(connection)
        # uvloop tells of a reset once and never again: what was still to be read then, nobody reads.
        for connection in [connection for connection in self._used if _is_reset(connection)]:
            self.end(connection)

    def close(self) -> None:
        """Ends all connections, also those in use, whose users fail."""
        self._closed = True
        self.forget()
        for connection in self._used:
            self.end(connection)

    def _pop_free(self) -> aiopg.Connection | None:
        # The last one first: it is the likeliest to live.
        while self._free:
            connection = self._free.pop()
            if not connection.closed:
                return connection
            self._close(connection)
        return None

    def _close(self, connection: aiopg.Connection) -> None:
        self._cursors.pop(connection, None)
        connection.close()

    async def _connect(self) -> aiopg.Connection:
        if self._closed:
            raise psycopg2.InterfaceError("the pool is closed")
        # A connection that was refused leaves its descriptor known to uvloop as closed. The next one that
        # gets the same descriptor fails at once, whether the server is back or not, and thereby clears it.
        with contextlib.suppress(RuntimeError):
            return await self._open_one()
        return await self._open_one()

    async def _open_one(self) -> aiopg.Connection:
        connection = await aiopg.connect(
            self._url,
            timeout=self._limits.query_s,
            enable_json=False,
            enable_hstore=False,
            enable_uuid=False,
            **self._options,
        )
        self._cursors[connection] = await connection.cursor()
        return connection


def _is_reset(connection: aiopg.Connection) -> bool:
    """Whether the server's end is gone for good, which the kernel knows without being asked for anything."""
    if connection.closed:
        return False
    poll = select.poll()
    poll.register(connection.raw.fileno(), 0)
    return bool(poll.poll(0))
