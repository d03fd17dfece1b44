"""Owns the words for how present somebody is, and the form in which a change of it travels."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, NamedTuple

import orjson

from messenger_shared.clock import from_unix

ONLINE: Final = "online"
AWAY: Final = "away"
OFFLINE: Final = "offline"
# What somebody chose to be; all others see him offline.
INVISIBLE: Final = "invisible"

EVERYONE: Final = "everyone"
CONTACTS: Final = "contacts"
NOBODY: Final = "nobody"


class Change(NamedTuple):
    """How one user is seen from now on, on presence:{user}.

    `version` grows over all users, so that what arrives late is known for it. `seen_ms` is when an offline
    user was last there (since 1970), None for one who is there or doesn't tell. `hides` says that he doesn't
    tell, and therefore isn't told it of others.
    """

    version: int
    user_id: int
    status: str
    at_ms: int
    seen_ms: int | None
    hides: bool


def pack(changes: Iterable[Change]) -> bytes:
    """One bus message."""
    return orjson.dumps([list(change) for change in changes])


def unpack(payload: bytes) -> list[Change]:
    """The changes in a bus message; raises ValueError."""
    try:
        return [Change(*row) for row in orjson.loads(payload)]
    except TypeError as error:
        raise ValueError("malformed changes") from error


def moment(ms: int | None) -> str | None:
    """Milliseconds since 1970 as the wire has them."""
    return None if ms is None else from_unix(ms / 1000)
