"""PostgreSQL that goes away and comes back, and a link on which nothing comes any more."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import psycopg2
import pytest
import uvloop

from messenger_shared.errors import AppError
from messenger_shared.postgres import Database
from messenger_shared.postgres_pool import Limits, Pool
from tests.faults.proxy import Proxy
from tests.local.conftest import RunningLead, running_lead
from tests.waiting import eventually, until

START_S = 30.0
RECOVERY_S = 5.0


@pytest.fixture
async def lead(tmp_path: Path) -> AsyncIterator[RunningLead]:
    """A PostgreSQL of the test's own, started again when it ends."""
    async with running_lead(tmp_path / "data", postgres="postgres") as lead:
        await until(lambda: answers(lead), START_S)
        yield lead


def url_of(lead: RunningLead) -> str:
    url = (lead.root / "postgres-url").read_text()
    return urlunsplit(urlsplit(url)._replace(path="/postgres"))


def answers(lead: RunningLead) -> bool:
    with contextlib.suppress(psycopg2.OperationalError, FileNotFoundError):
        psycopg2.connect(url_of(lead), connect_timeout=2).close()
        return True
    return False


@contextlib.asynccontextmanager
async def opened(url: str, limits: Limits) -> AsyncIterator[Database]:
    database = Database(url, 2, "under test", limits)
    await database.start()
    try:
        yield database
    finally:
        await database.stop()


async def works(database: Database) -> bool:
    with contextlib.suppress(AppError):
        return await database.rows("SELECT 1") == [(1,)]
    return False


async def test_its_going_and_coming_is_noticed_though_nobody_asks(lead: RunningLead) -> None:
    async with opened(url_of(lead), Limits()) as database:
        assert database.ready
        await lead.stop()
        await until(lambda: not database.ready, RECOVERY_S)
        async with running_lead(lead.root, postgres="postgres") as again:
            await until(lambda: answers(again), START_S)
            await until(lambda: database.ready, RECOVERY_S)
            assert await works(database)


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGKILL])
async def test_it_works_soon_after_a_restart(lead: RunningLead, how: signal.Signals) -> None:
    async with opened(url_of(lead), Limits()) as database:
        pid = await lead.new_pid("postgres")
        os.kill(pid, how)
        await lead.new_pid("postgres", pid)
        await until(lambda: answers(lead), START_S)
        await eventually(lambda: works(database), RECOVERY_S)
        assert database.ready


async def test_asking_while_it_is_away_is_told_at_once(lead: RunningLead) -> None:
    async with opened(url_of(lead), Limits()) as database:
        await lead.stop()
        for _ in range(10):
            async with asyncio.timeout(1):
                with pytest.raises(AppError, match="unavailable"):
                    await database.rows("SELECT 1")
        assert not database.ready


async def test_a_silent_link_costs_the_deadline_and_no_more(lead: RunningLead) -> None:
    parts = urlsplit(url_of(lead))
    assert parts.port is not None
    async with Proxy(parts.port) as link:
        url = urlunsplit(parts._replace(netloc=parts.netloc.replace(str(parts.port), str(link.port))))
        limits = Limits(connect_s=0.3, query_s=0.5, look_s=0.2)
        async with opened(url, limits) as database:
            link.silence()
            for _ in range(4):
                async with asyncio.timeout(1):
                    with pytest.raises(AppError, match="unavailable"):
                        await database.rows("SELECT 1")
            await until(lambda: not database.ready)
            link.speak()
            await eventually(lambda: works(database), RECOVERY_S)
            await until(lambda: database.ready, RECOVERY_S)


@pytest.mark.filterwarnings("ignore:Unclosed connection:ResourceWarning")
def test_a_server_that_refuses_connections_is_away_and_nothing_worse(unused_tcp_port: int) -> None:
    """On the services' event loop, which remembers descriptors of connections that failed."""

    async def refusals() -> set[type[BaseException]]:
        pool = Pool(f"postgresql://nobody@127.0.0.1:{unused_tcp_port}/none", 2, "under test", Limits())
        found = await asyncio.gather(*(pool.acquire() for _ in range(20)), return_exceptions=True)
        return {type(one) for one in found if isinstance(one, BaseException)}

    assert uvloop.run(refusals()) == {psycopg2.OperationalError}
