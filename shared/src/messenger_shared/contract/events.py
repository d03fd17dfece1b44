"""Defines the types of events, and encodes several events into one bus message.

A bus message is one JSON line with a list of headers, then all frames. The frames are the exact bytes that
clients get, so the gateway neither parses nor encodes them. The headers have what the gateway needs to route
and order the frames.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import Any, Final, NamedTuple

import orjson

from messenger_shared.contract.identifiers import MAX_INTEGER

MESSAGE_NEW: Final = "message.new"
MESSAGE_EDITED: Final = "message.edited"
MESSAGE_DELETED: Final = "message.deleted"
MESSAGE_READ: Final = "message.read"
UNREAD_UPDATED: Final = "unread.updated"
SETTINGS_UPDATED: Final = "settings.updated"
CONVERSATION_CREATED: Final = "conversation.created"
CONVERSATION_UPDATED: Final = "conversation.updated"
CONVERSATION_DELETED: Final = "conversation.deleted"
PARTICIPANT_ADDED: Final = "participant.added"
PARTICIPANT_REMOVED: Final = "participant.removed"
PARTICIPANT_UPDATED: Final = "participant.updated"
MESSAGE_REACTIONS: Final = "message.reactions"
MESSAGE_FILES: Final = "message.files"
CONVERSATION_PINS: Final = "conversation.pins"
TYPING_START: Final = "typing.start"
TYPING_STOP: Final = "typing.stop"
USER_UPDATED: Final = "user.updated"
USER_ONLINE: Final = "user.online"
USER_OFFLINE: Final = "user.offline"
USER_AWAY: Final = "user.away"
PRESENCE_BATCH: Final = "presence.batch"

# More than the longest message needs, and less than a socket's buffer holds.
MAX_FRAME_BYTES: Final = 512 * 1024


class InternalEvent(StrEnum):
    """Events on a user's channel that are for gateways only. Clients never get them."""

    SESSIONS_REVOKED = "sessions.revoked"
    SOCKETS_ASKED = "sockets.asked"
    SOCKETS_COUNTED = "sockets.counted"
    # From chat-api: the user became a member at `pos`, together with others. The event itself is on the
    # conversation's channel.
    MEMBERSHIP_BEGUN = "membership.begun"


INTERNAL_EVENTS: Final = frozenset(InternalEvent)


class Event(NamedTuple):
    """One event. `pos` is 0 unless it is durable. `user_id` is the user concerned, 0 for several or none.

    `at` is the Unix time when it was put on the bus, right after its commit; 0 if it didn't come by the bus.
    """

    type: str
    conversation_id: str
    pos: int
    user_id: int
    frame: bytes
    at: float = 0.0


def encode_frame(type_: str, **fields: Any) -> bytes:
    """A frame for clients, as JSON."""
    return orjson.dumps({"type": type_, **fields})


def joined_event(conversation_id: str, pos: int, roles: Mapping[int, str]) -> Event:
    """The event that these users (user id -> role) became members at one `pos`.

    For a single user, the frame also has the older fields `user_id` and `role`, and the event has `user_id`.
    Otherwise `joined` finds the users.
    """
    users = [{"user_id": user_id, "role": role} for user_id, role in roles.items()]
    single = users[0] if len(users) == 1 else {}
    frame = encode_frame(PARTICIPANT_ADDED, conversation_id=conversation_id, pos=pos, **single, users=users)
    user_id = next(iter(roles)) if len(users) == 1 else 0
    return Event(PARTICIPANT_ADDED, conversation_id, pos, user_id, frame)


def joined(event: Event) -> dict[int, str]:
    """The users who became members by this event: user id -> role; empty for other types."""
    if event.type != PARTICIPANT_ADDED:
        return {}
    try:
        frame = orjson.loads(event.frame)
        rows = frame.get("users") or [frame]
        return {int(row["user_id"]): str(row["role"]) for row in rows}
    except (ValueError, TypeError, KeyError, AttributeError):
        return {}  # Malformed, so it doesn't come from chat-api.


def pack(events: Iterable[Event]) -> bytes:
    """One bus message with `events`, in order."""
    batch = list(events)
    at = time.time()
    headers = [(e.type, e.conversation_id, e.pos, e.user_id, len(e.frame), at) for e in batch]
    return b"\n".join((orjson.dumps(headers), b"".join([e.frame for e in batch])))


def unpack(payload: bytes) -> list[Event]:
    """The events in a bus message; raises ValueError if it is malformed."""
    head, separator, frames = payload.partition(b"\n")
    if not separator:
        raise ValueError("no header line")
    events: list[Event] = []
    start = 0
    try:
        for type_, conversation_id, pos, user_id, length, at in orjson.loads(head):
            if not _is_event(type_, conversation_id, pos, user_id, length, at):
                raise ValueError("malformed header")
            if type_ not in INTERNAL_EVENTS and not frames.startswith(b"{", start):
                raise ValueError("no frame that a client could read")
            frame = frames[start : start + length]
            events.append(Event(type_, conversation_id, pos, user_id, frame, at))
            start += length
    except TypeError as error:
        raise ValueError("malformed header") from error
    if start != len(frames):
        raise ValueError("frames do not match their headers")
    return events


def _is_event(
    type_: object, conversation_id: object, pos: object, user_id: object, length: object, at: object
) -> bool:
    """Whether a header has the types and ranges that its readers rely on."""
    return (
        type(type_) is str
        and type(conversation_id) is str
        and type(pos) is int
        and type(user_id) is int
        and type(length) is int
        and type(at) is float
        and pos >= 0
        and 0 <= user_id <= MAX_INTEGER
        and 0 < length <= MAX_FRAME_BYTES
    )
