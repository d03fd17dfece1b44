"""Reads what clients get: the messages and changes of a conversation, from frames and from REST.

Every member gets the same bytes, so each text is parsed once only.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple, Self

import orjson

HISTORY = "history"
REMOVED = "participant.removed"
ADDED = "participant.added"
NEW = "message.new"
_OF_MESSAGES = frozenset((NEW, "message.edited", "message.deleted"))
_OF_ROOMS = frozenset((ADDED, REMOVED, "participant.updated", "conversation.created", "conversation.updated"))

Frame = dict[str, Any]


class Key(NamedTuple):
    """What identifies a send, before and after it is stored."""

    sender_id: int
    client_message_id: str


class Stored(NamedTuple):
    """A message in one of its states; a deleted one has no content."""

    id: str
    seq: int
    pos: int
    version: int
    key: Key
    content: str | None

    @classmethod
    def of(cls, data: Frame) -> Self:
        """Reads the message in `data`, as frames and REST carry it."""
        key = Key(data["sender_id"], data["client_message_id"])
        return cls(data["id"], data["seq"], data["pos"], data["version"], key, data["content"])

    @property
    def changes(self) -> int:
        """How many positions the message has taken so far."""
        return self.version + (self.content is None)


@dataclass(frozen=True, slots=True)
class ReceivedEvent:
    """One durable event that a client got.

    `user_id` is the user of a membership change, `users` are those who were added together.
    """

    room: str
    type: str
    pos: int
    replay: bool = False
    user_id: int = 0
    message: Stored | None = None
    users: tuple[int, ...] = ()

    @classmethod
    def from_history(cls, data: Frame) -> Self:
        """Reads a message of a page of history."""
        return cls(data["conversation_id"], HISTORY, data["pos"], message=Stored.of(data))

    @property
    def subject(self) -> object:
        """Identifies what the event gives the state of."""
        if self.message is not None:
            return self.message.id
        return self.users or self.user_id or "conversation"

    def concerns(self, user_id: int) -> bool:
        """Whether the event is this user's removal, return or new role."""
        return user_id == self.user_id or user_id in self.users


class FrameReader:
    """Parses what sockets receive."""

    def __init__(self) -> None:
        self._known: dict[bytes, ReceivedEvent] = {}

    def read(self, text: bytes) -> ReceivedEvent | Frame:
        """Returns a durable event as ReceivedEvent, and any other frame unchanged."""
        event = self._known.get(text)
        if event is not None:
            return event
        frame: Frame = orjson.loads(text)
        if "pos" not in frame or "ref" in frame:
            return frame
        event = _parse_event(frame)
        if event is None:
            return frame
        self._known[text] = event
        return event


def _parse_event(frame: Frame) -> ReceivedEvent | None:
    type_ = frame["type"]
    if type_ in _OF_MESSAGES:
        message = Stored.of(frame["data"])
        return ReceivedEvent(
            frame["conversation_id"], type_, frame["pos"], "replay" in frame, message=message
        )
    if type_ in _OF_ROOMS:
        user_id = frame.get("user_id", 0)
        users = tuple(row["user_id"] for row in frame.get("users", ()))
        return ReceivedEvent(
            frame["conversation_id"], type_, frame["pos"], "replay" in frame, user_id, users=users
        )
    return None
