"""Brings a database schema up to date with numbered SQL files, each applied once in its own transaction.

It is not a library because plain SQL without downgrades is all we need. One advisory lock makes concurrent
runs safe; libraries use lock tables, which stay locked when a run is killed.
"""

from __future__ import annotations

import os
import re
import sys
from dataclasses import dataclass
from importlib import resources

import psycopg2
from psycopg2.errors import DeadlockDetected
from psycopg2.extensions import connection as Connection
from psycopg2.extensions import cursor as Cursor
from psycopg2.extensions import parse_dsn

from messenger_shared.postgres.servers import primary_options

_FILE = re.compile(r"(\d{4})_\w+\.sql")
_LOCK = 0x6D657373656E  # The same for every service, because they may share a database.
_CONNECT_TIMEOUT_S = 10
# How often a file is tried when it runs into a deadlock.
ATTEMPTS = 5


class MigrationError(Exception):
    """The database can't be migrated to the version of this code; the text gives the reason in one line."""


@dataclass(frozen=True, slots=True)
class Migration:
    """One numbered SQL file."""

    number: int
    name: str
    sql: str


def load(package: str) -> list[Migration]:
    """The migrations in the folder `migrations` of `package`, ordered by number."""
    found = [
        Migration(int(match[1]), file.name, file.read_text())
        for file in (resources.files(package) / "migrations").iterdir()
        if (match := _FILE.fullmatch(file.name))
    ]
    return sorted(found, key=lambda migration: migration.number)


def migrate(url: str, schema: str, migrations: list[Migration]) -> list[str]:
    """Applies the migrations that `schema` lacks and returns their file names.

    Raises MigrationError when the database is newer than this code, can't be reached, needs a migration but
    takes no writes, or refuses a file.
    """
    try:
        options = {"connect_timeout": _CONNECT_TIMEOUT_S, **parse_dsn(url), **primary_options(url)}
        connection = psycopg2.connect(**options)
    except psycopg2.OperationalError as error:
        raise MigrationError(f"the database can't be reached: {_reason(error)}") from error
    try:
        return _apply(connection, schema, migrations)
    except psycopg2.Error as error:
        raise MigrationError(f"schema {schema} can't be brought up to date: {_reason(error)}") from error
    finally:
        connection.close()


def main(package: str, schema: str) -> int:
    """Runs `python -m <package>.migrate`; returns the exit code."""
    url = os.environ.get("MESSENGER_DATABASE_URL")
    if not url:
        print("MESSENGER_DATABASE_URL is not set", file=sys.stderr)
        return 1
    try:
        applied = migrate(url, schema, load(package))
    except MigrationError as error:
        print(error, file=sys.stderr)
        return 1
    for name in applied:
        print(f"{schema}: applied {name}")
    return 0


def _apply(connection: Connection, schema: str, migrations: list[Migration]) -> list[str]:
    connection.autocommit = True
    applied: list[str] = []
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_lock(%s)", (_LOCK,))
        done = _done(cursor, schema)
        newest = max((m.number for m in migrations), default=0)
        if done and max(done) > newest:
            raise MigrationError(
                f"schema {schema} is at version {max(done)}, newer than this release ({newest})"
            )
        missing = [migration for migration in migrations if migration.number not in done]
        if missing and not done:
            _make_schema(cursor, schema)
        for migration in missing:
            _apply_one(cursor, schema, migration)
            applied.append(migration.name)
    return applied


def _done(cursor: Cursor, schema: str) -> set[int]:
    """The numbers of the applied migrations. Reads only, so it works on a read-only database."""
    cursor.execute("SELECT to_regclass(%s) IS NOT NULL", (f'"{schema}".migrations',))
    if not cursor.fetchall()[0][0]:
        return set()
    cursor.execute(f'SELECT number FROM "{schema}".migrations')
    return {row[0] for row in cursor.fetchall()}


def _make_schema(cursor: Cursor, schema: str) -> None:
    cursor.execute(f'CREATE SCHEMA IF NOT EXISTS "{schema}"')
    cursor.execute(
        f'CREATE TABLE IF NOT EXISTS "{schema}".migrations '
        "(number integer PRIMARY KEY, name text NOT NULL, applied_at timestamptz NOT NULL DEFAULT now())"
    )


def _apply_one(cursor: Cursor, schema: str, migration: Migration) -> None:
    for left in reversed(range(ATTEMPTS)):
        try:
            _attempt(cursor, schema, migration)
            return
        except psycopg2.Error as error:
            # Running services take locks in another order. The file was rolled back, so it can be retried.
            if isinstance(error, DeadlockDetected) and left:
                continue
            raise MigrationError(f"{migration.name} failed: {_reason(error)}") from error


def _attempt(cursor: Cursor, schema: str, migration: Migration) -> None:
    record = f'INSERT INTO "{schema}".migrations (number, name) VALUES (%s, %s)'
    cursor.execute("BEGIN")
    try:
        cursor.execute(migration.sql)
        cursor.execute(record, (migration.number, migration.name))
        cursor.execute("COMMIT")
    except psycopg2.Error:
        cursor.execute("ROLLBACK")
        raise


def _reason(error: psycopg2.Error) -> str:
    """The first line of PostgreSQL's error text."""
    return str(error).strip().partition("\n")[0]
