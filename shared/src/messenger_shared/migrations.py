"""Owns bringing a database up to date with numbered SQL files, each in its own transaction, once.

A runner of its own instead of a library: plain SQL upwards is all we need, and one advisory lock makes any
number of starters safe, which the libraries solve with lock tables that a killed starter leaves behind.
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

_FILE = re.compile(r"(\d{4})_\w+\.sql")
_LOCK = 0x6D657373656E  # The same for every service: they may share a database.
_CONNECT_TIMEOUT_S = 10
# How often a file is tried that meets a deadlock.
ATTEMPTS = 5


class MigrationError(Exception):
    """The database can't be brought to the version of this code; the text says why, in one line."""


@dataclass(frozen=True, slots=True)
class Migration:
    """One numbered SQL file."""

    number: int
    name: str
    sql: str


def load(package: str) -> list[Migration]:
    """The migrations in the folder `migrations` of `package`, by number."""
    found = [
        Migration(int(match[1]), file.name, file.read_text())
        for file in (resources.files(package) / "migrations").iterdir()
        if (match := _FILE.fullmatch(file.name))
    ]
    return sorted(found, key=lambda migration: migration.number)


def migrate(url: str, schema: str, migrations: list[Migration]) -> list[str]:
    """Applies what `schema` lacks and returns the names of the applied files.

    Raises MigrationError when the database is newer than this code, can't be reached, or refuses a file.
    """
    try:
        connection = psycopg2.connect(**{"connect_timeout": _CONNECT_TIMEOUT_S, **parse_dsn(url)})
    except psycopg2.OperationalError as error:
        reason = str(error).strip().partition("\n")[0]
        raise MigrationError(f"the database can't be reached: {reason}") from error
    try:
        return _apply(connection, schema, migrations)
    finally:
        connection.close()


def main(package: str, schema: str) -> int:
    """What `python -m <package>.migrate` does; returns the exit code."""
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
        cursor.execute(f'CREATE SCHEMA IF NOT EXISTS "{schema}"')
        cursor.execute(
            f'CREATE TABLE IF NOT EXISTS "{schema}".migrations '
            "(number integer PRIMARY KEY, name text NOT NULL, applied_at timestamptz NOT NULL DEFAULT now())"
        )
        cursor.execute(f'SELECT number FROM "{schema}".migrations')
        done = {row[0] for row in cursor.fetchall()}
        newest = max((m.number for m in migrations), default=0)
        if done and max(done) > newest:
            raise MigrationError(
                f"schema {schema} is at version {max(done)}, newer than this release ({newest})"
            )
        for migration in migrations:
            if migration.number not in done:
                _apply_one(cursor, schema, migration)
                applied.append(migration.name)
    return applied


def _apply_one(cursor: Cursor, schema: str, migration: Migration) -> None:
    for left in reversed(range(ATTEMPTS)):
        try:
            _attempt(cursor, schema, migration)
            return
        except psycopg2.Error as error:
            # What runs meanwhile takes its locks in an order of its own; nothing of the file has stayed.
            if isinstance(error, DeadlockDetected) and left:
                continue
            reason = str(error).strip().partition("\n")[0]
            raise MigrationError(f"{migration.name} failed: {reason}") from error


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
