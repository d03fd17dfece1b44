"""Classifies PostgreSQL's errors: a bug in our code, or something that can't be done now.

Whatever the table doesn't name is a bug, and clients get `internal`.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum, auto
from typing import Final

import psycopg2


class Failure(Enum):
    """The kinds of failures. All but BUG become AppError(unavailable)."""

    # The statement or the data is wrong, or something is corrupt. A retry would not help.
    BUG = auto()
    # This statement can't be run now, but the server is healthy.
    TEMPORARY = auto()
    # The server lacks what writes need: disk, memory, a sound file system.
    OUT_OF_RESOURCES = auto()
    # The server takes no writes: it is a standby, or was set to read-only.
    READ_ONLY = auto()
    # The server doesn't answer, or refuses logins.
    UNREACHABLE = auto()


# By SQLSTATE or its beginning; the longest match counts.
FAILURES: Final[Mapping[str, Failure]] = {
    "08": Failure.UNREACHABLE,  # The connection failed. Poolers report it for the server behind them.
    "25006": Failure.READ_ONLY,
    "25P02": Failure.TEMPORARY,  # The transaction had failed before. Its connection is closed.
    "25P03": Failure.TEMPORARY,  # The session was idle in a transaction for too long.
    "25P04": Failure.TEMPORARY,  # The transaction took too long.
    "28": Failure.UNREACHABLE,  # The login failed, for example while passwords are changed.
    "3D": Failure.UNREACHABLE,  # No such database, for example while it is restored.
    "40": Failure.TEMPORARY,  # Rolled back: a deadlock, a conflict, or a standby that had to catch up.
    "53": Failure.OUT_OF_RESOURCES,  # Out of disk, memory or connections.
    "55": Failure.TEMPORARY,  # Locked or in use by another session.
    "57": Failure.TEMPORARY,  # Cancelled by a timeout or an operator.
    "57P01": Failure.UNREACHABLE,  # Shutting down.
    "57P02": Failure.UNREACHABLE,  # Crashed.
    "57P03": Failure.UNREACHABLE,  # Starting up.
    "58": Failure.OUT_OF_RESOURCES,  # The system below PostgreSQL failed, for example a disk.
    "72": Failure.TEMPORARY,  # The snapshot is too old.
}
_LONGEST: Final = 5
_SHORTEST: Final = 2
# When psycopg2 raises one of these without an answer from the server, our call was wrong.
_MISUSE: Final = (
    psycopg2.ProgrammingError,
    psycopg2.DataError,
    psycopg2.IntegrityError,
    psycopg2.NotSupportedError,
)


def failure_of(error: BaseException) -> Failure:
    """The kind of an error that was raised while a statement ran."""
    if isinstance(error, TimeoutError):
        return Failure.UNREACHABLE
    if not isinstance(error, psycopg2.Error):
        return Failure.BUG
    if error.pgcode is None:
        # libpq gives no code for a connection that was lost or could not be made.
        return Failure.BUG if isinstance(error, _MISUSE) else Failure.UNREACHABLE
    return failure_of_code(error.pgcode)


def failure_of_code(code: str) -> Failure:
    """The kind of failure for an SQLSTATE."""
    for length in range(_LONGEST, _SHORTEST - 1, -1):
        if (found := FAILURES.get(code[:length])) is not None:
            return found
    return Failure.BUG
