"""Loads a shape's rows into a migrated, empty database: by COPY, as the owner of its tables.

The indexes of `messages` are dropped first and built at the end, which is several times quicker. Their
definitions are read from the database, so that it ends up with exactly those of the migrations.
"""

from __future__ import annotations

import io
import itertools
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from typing import Final

import psycopg2
from psycopg2.extensions import cursor as Cursor

from tests.bench.history import rows
from tests.bench.history.shape import Conversation, Shape, conversations

_CHUNK_LINES: Final = 200
_CONSTRAINTS: Final = """
SELECT format('ALTER TABLE %s DROP CONSTRAINT %I', conrelid::regclass, conname),
       format('ALTER TABLE %s ADD CONSTRAINT %I %s', conrelid::regclass, conname, pg_get_constraintdef(oid))
  FROM pg_constraint
 WHERE 'messenger.messages'::regclass IN (conrelid, confrelid) AND contype IN ('p', 'u', 'f')
 ORDER BY contype <> 'f'
"""
_INDEXES: Final = """
SELECT format('DROP INDEX %s', indexrelid::regclass), pg_get_indexdef(indexrelid)
  FROM pg_index
 WHERE indrelid = 'messenger.messages'::regclass
   AND NOT EXISTS (SELECT 1 FROM pg_constraint WHERE conindid = indexrelid)
"""
_RECEIPT_MESSAGES: Final = """
UPDATE messenger.read_receipts r SET message_id = m.id
  FROM messenger.messages m
 WHERE m.conversation_id = r.conversation_id AND m.seq = r.last_read_seq
"""
_MEASURED: Final = (
    "SELECT count(*), pg_size_pretty(pg_database_size(current_database())) FROM messenger.messages"
)


@dataclass(frozen=True, slots=True)
class Loaded:
    """What the database now holds."""

    shape: Shape
    conversations: list[Conversation]
    seconds: float
    size: str


def load(url: str, shape: Shape) -> Loaded:
    """Fills the database with the shape's rows."""
    planned = conversations(shape)
    return Loaded(shape, planned, *fill(url, rows.Rows(planned, shape.seed)))


def fill(url: str, found: rows.Rows) -> tuple[float, str]:
    """Fills the database; it is vacuumed and analysed when this returns. Returns the seconds and its size."""
    begun = time.monotonic()
    with closing(psycopg2.connect(url, connect_timeout=5)) as connection:
        connection.autocommit = True
        with connection.cursor() as cursor:
            cursor.execute("SET synchronous_commit = off; SET maintenance_work_mem = '512MB'; BEGIN")
            restore = _take_down(cursor)
            _copy_all(cursor, found)
            for statement in restore:
                cursor.execute(statement)
            cursor.execute(_RECEIPT_MESSAGES)
            cursor.execute("COMMIT")
            cursor.execute("VACUUM (ANALYZE)")
            cursor.execute("CHECKPOINT")
            cursor.execute(_MEASURED)
            [(count, size)] = cursor.fetchall()
    assert count == found.count, f"{count} messages instead of {found.count}"
    return time.monotonic() - begun, size


def _take_down(cursor: Cursor) -> list[str]:
    """Drops the indexes and constraints of `messages`; returns the statements that restore them."""
    statements: list[tuple[str, str]] = []
    for query in (_CONSTRAINTS, _INDEXES):
        cursor.execute(query)
        statements += cursor.fetchall()
    for drop, _ in statements:
        cursor.execute(drop)
    # Foreign keys were dropped first, and need the unique constraints back before them.
    return [create for _, create in reversed(statements)]


def _copy_all(cursor: Cursor, found: rows.Rows) -> None:
    steps: tuple[tuple[str, tuple[str, ...], Callable[[], Iterator[str]]], ...] = (
        ("messages", rows.MESSAGE_COLUMNS, found.messages),
        ("conversations", rows.CONVERSATION_COLUMNS, found.conversations),
        ("conversation_participants", rows.PARTICIPANT_COLUMNS, found.participants),
        ("participant_absences", rows.ABSENCE_COLUMNS, found.absences),
        ("message_versions", rows.VERSION_COLUMNS, found.versions),
        ("read_receipts", rows.RECEIPT_COLUMNS, found.receipts),
        ("notification_settings", rows.SETTING_COLUMNS, found.settings),
    )
    for table, columns, lines in steps:
        copy = f"COPY messenger.{table} ({', '.join(columns)}) FROM STDIN"
        cursor.copy_expert(copy, _LineStream(lines()))


class _LineStream(io.RawIOBase):
    """A file for COPY to read that never exists as a whole."""

    def __init__(self, lines: Iterator[str]) -> None:
        self._lines = lines
        self._rest = b""

    def read(self, size: int = -1, /) -> bytes:
        """Returns up to `size` bytes; nothing at the end."""
        if not self._rest:
            self._rest = "".join(itertools.islice(self._lines, _CHUNK_LINES)).encode()
        piece, self._rest = (self._rest, b"") if size < 0 else (self._rest[:size], self._rest[size:])
        return piece
