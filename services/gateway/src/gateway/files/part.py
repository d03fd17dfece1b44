"""One upload on the disk: an open file whose lock this process holds. Its methods block: use threads."""

from __future__ import annotations

import fcntl
import os
import threading
from io import FileIO
from pathlib import Path
from typing import Final

COPIED_BYTES: Final = 1024**2


class Part:
    """The bytes of an upload so far. Nobody else writes or moves them while it is open."""

    def __init__(self, path: Path, file: FileIO) -> None:
        self._path = path
        self._file = file
        # A cancelled task closes the part while a thread may still be about to write to it.
        self._guard = threading.Lock()

    @classmethod
    def open(cls, path: Path, *, create: bool) -> Part | None:
        """The part; None if it is locked, not there, or moved or removed before the lock was granted."""
        try:
            file = FileIO(os.open(path, os.O_RDWR | (os.O_CREAT if create else 0), 0o600), "r+")
        except FileNotFoundError:
            if create:
                # The folder itself is gone.
                raise
            return None
        try:
            fcntl.flock(file.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB)
            if os.path.samestat(os.fstat(file.fileno()), path.stat()):
                return cls(path, file)
        except (BlockingIOError, FileNotFoundError):
            pass
        file.close()
        return None

    def size(self) -> int:
        """How many bytes there are."""
        with self._guard:
            return os.fstat(self._file.fileno()).st_size

    def write(self, chunk: bytes, offset: int) -> None:
        """Writes all of `chunk` at `offset`."""
        with self._guard:
            self._write(chunk, offset)

    def copy(self, source: Path) -> None:
        """Replaces all bytes by those of `source`."""
        with self._guard, source.open("rb") as file:
            self._file.truncate(0)
            offset = 0
            while chunk := file.read(COPIED_BYTES):
                self._write(chunk, offset)
                offset += len(chunk)

    def move(self, target: Path) -> None:
        """Moves the bytes to `target` once they are on the disk. If the disk loses them, they go."""
        with self._guard:
            try:
                os.fsync(self._file.fileno())
            except OSError:
                # From now on, nobody knows which of them are there.
                self._path.unlink()
                raise
            target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._path.rename(target)
        for folder in (target.parent, target.parent.parent):
            _sync_folder(folder)

    def remove(self) -> None:
        """Removes the bytes for good, unless they were moved."""
        with self._guard:
            self._path.unlink(missing_ok=True)

    def close(self) -> None:
        """Gives the lock back."""
        with self._guard:
            self._file.close()

    def _write(self, chunk: bytes, offset: int) -> None:
        rest = memoryview(chunk)
        while rest:
            written = os.pwrite(self._file.fileno(), rest, offset)
            rest, offset = rest[written:], offset + written


def _sync_folder(folder: Path) -> None:
    file = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(file)
    finally:
        os.close(file)
