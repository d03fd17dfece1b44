"""Owns what a client is told: messages and changes of a conversation, read from frames and from REST.

Every member gets the same bytes, so a text that was read once is known from then on.
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
    """What a send is known by, before and after it is stored."""

    sender_id: int
    client_message_id: str


class Stored(NamedTuple):
    """A message in one of its states; deleted, it has no content."""

    id: str
    seq: int
    pos: int
    version: int
    key: Key
    content: str | None

    @classmethod
    def of(cls, data: Frame) -> Self:
        """The message in `data`, as frames and REST carry it."""
        key = Key(data["sender_id"], data["client_message_id"])
        return cls(data["id"], data["seq"], data["pos"], data["version"], key, data["content"])

    @property
    def changes(self) -> int:
        """How many positions the message has taken so far."""
        return self.version + (self.content is None)


@dataclass(frozen=True, slots=True)
class Told:
    """One durable thing that a client was told. `user_id` is whom a change of membership is about."""

    room: str
    type: str
    pos: int
    replay: bool = False
    user_id: int = 0
    message: Stored | None = None

    @classmethod
    def from_history(cls, data: Frame) -> Self:
        """A message of a page of history."""
        return cls(data["conversation_id"], HISTORY, data["pos"], message=Stored.of(data))

    @property
    def thing(self) -> object:
        """What it tells the state of."""
        if self.message is not None:
            return self.message.id
        return self.user_id or "conversation"


class Reader:
    """Reads what sockets bring."""

    def __init__(self) -> None:
        self._known: dict[bytes, Told] = {}

    def read(self, text: bytes) -> Told | Frame:
        """A durable event, or any other frame as it is."""
        told = self._known.get(text)
        if told is not None:
            return told
        frame: Frame = orjson.loads(text)
        if "pos" not in frame or "ref" in frame:
            return frame
        told = _told(frame)
        if told is None:
            return frame
        self._known[text] = told
        return told


def _told(frame: Frame) -> Told | None:
    type_ = frame["type"]
    if type_ in _OF_MESSAGES:
        message = Stored.of(frame["data"])
        return Told(frame["conversation_id"], type_, frame["pos"], "replay" in frame, message=message)
    if type_ in _OF_ROOMS:
        user_id = frame.get("user_id", 0)
        return Told(frame["conversation_id"], type_, frame["pos"], "replay" in frame, user_id)
    return None
