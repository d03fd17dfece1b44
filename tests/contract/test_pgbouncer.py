"""PgBouncer in transaction mode: row-level security holds, whoever used the connection before."""

from __future__ import annotations

import asyncio
import os
import shutil
import uuid
from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import psycopg2
import pytest

from tests.databases import logged_in
from tests.waiting import until

START_S = 15.0
# One connection to the server for all: each transaction gets the one that another has just used.
CONFIG = """\
[databases]
* = host={host} port={port} pool_size=1
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {own_port}
unix_socket_dir =
auth_type = plain
auth_file = {users}
pool_mode = transaction
ignore_startup_parameters = options
"""


def answers(url: str) -> bool:
    try:
        psycopg2.connect(url, connect_timeout=2).close()
    except psycopg2.OperationalError:
        return False
    return True


@pytest.fixture
async def pooled_url(chat_database_url: str, tmp_path: Path, unused_tcp_port: int) -> AsyncIterator[str]:
    """Yields the test's database for chat-api, behind PgBouncer."""
    program = shutil.which("pgbouncer") or shutil.which("pgbouncer", path="/usr/sbin")
    if program is None:
        pytest.skip("pgbouncer is not installed: Debian has it under that name")
    parts = urlsplit(chat_database_url)
    users = tmp_path / "users.txt"
    users.write_text(f'"{parts.username}" "{parts.password}"\n')
    config = tmp_path / "pgbouncer.ini"
    config.write_text(
        CONFIG.format(host=parts.hostname, port=parts.port, own_port=unused_tcp_port, users=users)
    )
    # PgBouncer refuses to run as root.
    as_whom = ("--user=nobody",) if os.geteuid() == 0 else ()
    for place in (users, config):
        place.chmod(0o644)
    for folder in [tmp_path, *tmp_path.parents][:3]:
        folder.chmod(0o755)
    process = await asyncio.create_subprocess_exec(program, "-q", *as_whom, str(config))
    url = urlunsplit(parts._replace(netloc=f"{parts.username}:{parts.password}@127.0.0.1:{unused_tcp_port}"))
    try:
        await until(lambda: answers(url), START_S)
        yield url
    finally:
        process.terminate()
        await asyncio.wait_for(process.wait(), START_S)


async def test_each_transaction_acts_for_its_own_user_alone(pooled_url: str) -> None:
    async with logged_in(pooled_url, 4) as database:

        async def whom(user_id: int | None) -> list[tuple[object, ...]]:
            return await database.rows("SELECT messenger.me()", user_id=user_id)

        asked = [1, None, 2, None, 3, 1, None] * 5
        assert await asyncio.gather(*map(whom, asked)) == [[(user,)] for user in asked]


async def test_what_one_writes_another_does_not_see(pooled_url: str) -> None:
    async with logged_in(pooled_url, 2) as database:
        id_ = str(uuid.uuid4())
        async with database.transaction(user_id=1) as transaction:
            await transaction.rows(
                "INSERT INTO messenger.conversations (id, type, created_by) VALUES (%s, 'group', 1)", (id_,)
            )
        counted = "SELECT count(*) FROM messenger.conversations"
        seen = [await database.rows(counted, user_id=user) for user in (1, 2, None)]
        assert seen == [[(1,)], [(0,)], [(0,)]]
