"""Owns the events on the bus: their types, and the form in which one bus message carries several.

A bus message is one JSON line, a list of headers, then the frames themselves end to end. The frames are
the very bytes that clients get, so a gateway neither parses nor encodes them again; the headers tell it
what it needs in order to route and to order them.
"""

from __future__ import annotations

import time
from collections.abc import Iterable
from enum import StrEnum
from typing import Any, Final, NamedTuple

import orjson

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
TYPING_START: Final = "typing.start"
TYPING_STOP: Final = "typing.stop"
USER_ONLINE: Final = "user.online"
USER_OFFLINE: Final = "user.offline"
USER_AWAY: Final = "user.away"
PRESENCE_BATCH: Final = "presence.batch"

# More than the longest message takes, and less than a socket's buffer.
MAX_FRAME_BYTES: Final = 512 * 1024


class Between(StrEnum):
    """What gateways are told on a user's channel, by each other or an operator, and no client ever sees."""

    SESSIONS_REVOKED = "sessions.revoked"
    SOCKETS_ASKED = "sockets.asked"
    SOCKETS_COUNTED = "sockets.counted"


BETWEEN: Final = frozenset(Between)


class Event(NamedTuple):
    """One event: `pos` is 0 unless it is durable; `user_id` is whom it concerns, or 0.

    `at` is when it was put on the bus, right after its commit (Unix time); 0 if it came another way.
    """

    type: str
    conversation_id: str
    pos: int
    user_id: int
    frame: bytes
    at: float = 0.0


def encode_frame(type_: str, **fields: Any) -> bytes:
    """The JSON text of a frame that clients get."""
    return orjson.dumps({"type": type_, **fields})


def pack(events: Iterable[Event]) -> bytes:
    """One bus message of `events`, in their order."""
    batch = list(events)
    at = time.time()
    headers = [(e.type, e.conversation_id, e.pos, e.user_id, len(e.frame), at) for e in batch]
    return b"\n".join((orjson.dumps(headers), b"".join([e.frame for e in batch])))


def unpack(payload: bytes) -> list[Event]:
    """The events of a bus message; raises ValueError when it is none."""
    head, separator, frames = payload.partition(b"\n")
    if not separator:
        raise ValueError("no header line")
    events: list[Event] = []
    start = 0
    try:
        for type_, conversation_id, pos, user_id, length, at in orjson.loads(head):
            if not _is_event(type_, conversation_id, pos, user_id, length, at):
                raise ValueError("malformed header")
            if type_ not in BETWEEN and not frames.startswith(b"{", start):
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
    """Whether a header has what its readers count on, whoever put it on the bus."""
    return (
        type(type_) is str
        and type(conversation_id) is str
        and type(pos) is int
        and type(user_id) is int
        and type(length) is int
        and type(at) is float
        and pos >= 0
        and 0 < length <= MAX_FRAME_BYTES
    )
