"""PostgreSQL goes away and comes back, and a link to it falls silent."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import socket
import struct
import threading
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import psycopg2
import pytest
import pytest_asyncio
import uvloop

from messenger_shared.contract.errors import AppError
from messenger_shared.postgres.database import Database
from messenger_shared.postgres.pool import Limits, Pool
from tests.faults.injection.proxy import Proxy
from tests.local.conftest import RunningSupervisor, running_supervisor
from tests.waiting import LIMIT_S, eventually, until

START_S = 30.0
BREAKS_AFTER_S = 0.2
PROMPT_S = 3.0
CHUNK = 4_096
GREETING = ((b"S", b"client_encoding\0UTF8\0"), (b"S", b"DateStyle\0ISO, MDY\0"))
ANSWERED_S = 0.02


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def lasting(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[RunningSupervisor]:
    """Yields a PostgreSQL that is restarted when it ends, for tests that don't stop its supervisor."""
    async with running_supervisor(
        tmp_path_factory.mktemp("away") / "data", postgres="postgres"
    ) as supervisor:
        await until(lambda: answers(supervisor), START_S)
        yield supervisor


@pytest.fixture
async def supervisor(tmp_path: Path) -> AsyncIterator[RunningSupervisor]:
    """Yields a PostgreSQL of the test's own, whose supervisor it may stop."""
    async with running_supervisor(tmp_path / "data", postgres="postgres") as supervisor:
        await until(lambda: answers(supervisor), START_S)
        yield supervisor


def url_of(supervisor: RunningSupervisor) -> str:
    url = (supervisor.root / "postgres-url").read_text()
    return urlunsplit(urlsplit(url)._replace(path="/postgres"))


def answers(supervisor: RunningSupervisor) -> bool:
    with contextlib.suppress(psycopg2.OperationalError, FileNotFoundError):
        psycopg2.connect(url_of(supervisor), connect_timeout=2).close()
        return True
    return False


@contextlib.asynccontextmanager
async def opened(url: str, limits: Limits, size: int = 2) -> AsyncIterator[Database]:
    database = Database(url, size, "under test", limits)
    await database.start()
    try:
        yield database
    finally:
        await database.stop()


async def works(database: Database) -> bool:
    with contextlib.suppress(AppError):
        return await database.rows("SELECT 1") == [(1,)]
    return False


async def test_its_going_and_coming_is_noticed_though_nobody_asks(supervisor: RunningSupervisor) -> None:
    async with opened(url_of(supervisor), Limits()) as database:
        assert database.ready
        await supervisor.stop()
        await until(lambda: not database.ready)
        async with running_supervisor(supervisor.root, postgres="postgres") as again:
            await until(lambda: answers(again), START_S)
            await until(lambda: database.ready)
            assert await works(database)


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGKILL])
async def test_it_works_soon_after_a_restart(lasting: RunningSupervisor, how: signal.Signals) -> None:
    async with opened(url_of(lasting), Limits()) as database:
        pid = await lasting.new_pid("postgres")
        os.kill(pid, how)
        await lasting.new_pid("postgres", pid)
        await until(lambda: answers(lasting), START_S)
        await eventually(lambda: works(database))
        assert database.ready


async def test_asking_while_it_is_away_is_told_at_once(supervisor: RunningSupervisor) -> None:
    # A wait would take much longer than a busy machine.
    async with opened(url_of(supervisor), Limits(connect_s=300, query_s=300)) as database:
        await supervisor.stop()
        for _ in range(10):
            async with asyncio.timeout(LIMIT_S):
                with pytest.raises(AppError, match="unavailable"):
                    await database.rows("SELECT 1")
        assert not database.ready


async def test_who_is_called_off_just_as_the_answer_comes_ends(lasting: RunningSupervisor) -> None:
    async with opened(url_of(lasting), Limits()) as database:
        for turns in range(10):
            asking = asyncio.create_task(database.rows("SELECT 1"))
            # Wait until the query is under way. The loop is blocked while the answer arrives; the task is
            # cancelled some turns later.
            for _ in range(3):
                await asyncio.sleep(0)
            time.sleep(ANSWERED_S)  # noqa: ASYNC251  (the loop must not see it come)
            for _ in range(turns):
                await asyncio.sleep(0)
            if asking.cancel():
                with pytest.raises(asyncio.CancelledError):
                    await asking
        assert await works(database)


async def test_a_silent_link_costs_the_deadline_and_no_more(lasting: RunningSupervisor) -> None:
    parts = urlsplit(url_of(lasting))
    assert parts.port is not None
    async with Proxy(parts.port) as link:
        url = urlunsplit(parts._replace(netloc=parts.netloc.replace(str(parts.port), str(link.port))))
        limits = Limits(query_s=0.5, check_interval_s=0.2)
        async with opened(url, limits) as database:
            link.stop_traffic()
            for _ in range(4):
                async with asyncio.timeout(LIMIT_S):
                    with pytest.raises(AppError, match="unavailable"):
                        await database.rows("SELECT 1")
            await until(lambda: not database.ready)
            link.resume_traffic()
            await eventually(lambda: works(database))
            await until(lambda: database.ready)


@pytest.mark.filterwarnings("ignore:Unclosed connection:ResourceWarning")
def test_a_server_that_refuses_connections_is_away_and_nothing_worse(unused_tcp_port: int) -> None:
    """On the services' event loop, which remembers descriptors of connections that failed."""

    async def refusals() -> set[type[BaseException]]:
        pool = Pool(f"postgresql://nobody@127.0.0.1:{unused_tcp_port}/none", 2, "under test", Limits())
        found = await asyncio.gather(*(pool.acquire() for _ in range(20)), return_exceptions=True)
        return {type(one) for one in found if isinstance(one, BaseException)}

    assert uvloop.run(refusals()) == {psycopg2.OperationalError}


def test_an_answer_that_breaks_off_keeps_nobody_waiting() -> None:
    """On the services' event loop, which reports a reset once, even if a part was still to be read."""

    async def ask(port: int) -> None:
        url = f"postgresql://nobody@127.0.0.1:{port}/none?sslmode=disable&gssencmode=disable"
        async with opened(url, Limits(check_interval_s=0.1), size=1) as database:
            # Blocks the loop, so that it finds the partial answer and the reset together.
            asyncio.get_running_loop().call_later(BREAKS_AFTER_S / 2, time.sleep, BREAKS_AFTER_S)
            async with asyncio.timeout(PROMPT_S):
                with pytest.raises(AppError, match="unavailable"):
                    await database.rows("SELECT 1")

    with breaking_server() as port:
        uvloop.run(ask(port))


@contextlib.contextmanager
def breaking_server() -> Iterator[int]:
    """Yields the port of a fake PostgreSQL that accepts every login and breaks off in its first answer."""

    def serve() -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _ = listener.accept()
                connection.recv(CHUNK)
                for kind, body in ((b"R", bytes(4)), *GREETING, (b"Z", b"I")):
                    connection.sendall(kind + (4 + len(body)).to_bytes(4) + body)
                connection.recv(CHUNK)
                time.sleep(BREAKS_AFTER_S)
                connection.sendall(b"T\0\0")
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                connection.close()

    with socket.create_server(("127.0.0.1", 0)) as listener:
        server = threading.Thread(target=serve)
        server.start()
        try:
            yield listener.getsockname()[1]
        finally:
            listener.shutdown(socket.SHUT_RDWR)
            server.join()
