"""Compares the rows of files with a folder that has their bytes, in both directions."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from psycopg2.extensions import cursor as Cursor

READY: Final = "ready"
# Their bytes are there too, but may have been replaced by others.
PENDING: Final = "pending"
_ROWS: Final = "SELECT id::text, state, size FROM messenger.files"


def compare_files(cursor: Cursor, folder: Path) -> list[str]:
    """One line per file without its bytes, and per bytes without a file.

    Each statement of `cursor` must see the newest rows, since files come and go meanwhile: a row is there
    before its bytes and longer than these.
    """
    before = _kept_files(cursor)
    whole = {path.name: path.stat().st_size for path in folder.glob("ready/*/*")}
    parts = {path.name for path in folder.glob("parts/*")}
    cursor.execute(_ROWS)
    known = {row[0] for row in cursor.fetchall()}
    after = _kept_files(cursor)
    lost = [name for name, file in before.items() if name in after and not _is_there(file, whole.get(name))]
    return [
        *(f"violated: every file has its bytes: {name}" for name in lost),
        *(f"violated: all bytes belong to a file: {name}" for name in sorted((parts | whole.keys()) - known)),
    ]


def _is_there(file: tuple[str, int], size: int | None) -> bool:
    state, expected = file
    return size == expected or state == PENDING and size is not None


def _kept_files(cursor: Cursor) -> dict[str, tuple[str, int]]:
    cursor.execute(f"{_ROWS} WHERE state = ANY (%s)", ([READY, PENDING],))
    return {name: (state, size) for name, state, size in cursor.fetchall()}
