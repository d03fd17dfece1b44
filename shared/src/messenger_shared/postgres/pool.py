"""A pool of connections to PostgreSQL: lends them to tasks, and closes broken and outdated ones.

It replaces aiopg's pool, which has two faults. That pool connects while it holds the lock for lending, even
if other connections are free. And it doesn't wake a waiter when a returned connection is closed.
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

from messenger_shared.observability.metrics import POOL_USED, POOL_WAIT
from messenger_shared.postgres.servers import Servers, Target

_KEEPALIVES: Final[dict[str, int]] = {
    # With these a silent peer is noticed; by default it never is.
    "keepalives_idle": 10,
    "keepalives_interval": 3,
    "keepalives_count": 3,
    "tcp_user_timeout": 10_000,
}


@dataclass(frozen=True, slots=True)
class Limits:
    """Time limits, in seconds. Nothing waits without one."""

    # For waiting for a connection, or opening one.
    connect_s: float = 3.0
    # For one statement or transaction as the caller sees it, all waiting included.
    query_s: float = 6.0
    # For one statement in the server, which ends longer ones. Below query_s, so that the server acts first.
    statement_s: float = 5.0
    lock_s: float = 3.0
    idle_in_transaction_s: float = 10.0
    # How often the server checks that the client is still there; otherwise an orphaned query runs to its end.
    client_check_interval_s: float = 0.5
    # The interval at which a quiet server is checked.
    check_interval_s: float = 1.0
    # The interval of the write checks, if the service has one.
    write_check_interval_s: float = 2.0

    @property
    def server_options(self) -> str:
        """The limits that the server enforces, as libpq's `options`."""
        settings = {
            "statement_timeout": self.statement_s,
            "lock_timeout": self.lock_s,
            "idle_in_transaction_session_timeout": self.idle_in_transaction_s,
            "client_connection_check_interval": self.client_check_interval_s,
        }
        return " ".join(f"-c {name}={int(value * 1_000)}" for name, value in settings.items())


class Pool:
    """Up to `size` connections. One task at a time uses a connection, through the connection's only cursor.

    Cursors are reused because aiopg's are circular: with a new one for each statement, garbage collection
    stopped the loop for 15 ms at a time to free 4,000 of them.
    """

    def __init__(self, url: str, size: int, application: str, limits: Limits) -> None:
        self._url = url
        self._servers = Servers(url)
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
        # Connections in use that were closed, and those that must not be used again.
        self._closed_used: set[aiopg.Cursor] = set()
        self._outdated: set[aiopg.Cursor] = set()
        self._closed = False

    async def open(self) -> None:
        """Opens all connections; raises psycopg2.OperationalError or TimeoutError."""
        try:
            while len(self._free) < self._size:
                self._free.append(await self._connect())
        except BaseException:
            self.close_free()
            raise

    async def acquire(self) -> aiopg.Cursor:
        """Lends the cursor of a connection until `release`.

        Raises psycopg2.Error or TimeoutError.
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
        POOL_USED.inc()
        POOL_WAIT.observe(asyncio.get_running_loop().time() - begun)
        return cursor

    def release(self, cursor: aiopg.Cursor) -> None:
        """Takes a connection back; closes it if it is broken, outdated or still in a transaction."""
        self._used.discard(cursor)
        # A worker may have several pools.
        POOL_USED.dec()
        if self._is_reusable(cursor):
            self._free.append(cursor)
        else:
            self.close_used(cursor)
        self._closed_used.discard(cursor)
        self._outdated.discard(cursor)
        # Also if the connection was closed: a waiter may then open another one.
        self._slots.release()

    def close_used(self, cursor: aiopg.Cursor) -> None:
        """Closes a connection in use, once only: afterwards its descriptor may belong to another one."""
        if cursor not in self._closed_used:
            self._closed_used.add(cursor)
            cursor.connection.close()

    def close_free(self) -> None:
        """Closes the free connections, for example because their server is gone."""
        while self._free:
            self._free.pop().connection.close()

    def renew(self) -> None:
        """Replaces all connections: closes the free ones now, and those in use when they come back."""
        self.close_free()
        self._outdated |= self._used

    def prune(self) -> None:
        """Removes free connections that are closed, and closes those in use that the server has reset."""
        for cursor in [cursor for cursor in self._free if cursor.connection.closed]:
            self._free.remove(cursor)
            cursor.connection.close()
        # uvloop reports a reset only once; a task that reads later would wait until its deadline.
        for cursor in [cursor for cursor in self._used if _is_reset(cursor.connection)]:
            self.close_used(cursor)

    def close(self) -> None:
        """Closes all connections, also those in use; the tasks that use them fail."""
        self._closed = True
        self.close_free()
        for cursor in self._used:
            self.close_used(cursor)

    def _is_reusable(self, cursor: aiopg.Cursor) -> bool:
        """Whether the connection may be lent again."""
        connection = cursor.connection
        if connection.closed or cursor in self._outdated:
            return False
        return bool(connection.raw.get_transaction_status() == TRANSACTION_STATUS_IDLE)

    def _pop_free(self) -> aiopg.Cursor | None:
        # The one used last comes first: it is the most likely to be alive.
        while self._free:
            cursor = self._free.pop()
            if not cursor.connection.closed:
                return cursor
            cursor.connection.close()
        return None

    async def _connect(self) -> aiopg.Cursor:
        if self._closed:
            raise psycopg2.InterfaceError("the pool is closed")
        targets = await self._servers.targets()
        refusal: Exception | None = None
        for target in targets:
            try:
                # Each target gets a share of the time, so that a silent one leaves some for the others.
                async with asyncio.timeout(self._limits.connect_s / len(targets)):
                    cursor = await self._connect_to(target)
            except (psycopg2.OperationalError, TimeoutError) as error:
                refusal = error
            else:
                self._servers.record_success(target)
                return cursor
        raise refusal or psycopg2.OperationalError("there is no server to connect to")

    async def _connect_to(self, target: Target) -> aiopg.Cursor:
        # After a refused connection, uvloop remembers its descriptor as closed. The next connection that gets
        # this descriptor fails at once, even if the server is back, and that clears the state. So it is tried
        # twice, with no await in between, in which another task could take the descriptor.
        with contextlib.suppress(RuntimeError):
            return await self._try_connect(target)
        return await self._try_connect(target)

    async def _try_connect(self, target: Target) -> aiopg.Cursor:
        options = {**self._options, **target}
        connection = await aiopg.connect(
            self._url,
            timeout=self._limits.query_s,
            enable_json=False,
            enable_hstore=False,
            enable_uuid=False,
            **options,
        )
        return await connection.cursor()


def _is_reset(connection: aiopg.Connection) -> bool:
    """Whether the peer has reset the connection, as the kernel's poll reports it."""
    if connection.closed:
        return False
    poll = select.poll()
    poll.register(connection.raw.fileno(), 0)
    return bool(poll.poll(0))
