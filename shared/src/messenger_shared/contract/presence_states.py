"""Names the presence states, and encodes changes of presence for the bus."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final, NamedTuple

import orjson

from messenger_shared.contract import events
from messenger_shared.contract.timestamps import from_unix

ONLINE: Final = "online"
AWAY: Final = "away"
OFFLINE: Final = "offline"
# The type of the frame that tells of one user.
TYPES: Final = {ONLINE: events.USER_ONLINE, AWAY: events.USER_AWAY, OFFLINE: events.USER_OFFLINE}
# Chosen by the user. All others see the user as offline.
INVISIBLE: Final = "invisible"

EVERYONE: Final = "everyone"
CONTACTS: Final = "contacts"
NOBODY: Final = "nobody"


class Change(NamedTuple):
    """A transition: how others see one user from now on. It is published on presence:{user} and presence:all.

    `version` increases over all users, so late changes can be recognised. `seen_ms` is when an offline user
    was last online, in ms since 1970; None for users who are online or hide it. `hides` says that the user
    hides when they were last seen; such a user isn't shown it of others either.
    """

    version: int
    user_id: int
    status: str
    at_ms: int
    seen_ms: int | None
    hides: bool


def pack(changes: Iterable[Change]) -> bytes:
    """One bus message with `changes`."""
    return orjson.dumps([list(change) for change in changes])


def unpack(payload: bytes) -> list[Change]:
    """The changes in a bus message; raises ValueError."""
    try:
        return [Change(*row) for row in orjson.loads(payload)]
    except TypeError as error:
        raise ValueError("malformed changes") from error


def fields_of(user_id: int, at_ms: int, seen_ms: int | None) -> dict[str, Any]:
    """The fields of a frame that tells of one user. Without `seen_ms`, it has no `last_seen_at`."""
    fields: dict[str, Any] = {"user_id": user_id, "timestamp": moment(at_ms)}
    if seen_ms is not None:
        fields["last_seen_at"] = moment(seen_ms)
    return fields


def moment(ms: int | None) -> str | None:
    """`ms` since 1970 as an RFC 3339 text; None for None."""
    return None if ms is None else from_unix(ms / 1000)
