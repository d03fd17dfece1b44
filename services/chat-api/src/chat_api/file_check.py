"""Compares the rows of files with a folder that has their bytes, in both directions."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from psycopg2.extensions import cursor as Cursor

READY: Final = "ready"
# Their bytes are there too, but may have been replaced by others.
PENDING: Final = "pending"
# Thumbs and parts begin with the id of their file.
ID_LENGTH: Final = 36
_ROWS: Final = "SELECT id::text, state, size FROM messenger.files"


def compare_files(cursor: Cursor, folder: Path) -> list[str]:
    """One line per file without its bytes, and per bytes without a file.

    Each statement of `cursor` must see the newest rows, since files come and go meanwhile: a row is there
    before its bytes and longer than these. Other bytes, of another size, may replace a file's meanwhile.
    """
    before = _kept_files(cursor)
    whole = {path.name: path.stat().st_size for path in folder.glob("ready/*/*")}
    others = [*folder.glob("parts/*"), *folder.glob("thumbs/*/*")]
    found = {*whole, *(path.name[:ID_LENGTH] for path in others)}
    cursor.execute(_ROWS)
    known = {row[0] for row in cursor.fetchall()}
    after = _kept_files(cursor)
    lost = [
        name
        for name, file in before.items()
        if name in after and not _are_there(whole.get(name), file, after[name])
    ]
    return [
        *(f"violated: every file has its bytes: {name}" for name in lost),
        *(f"violated: all bytes belong to a file: {name}" for name in sorted(found - known)),
    ]


def _are_there(size: int | None, before: tuple[str, int], after: tuple[str, int]) -> bool:
    return size in (before[1], after[1]) or (size is not None and PENDING in (before[0], after[0]))


def _kept_files(cursor: Cursor) -> dict[str, tuple[str, int]]:
    """State and size of the files that have bytes, by id."""
    cursor.execute(f"{_ROWS} WHERE state = ANY (%s)", ([READY, PENDING],))
    return {name: (state, size) for name, state, size in cursor.fetchall()}
