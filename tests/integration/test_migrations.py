"""Migrations as an operator runs them: real processes, on empty and filled databases, repeatedly, and at
once.

The tests work with any set of migrations: they know only the first file, which creates the tables, by name.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import secrets
import sys
import uuid
from collections.abc import AsyncIterator, Iterator
from contextlib import closing
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import psycopg2
import pytest
from aiohttp.test_utils import unused_port

from chat_api.rules.repeats import fingerprint
from messenger_shared.postgres import migrations
from tests.bench.history.loader import load
from tests.bench.history.shape import Shape
from tests.conftest import SharedStack
from tests.waiting import until

PACKAGES = {"chat_api": "messenger", "presence": "presence"}
FILES = {package: [migration.name for migration in migrations.load(package)] for package in PACKAGES}
SMALL = Shape(messages=2_000, conversations=300, largest=500, busy_users=2, busy_in=40)
RUN_S = 30.0
COLUMNS = """
SELECT 'messenger.' || relname, string_agg(quote_ident(attname), ', ' ORDER BY attnum)
  FROM pg_class c JOIN pg_attribute ON attrelid = c.oid AND attnum > 0 AND NOT attisdropped
 WHERE c.relnamespace = 'messenger'::regnamespace AND relkind = 'r' AND relname <> 'migrations'
 GROUP BY relname
"""
# The parts of a schema, as text that doesn't depend on who made it and when.
STRUCTURE = """
SELECT 'column', attrelid::regclass::text, attname, format_type(atttypid, atttypmod)
  FROM pg_attribute JOIN pg_class c ON c.oid = attrelid
 WHERE c.relnamespace = 'messenger'::regnamespace AND attnum > 0 AND NOT attisdropped
UNION ALL
SELECT 'index', indrelid::regclass::text, indexrelid::regclass::text, pg_get_indexdef(indexrelid)
  FROM pg_index JOIN pg_class c ON c.oid = indrelid WHERE c.relnamespace = 'messenger'::regnamespace
UNION ALL
SELECT 'constraint', conrelid::regclass::text, conname, pg_get_constraintdef(oid)
  FROM pg_constraint WHERE connamespace = 'messenger'::regnamespace
UNION ALL
SELECT 'function', proname, pg_get_userbyid(proowner), pg_get_functiondef(oid)
  FROM pg_proc WHERE pronamespace = 'messenger'::regnamespace
UNION ALL
SELECT 'policy', tablename, policyname, concat_ws(' ', cmd, roles, qual, with_check)
  FROM pg_policies WHERE schemaname = 'messenger'
ORDER BY 1, 2, 3, 4
"""


def query(url: str, sql: str, *parameters: Any) -> list[tuple[Any, ...]]:
    with closing(psycopg2.connect(url)) as connection, connection.cursor() as cursor:
        connection.autocommit = True
        cursor.execute(sql, parameters)
        return cursor.fetchall() if cursor.description is not None else []


@pytest.fixture(params=["superuser", "plain owner"])
def owner_url(request: pytest.FixtureRequest, stack: SharedStack) -> Iterator[str]:
    """Yields an empty database, for its owner."""
    with empty_database(stack, plain=request.param == "plain owner") as url:
        yield url


@pytest.fixture
def other_url(stack: SharedStack) -> Iterator[str]:
    """Yields another empty database."""
    with empty_database(stack, plain=False) as url:
        yield url


@contextlib.contextmanager
def empty_database(stack: SharedStack, *, plain: bool) -> Iterator[str]:
    """Yields a fresh database; a plain owner may create no roles or databases, and bypasses no row-level
    security.
    """
    name, password = f"migrated_{secrets.token_hex(8)}", secrets.token_hex(16)
    parts = urlsplit(stack.database_url)
    query(stack.database_url, f"CREATE DATABASE {name}")
    try:
        if plain:
            query(stack.database_url, f"CREATE ROLE {name} LOGIN PASSWORD %s", password)
            query(stack.database_url, f"GRANT messenger_definer TO {name} WITH INHERIT FALSE, SET TRUE")
            query(stack.database_url, f"ALTER DATABASE {name} OWNER TO {name}")
            parts = parts._replace(netloc=f"{name}:{password}@{parts.hostname}:{parts.port}")
        yield urlunsplit(parts._replace(path=f"/{name}"))
    finally:
        query(stack.database_url, f"DROP DATABASE {name} WITH (FORCE)")
        query(stack.database_url, f"DROP ROLE IF EXISTS {name}")


@contextlib.asynccontextmanager
async def starter(package: str, url: str) -> AsyncIterator[asyncio.subprocess.Process]:
    """Runs `python -m <package>.migrate` as a process, which is gone at the end."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", f"{package}.migrate"),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env={**os.environ, "MESSENGER_DATABASE_URL": url},
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


