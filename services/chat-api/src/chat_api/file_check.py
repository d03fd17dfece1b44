"""Compares the rows of files with a folder that has their bytes, in both directions."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from psycopg2.extensions import cursor as Cursor

READY: Final = "ready"
# Thumbs and parts begin with the id of their file.
ID_LENGTH: Final = 36
_ROWS: Final = "SELECT id::text, state, size FROM messenger.files"


def compare_files(cursor: Cursor, folder: Path) -> list[str]:
    """One line per file without its bytes, and per bytes without a file.

    Each statement of `cursor` must see the newest rows, since files come and go meanwhile: a row is there
    before its bytes and longer than these. Other bytes, of another size, may replace a file's meanwhile.
    """
    before = _ready_files(cursor)
    whole = {path.name: path.stat().st_size for path in folder.glob("ready/*/*")}
    others = [*folder.glob("parts/*"), *folder.glob("thumbs/*/*")]
    found = {*whole, *(path.name[:ID_LENGTH] for path in others)}
    cursor.execute(_ROWS)
    known = {row[0] for row in cursor.fetchall()}
    after = _ready_files(cursor)
    lost = [
        name for name, size in before.items() if name in after and whole.get(name) not in (size, after[name])
    ]
    return [
        *(f"violated: every file has its bytes: {name}" for name in lost),
        *(f"violated: all bytes belong to a file: {name}" for name in sorted(found - known)),
    ]


def _ready_files(cursor: Cursor) -> dict[str, int]:
    cursor.execute(f"{_ROWS} WHERE state = %s", (READY,))
    return {name: size for name, _, size in cursor.fetchall()}
