"""Another PostgreSQL takes over as primary: behind the same port, or elsewhere in the list of hosts."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator
from urllib.parse import urlsplit, urlunsplit

import psycopg2
import pytest
import pytest_asyncio
import uvloop

from messenger_shared.contract.errors import AppError
from messenger_shared.postgres import migrations
from messenger_shared.postgres.database import Database
from messenger_shared.postgres.pool import Limits
from tests.faults.injection.proxy import Proxy
from tests.faults.test_postgres_away import answers, url_of
from tests.local.conftest import running_supervisor
from tests.waiting import eventually, until

START_S = 60.0
FOUND_S = 10.0
LIMITS = Limits(check_interval_s=0.1, write_check_interval_s=0.2)
SETUP = "CREATE TABLE public.kept (place text)"
WRITE = "INSERT INTO public.kept VALUES ('') RETURNING current_setting('port')"
WRITE_CHECK = "UPDATE public.kept SET place = place WHERE false"
ALWAYS_WRITES = "-c default_transaction_read_only=off"
READ = "SELECT current_setting('port')"


class Server:
    """One PostgreSQL, from its administrator's point of view."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.port = str(urlsplit(url).port)

    async def run(self, *statements: str) -> None:
        await asyncio.to_thread(self._run, *statements)

    async def take_password_of(self, other: Server) -> None:
        """Gives the owner the same password on both servers."""
        password = urlsplit(other.url).password or ""
        await self.run(f"ALTER ROLE messenger PASSWORD '{password}'")
        self.url = self.url.replace(urlsplit(self.url).password or "", password)

    async def demote(self) -> None:
        """Makes the server read-only; its sessions stay."""
        await self._set("SET default_transaction_read_only = on", "on")

    async def promote(self) -> None:
        """Makes it take writes."""
        await self._set("RESET default_transaction_read_only", "off")

    async def _set(self, change: str, then: str) -> None:
        """Returns when new sessions are so; the server reads its settings some time after it was told to."""
        await self.run(f"ALTER SYSTEM {change}", "SELECT pg_reload_conf()")
        await until(lambda: self._run("SHOW default_transaction_read_only", options="") == [(then,)])

    def _run(self, *statements: str, options: str = ALWAYS_WRITES) -> list[tuple[object, ...]]:
        connection = psycopg2.connect(self.url, options=options)
        connection.autocommit = True
        with contextlib.closing(connection), connection.cursor() as cursor:
            for statement in statements:
                cursor.execute(statement)
            return cursor.fetchall() if cursor.description else []


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def both(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[tuple[Server, Server]]:
    """Yields two servers."""
    directory = tmp_path_factory.mktemp("failover")
    async with (
        running_supervisor(directory / "one", postgres="postgres") as one,
        running_supervisor(directory / "two", postgres="postgres") as two,
    ):
        for supervisor in (one, two):
            await until(lambda supervisor=supervisor: answers(supervisor), START_S)  # type: ignore[misc]
        primary, standby = Server(url_of(one)), Server(url_of(two))
        for server in (primary, standby):
            await server.run(SETUP)
        await standby.take_password_of(primary)
        yield primary, standby


@pytest.fixture
async def servers(both: tuple[Server, Server]) -> tuple[Server, Server]:
    """Returns the servers as each test finds them; the second one is a standby."""
    primary, standby = both
    await primary.promote()
    await standby.demote()
    return primary, standby


@contextlib.asynccontextmanager
async def opened(url: str) -> AsyncIterator[Database]:
    database = Database(url, 3, "under test", LIMITS, write_check=WRITE_CHECK)
    await database.start()
    try:
        yield database
    finally:
        await database.stop()


def listing(*servers: Server, more: str = "", first: int | None = None) -> str:
    """Returns a connection string with both hosts; `first` is the port of something else before them."""
    ports = [*([first] if first else []), *(server.port for server in servers)]
    user, _, _ = urlsplit(servers[0].url).netloc.rpartition("@")
    place = ",".join(f"127.0.0.1:{port}" for port in ports)
    return urlunsplit(urlsplit(servers[0].url)._replace(netloc=f"{user}@{place}", query=more))


async def writes_at(database: Database, server: Server) -> bool:
    with contextlib.suppress(AppError):
        return await database.rows(WRITE) == [(server.port,)]
    return False


async def test_behind_one_port_the_connections_to_the_old_one_are_given_up(
    servers: tuple[Server, Server],
) -> None:
    old, new = servers
    async with Proxy(int(old.port)) as switch:
        url = urlunsplit(
            urlsplit(old.url)._replace(netloc=urlsplit(old.url).netloc.replace(old.port, str(switch.port)))
        )
        async with opened(url) as database:
            await eventually(lambda: writes_at(database, old), FOUND_S)
            switch.forward_to(int(new.port))
            await old.demote()
            await until(lambda: not database.ready, FOUND_S)
            await new.promote()
            await eventually(lambda: writes_at(database, new), FOUND_S)
            await until(lambda: database.ready, FOUND_S)
            # Reads go to the new server on all connections.
            found = await asyncio.gather(*(database.rows(READ) for _ in range(9)))
            assert found == [[(new.port,)]] * 9


@pytest.mark.parametrize("more", ["", "target_session_attrs=read-write"])
async def test_in_a_list_of_hosts_it_is_found_by_itself(servers: tuple[Server, Server], more: str) -> None:
    old, new = servers
    async with opened(listing(new, old, more=more)) as database:
        assert await writes_at(database, old)
        await old.demote()
        await until(lambda: not database.ready, FOUND_S)
        await new.promote()
        await eventually(lambda: writes_at(database, new), FOUND_S)
        await until(lambda: database.ready, FOUND_S)
        await new.demote()
        await old.promote()
        await eventually(lambda: writes_at(database, old), FOUND_S)


async def test_while_no_host_takes_writes_reads_are_answered(servers: tuple[Server, Server]) -> None:
    old, new = servers
    await old.demote()
    async with opened(listing(old, new)) as database:
        assert await database.rows(READ) == [(old.port,)]
        assert not database.ready
        await new.promote()
        await until(lambda: database.ready, FOUND_S)
        assert await writes_at(database, new)


@pytest.mark.filterwarnings("ignore:Unclosed connection:ResourceWarning")
def test_a_host_that_is_silent_or_refuses_leaves_the_others_their_time(
    servers: tuple[Server, Server], unused_tcp_port: int
) -> None:
    """On the services' event loop: it watches only the first socket when libpq goes on to another one."""
    primary = servers[0]

    async def write(first: int) -> bool:
        async with opened(listing(primary, first=first)) as database:
            return await writes_at(database, primary)

    assert uvloop.run(write(unused_tcp_port))
    with socket.create_server(("127.0.0.1", 0)) as silent:
        assert uvloop.run(write(silent.getsockname()[1]))


async def test_migrations_find_the_one_that_takes_writes(servers: tuple[Server, Server]) -> None:
    old, new = servers
    [first] = [one for one in migrations.load("presence") if one.number == 1]
    applied = await asyncio.to_thread(migrations.migrate, listing(new, old), "presence", [first])
    assert applied == [first.name]
    await old.run("SELECT FROM presence.migrations")