async def run(package: str, url: str) -> tuple[int, list[str], list[str]]:
    """Runs a starter to its end: returns its exit code, the files that it reports as
    applied, and its errors.
    """
    async with starter(package, url) as process, asyncio.timeout(RUN_S):
        out, err = await process.communicate()
    assert process.returncode is not None
    applied = [line.rpartition(" ")[2] for line in out.decode().splitlines()]
    return process.returncode, applied, err.decode().splitlines()


def columns(url: str) -> dict[str, str]:
    """Returns the columns of each table, as a list in SQL."""
    return dict(query(url, COLUMNS))


def contents(url: str, of: dict[str, str]) -> dict[str, tuple[Any, ...]]:
    """Returns the contents of those columns, as the number of rows and a digest of their texts."""
    digest = "SELECT count(*), md5(string_agg(t::text, ',' ORDER BY t::text)) FROM (SELECT {} FROM {}) t"
    return {table: query(url, digest.format(names, table))[0] for table, names in of.items()}


@pytest.mark.parametrize("package", PACKAGES)
async def test_an_empty_database_is_brought_up_once_and_a_repeat_does_nothing(
    owner_url: str, package: str
) -> None:
    assert await run(package, owner_url) == (0, FILES[package], [])
    assert await run(package, owner_url) == (0, [], [])


async def test_starters_at_once_apply_each_file_once(owner_url: str) -> None:
    runs = await asyncio.gather(*(run(package, owner_url) for package in [*PACKAGES] * 2))
    assert [(code, complaints) for code, _, complaints in runs] == [(0, [])] * len(runs)
    applied = sorted(name for _, names, _ in runs for name in names)
    assert applied == sorted(name for names in FILES.values() for name in names)
    for package, schema in PACKAGES.items():
        recorded = query(owner_url, f"SELECT name FROM {schema}.migrations ORDER BY number")
        assert [name for (name,) in recorded] == FILES[package]


async def test_starters_at_once_on_two_databases_share_the_servers_roles(
    owner_url: str, other_url: str
) -> None:
    runs = await asyncio.gather(*(run("chat_api", url) for url in (owner_url, other_url)))
    assert runs == [(0, FILES["chat_api"], [])] * 2


@pytest.mark.parametrize("present", range(1, len(FILES["chat_api"])))
async def test_a_filled_database_is_brought_up_and_keeps_what_is_in_it(
    other_url: str, template_database: str, stack: SharedStack, present: int
) -> None:
    migrations.migrate(other_url, "messenger", migrations.load("chat_api")[:present])
    load(other_url, SMALL)
    present_columns = columns(other_url)
    before = contents(other_url, present_columns)
    assert before["messenger.messages"][0] == SMALL.messages
    assert await run("chat_api", other_url) == (0, FILES["chat_api"][present:], [])
    # The log of events begins behind what there is.
    behind = query(other_url, "SELECT last_pos FROM messenger.conversations ORDER BY last_pos")
    begun = "DELETE FROM messenger.feed_cursors WHERE consumer = 'events' RETURNING pos"
    assert sorted(query(other_url, begun)) == behind
    assert contents(other_url, present_columns) == before
    fresh = stack.database_url.rpartition("/")[0] + f"/{template_database}"
    assert query(other_url, STRUCTURE) == query(fresh, STRUCTURE)


async def test_a_filled_database_is_brought_up_by_two_at_once(other_url: str) -> None:
    migrations.migrate(other_url, "messenger", migrations.load("chat_api")[:1])
    load(other_url, SMALL)
    present_columns = columns(other_url)
    before = contents(other_url, present_columns)
    runs = await asyncio.gather(*(run("chat_api", other_url) for _ in range(2)))
    assert [code for code, _, _ in runs] == [0, 0]
    assert sorted(names for _, names, _ in runs) == [[], FILES["chat_api"][1:]]
    assert contents(other_url, present_columns) == before


