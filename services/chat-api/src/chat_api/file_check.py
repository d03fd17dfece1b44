"""Compares the rows of files with the folder or bucket that has their bytes, in both directions."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Final, NamedTuple

from psycopg2.extensions import cursor as Cursor

READY: Final = "ready"
# Their bytes are there too, but may have been replaced by others.
PENDING: Final = "pending"
# Thumbs and parts begin with the id of their file.
ID_LENGTH: Final = 36
# The last line of a bucket's listing, and what stands for the size of an upload under way.
END: Final = "end"
UNDER_WAY: Final = "-"
_ROWS: Final = "SELECT id::text, state, size FROM messenger.files"


class Found(NamedTuple):
    """What a store has: the sizes of whole files, by id, and the ids of files with anything else there."""

    whole: dict[str, int]
    others: set[str]


class Incomplete(Exception):
    """The listing of a bucket was cut off."""


def in_folder(folder: Path) -> Found:
    """What the folder of MESSENGER_FILES_DIR has."""
    whole = {path.name: path.stat().st_size for path in folder.glob("ready/*/*")}
    others = [*folder.glob("parts/*"), *folder.glob("thumbs/*/*")]
    return Found(whole, {path.name[:ID_LENGTH] for path in others})


def in_bucket(lines: Iterable[str]) -> Found:
    """What a bucket has, by the lines of gateway.files.s3.listing. Raises Incomplete."""
    found = Found({}, set())
    for line in map(str.strip, lines):
        if line == END:
            return found
        size, _, key = line.partition(" ")
        name = key.removeprefix("files/")
        if size == UNDER_WAY or len(name) != ID_LENGTH:
            found.others.add(name[:ID_LENGTH])
        else:
            found.whole[name] = int(size)
    raise Incomplete("the listing of the bucket is not complete")


def compare_files(cursor: Cursor, look: Callable[[], Found]) -> list[str]:
    """One line per file without its bytes, and per bytes without a file. `look` looks into the store.

    Each statement of `cursor` must see the newest rows, since files come and go meanwhile: a row is there
    before its bytes and longer than these. Other bytes, of another size, may replace a file's meanwhile.
    """
    before = _kept_files(cursor)
    whole, others = look()
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
        *(
            f"violated: all bytes belong to a file: {name}"
            for name in sorted((whole.keys() | others) - known)
        ),
    ]


def _are_there(size: int | None, before: tuple[str, int], after: tuple[str, int]) -> bool:
    return size in (before[1], after[1]) or (size is not None and PENDING in (before[0], after[0]))


def _kept_files(cursor: Cursor) -> dict[str, tuple[str, int]]:
    """State and size of the files that have bytes, by id."""
    cursor.execute(f"{_ROWS} WHERE state = ANY (%s)", ([READY, PENDING],))
    return {name: (state, size) for name, state, size in cursor.fetchall()}
