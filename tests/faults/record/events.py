"""Reads what clients get: messages, files, reactions, pins and members of a conversation.

They come by frames and REST.

Every member gets the same bytes, so each text is parsed once only.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, NamedTuple, Self

import orjson

HISTORY = "history"
REMOVED = "participant.removed"
ADDED = "participant.added"
NEW = "message.new"
MESSAGE_CHANGES = frozenset(("message.edited", "message.deleted"))
_OF_MESSAGES = MESSAGE_CHANGES | {NEW}
REACTIONS = "message.reactions"
PINS = "conversation.pins"
FILES = "message.files"
_OF_ROOMS = frozenset((ADDED, REMOVED, "participant.updated", "conversation.created", "conversation.updated"))

Frame = dict[str, Any]


class Key(NamedTuple):
    """What identifies a send, before and after it is stored."""

    sender_id: int
    client_message_id: str


class Stored(NamedTuple):
    """A message in one of its states; a deleted one has no content. `mentions` are the mentioned users."""

    id: str
    seq: int
    pos: int
    version: int
    key: Key
    content: str | None
    mentions: tuple[int, ...] = ()

    @classmethod
    def of(cls, data: Frame) -> Self:
        """Reads the message in `data`, as frames and REST carry it."""
        key = Key(data["sender_id"], data["client_message_id"])
        mentions = tuple(data["mentions"]["user_ids"]) if "mentions" in data else ()
        return cls(data["id"], data["seq"], data["pos"], data["version"], key, data["content"], mentions)

    @property
    def changes(self) -> int:
        """How many positions the message has taken so far."""
        return self.version + (self.content is None)


class Reactions(NamedTuple):
    """The reactions to a message: for each emoji, how many users and the first of them."""

    message_id: str
    counts: tuple[tuple[str, int, tuple[int, ...]], ...]

    @classmethod
    def of(cls, message_id: str, counts: Iterable[Frame]) -> Self:
        """Reads `counts`, as frames and REST carry them."""
        return cls(message_id, tuple((row["emoji"], row["count"], tuple(row["user_ids"])) for row in counts))


class Attached(NamedTuple):
    """The files of a message with this id, as JSON with sorted names: equal states are equal texts."""

    id: str
    files: bytes

    @classmethod
    def of(cls, id_: str, attachments: Iterable[Frame]) -> Self:
        """Reads `attachments`, as frames, REST and the tables carry them."""
        return cls(id_, orjson.dumps(list(attachments), option=orjson.OPT_SORT_KEYS))

    @property
    def rows(self) -> list[Frame]:
        """The files as dicts, in the message's order."""
        rows: list[Frame] = orjson.loads(self.files)
        return rows

    @property
    def is_pending(self) -> bool:
        """Whether one of the files is being examined, so that an event follows."""
        return any(row["state"] == "pending" for row in self.rows)

    @property
    def file_ids(self) -> list[str]:
        """The ids of the files, in the message's order."""
        return [row["file_id"] for row in self.rows]


@dataclass(frozen=True, slots=True)
class ReceivedEvent:
    """One durable event that a client got.

    `user_id` is the user of a membership change, `users` are those who were added together. `pins` are the
    pinned messages, newest first. `changes` tells how many new reactions a live event reports. `attached`
    are a message's files, if it has any.
    """

    room: str
    type: str
    pos: int
    replay: bool = False
    user_id: int = 0
    message: Stored | None = None
    users: tuple[int, ...] = ()
    reactions: Reactions | None = None
    pins: tuple[str, ...] | None = None
    changes: int = 0
    attached: Attached | None = None

    @classmethod
    def from_history(cls, data: Frame) -> Self:
        """Reads a message of a page of history, with its reactions and files."""
        return cls(
            data["conversation_id"],
            HISTORY,
            data["pos"],
            message=Stored.of(data),
            reactions=Reactions.of(data["id"], data.get("reactions", ())),
            attached=_attached(data),
        )

    @classmethod
    def from_pins(cls, room: str, rows: Iterable[Frame]) -> Self:
        """Reads the list of a conversation's pins."""
        return cls(room, HISTORY, 0, pins=tuple(row["message"]["id"] for row in rows))

    @property
    def is_annotation(self) -> bool:
        """Whether the event gives the state of reactions or pins."""
        return self.reactions is not None or self.pins is not None

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


def shown_offline(frame: Frame) -> set[int]:
    """Returns the users whom a frame shows as offline."""
    if frame["type"] == "user.offline":
        return {frame["user_id"]}
    if frame["type"] == "presence.batch":
        return {row["user_id"] for row in frame["users"] if row["status"] == "offline"}
    return set()


def _parse_event(frame: Frame) -> ReceivedEvent | None:
    type_ = frame["type"]
    place = (frame["conversation_id"], type_, frame["pos"], "replay" in frame)
    if type_ in _OF_MESSAGES:
        return ReceivedEvent(*place, message=Stored.of(frame["data"]), attached=_attached(frame["data"]))
    if type_ == FILES:
        return ReceivedEvent(*place, attached=Attached.of(frame["message_id"], frame["attachments"]))
    if type_ == REACTIONS:
        reactions = Reactions.of(frame["message_id"], frame["counts"])
        return ReceivedEvent(*place, reactions=reactions, changes=len(frame.get("changes", ())))
    if type_ == PINS:
        return ReceivedEvent(*place, pins=tuple(frame["message_ids"]))
    if type_ in _OF_ROOMS:
        users = tuple(row["user_id"] for row in frame.get("users", ()))
        return ReceivedEvent(*place, user_id=frame.get("user_id", 0), users=users)
    return None


def _attached(data: Frame) -> Attached | None:
    return Attached.of(data["id"], data["attachments"]) if data.get("attachments") else None