async def test_what_was_written_before_there_were_fingerprints_has_those_of_its_first_texts(
    owner_url: str,
) -> None:
    migrations.migrate(owner_url, "messenger", migrations.load("chat_api")[:2])
    room = str(uuid.uuid4())
    # As the first migration's owner, before the tables had row-level security.
    for table in ("conversations", "messages", "message_versions"):
        query(owner_url, f"ALTER TABLE messenger.{table} NO FORCE ROW LEVEL SECURITY")
    query(
        owner_url,
        "INSERT INTO messenger.conversations (id, type, created_by) VALUES (%s, 'group', 1)",
        room,
    )
    insert = """
    INSERT INTO messenger.messages
           (conversation_id, seq, id, pos, created_pos, version, sender_id, type, content, deleted_at)
    VALUES (%s, %s, gen_random_uuid(), %s, %s, %s, 1, 'text', %s, %s) RETURNING id
    """
    query(owner_url, insert, room, 1, 1, 1, 1, "plain", None)
    [[edited]] = query(owner_url, insert, room, 2, 2, 2, 2, "second", None)
    query(owner_url, insert, room, 3, 3, 3, 1, None, "2026-01-01")
    version = "INSERT INTO messenger.message_versions VALUES (%s, 1, 'first', now())"
    query(owner_url, version, edited)
    assert await run("chat_api", owner_url) == (0, FILES["chat_api"][2:], [])
    query(owner_url, "ALTER TABLE messenger.messages NO FORCE ROW LEVEL SECURITY")
    found = query(owner_url, "SELECT fingerprint FROM messenger.messages ORDER BY seq")
    assert [row[0] and bytes(row[0]) for row in found] == [
        fingerprint("text", "plain"),
        fingerprint("text", "first"),
        None,
    ]


async def test_a_starter_that_is_killed_on_the_way_leaves_the_rest_to_the_next(owner_url: str) -> None:
    # The schema and the list of applied files exist, so the list can be locked: the migration stops there.
    migrations.migrate(owner_url, "messenger", migrations.load("chat_api")[:1])
    with closing(psycopg2.connect(owner_url)) as holder, holder.cursor() as cursor:
        cursor.execute("LOCK TABLE messenger.migrations IN SHARE MODE")
        async with starter("chat_api", owner_url) as process:
            await until(lambda: waits_for(owner_url, "messenger.migrations"), RUN_S)
            process.kill()
        holder.rollback()
    assert await run("chat_api", owner_url) == (0, FILES["chat_api"][1:], [])


def waits_for(url: str, table: str) -> bool:
    waiting = "SELECT 1 FROM pg_locks WHERE relation = %s::regclass AND NOT granted"
    return bool(query(url, waiting, table))


async def test_a_file_that_meets_a_deadlock_is_tried_again(other_url: str) -> None:
    locking = migrations.Migration(1, "0001_locking.sql", "LOCK TABLE first; LOCK TABLE second")
    query(other_url, "CREATE TABLE first (); CREATE TABLE second ()")
    with closing(psycopg2.connect(other_url)) as holder, holder.cursor() as cursor:
        # Otherwise this transaction might be the one that is aborted.
        cursor.execute("SET deadlock_timeout = '1min'; LOCK TABLE second")
        migrating = asyncio.create_task(
            asyncio.to_thread(migrations.migrate, other_url, "messenger", [locking])
        )
        await until(lambda: waits_for(other_url, "second"), RUN_S)
        await asyncio.to_thread(cursor.execute, "LOCK TABLE first")
        await until(lambda: waits_for(other_url, "first"), RUN_S)
        holder.rollback()
    assert await migrating == [locking.name]


@pytest.mark.parametrize("package", PACKAGES)
async def test_a_database_of_a_newer_release_is_refused_in_one_line(owner_url: str, package: str) -> None:
    assert (await run(package, owner_url))[0] == 0
    query(owner_url, f"INSERT INTO {PACKAGES[package]}.migrations (number, name) VALUES (9999, 'later')")
    code, applied, [complaint] = await run(package, owner_url)
    assert (code, applied) == (1, [])
    assert "newer than this release" in complaint


async def test_a_database_that_cannot_be_reached_is_said_in_one_line() -> None:
    code, applied, [complaint] = await run("chat_api", f"postgresql://127.0.0.1:{unused_port()}/nowhere")
    assert (code, applied) == (1, [])
    assert "can't be reached" in complaint


@pytest.mark.parametrize("package", PACKAGES)
async def test_a_database_that_takes_no_writes_is_said_in_one_line_if_any_is_needed(
    owner_url: str, package: str
) -> None:
    change = f"ALTER DATABASE {urlsplit(owner_url).path[1:]} SET default_transaction_read_only ="
    query(owner_url, f"{change} on")
    code, applied, [complaint] = await run(package, owner_url)
    assert (code, applied) == (1, [])
    assert "can't be brought up to date" in complaint
    assert "read-only" in complaint
    writing = f"{owner_url}?options=-c%20default_transaction_read_only%3Doff"
    assert (await run(package, writing))[0] == 0
    # Nothing has to be written.
    assert await run(package, owner_url) == (0, [], [])
