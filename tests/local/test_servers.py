"""The real servers under the supervisor: what a hard end may cost, and what it may not."""

import contextlib
import os
import signal
from collections.abc import AsyncIterator
from pathlib import Path

import psycopg2
import pytest
import pytest_asyncio

from messenger_local import procfs
from tests.local.conftest import RunningSupervisor, is_running, running_supervisor
from tests.waiting import until

RECOVERY_S = 30.0


class Servers:
    """PostgreSQL and Valkey under a lead."""

    def __init__(self, supervisor: RunningSupervisor) -> None:
        self.supervisor = supervisor

    def sql(self, statement: str) -> list[tuple[object, ...]]:
        """Runs and commits one statement; returns its rows."""
        url = (self.supervisor.root / "postgres-url").read_text()
        connection = psycopg2.connect(url, dbname="postgres", connect_timeout=2)
        try:
            connection.autocommit = True
            with connection.cursor() as cursor:
                cursor.execute(statement)
                return cursor.fetchall() if cursor.description else []
        finally:
            connection.close()

    def answers(self) -> bool:
        """Whether PostgreSQL takes a query."""
        try:
            return self.sql("SELECT 1") == [(1,)]
        except (psycopg2.OperationalError, FileNotFoundError):
            return False

    async def ready(self) -> None:
        """Returns when PostgreSQL takes queries."""
        await until(self.answers, RECOVERY_S)


@contextlib.asynccontextmanager
async def running_servers(directory: Path) -> AsyncIterator[Servers]:
    """Yields both servers, in a directory that is closed to other users and has a space in its name."""
    async with running_supervisor(
        directory / "a place" / "data", postgres="postgres", redis="redis"
    ) as supervisor:
        found = Servers(supervisor)
        await found.ready()
        yield found


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def lasting(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Servers]:
    """Yields servers for the tests that don't stop their supervisor."""
    async with running_servers(tmp_path_factory.mktemp("servers")) as servers:
        yield servers


@pytest.fixture
async def servers(tmp_path: Path) -> AsyncIterator[Servers]:
    """Yields servers of the test's own."""
    async with running_servers(tmp_path) as servers:
        yield servers


def postmaster_and_children(pid: int) -> list[int]:
    return [pid, *(child.pid for child in procfs.children(pid))]


async def test_every_commit_is_synced(lasting: Servers) -> None:
    settings = "fsync", "synchronous_commit", "full_page_writes", "data_checksums"
    for name in settings:
        assert lasting.sql(f"SHOW {name}") == [("on",)]
    assert lasting.sql("SHOW unix_socket_directories") == [("",)]


async def test_nobody_gets_in_without_the_password(lasting: Servers) -> None:
    url = (lasting.supervisor.root / "postgres-url").read_text()
    with pytest.raises(psycopg2.OperationalError, match="password"):
        psycopg2.connect(url, password="guessed")
    assert (lasting.supervisor.root / "postgres-password").stat().st_mode & 0o077 == 0
    assert (lasting.supervisor.root / "run" / "valkey.conf").stat().st_mode & 0o077 == 0


@pytest.mark.parametrize("whom", ["the postmaster alone", "all", "the postmaster, a child frozen"])
async def test_postgres_comes_back_from_a_kill_with_all_that_was_committed(
    lasting: Servers, whom: str
) -> None:
    lasting.sql("DROP TABLE IF EXISTS kept")
    lasting.sql("CREATE TABLE kept AS SELECT generate_series(1, 1000) AS n")
    first = await lasting.supervisor.new_pid("postgres")
    pids = postmaster_and_children(first)
    if "frozen" in whom:
        os.kill(pids[1], signal.SIGSTOP)
    for pid in pids if whom == "all" else pids[:1]:
        # A child that sees the postmaster die ends itself, perhaps before this kill.
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    await lasting.supervisor.new_pid("postgres", first)
    await lasting.ready()
    assert lasting.sql("SELECT count(*) FROM kept") == [(1000,)]
    assert not any(is_running(pid) for pid in pids)


async def test_a_lock_file_of_a_foreign_process_stops_nobody(servers: Servers) -> None:
    root = servers.supervisor.root
    lock = (root / "postgres" / "postmaster.pid").read_text().splitlines()
    await servers.supervisor.stop()
    lock[0] = str(os.getpid())
    (root / "postgres" / "postmaster.pid").write_text("\n".join(lock) + "\n")
    async with running_supervisor(root, postgres="postgres") as supervisor:
        again = Servers(supervisor)
        await again.ready()


async def test_valkey_comes_back_at_the_same_address(lasting: Servers) -> None:
    first = await lasting.supervisor.new_pid("redis")
    url = (lasting.supervisor.root / "redis-url").read_text()
    os.kill(first, signal.SIGKILL)
    await lasting.supervisor.new_pid("redis", first)
    assert (lasting.supervisor.root / "redis-url").read_text() == url


async def test_a_stop_leaves_nobody_and_a_clean_database(servers: Servers) -> None:
    pids = postmaster_and_children(await servers.supervisor.new_pid("postgres"))
    await servers.supervisor.stop()
    assert not any(is_running(pid) for pid in pids)
    assert not (servers.supervisor.root / "postgres" / "postmaster.pid").exists()


async def test_after_the_lead_was_killed_the_next_one_takes_over_at_once(servers: Servers) -> None:
    servers.sql("CREATE TABLE kept AS SELECT 1 AS n")
    pids = postmaster_and_children(await servers.supervisor.new_pid("postgres"))
    os.kill(servers.supervisor.process.pid, signal.SIGKILL)
    async with running_supervisor(servers.supervisor.root, postgres="postgres", redis="redis") as supervisor:
        again = Servers(supervisor)
        await supervisor.new_pid("postgres", pids[0])
        await again.ready()
        assert again.sql("SELECT n FROM kept") == [(1,)]
        assert not any(is_running(pid) for pid in pids)
        await supervisor.stop()
