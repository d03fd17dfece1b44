"""Owns the log of a run: what each member asked, what came of it, what was delivered to whom, and when."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, NamedTuple, Self

# Not a user: what the final read of the stored history found.
ARCHIVE = 0


class Kind(StrEnum):
    """What an entry tells. A send is invoked once, is unknown any number of times, and ends ok or failed."""

    INVOKE = "invoke"
    OK = "ok"
    FAIL = "fail"
    UNKNOWN = "unknown"
    DELIVERED = "delivered"


class Key(NamedTuple):
    """What a send is known by, before and after it is stored."""

    sender_id: int
    client_message_id: str


class Stored(NamedTuple):
    """What must be the same message for everyone and for ever."""

    id: str
    seq: int
    pos: int
    content: str

    @classmethod
    def of(cls, data: dict[str, Any]) -> Self:
        """The message in `data`, as frames and REST carry it."""
        return cls(data["id"], data["seq"], data["pos"], data["content"])


@dataclass(frozen=True, slots=True)
class Entry:
    """One line. `content` is of an invocation, `stored` of an answer or a delivery."""

    at: float
    kind: Kind
    member: int
    conversation: str
    key: Key
    content: str = ""
    stored: Stored | None = None


class History:
    """The entries of all members, in the order of one clock that never jumps."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self.entries: list[Entry] = []

    def count(self, kind: Kind) -> int:
        """How many entries of a kind there are."""
        return sum(entry.kind is kind for entry in self.entries)

    def invoked(self, conversation: str, key: Key, content: str) -> None:
        """The sender asks for the first time."""
        self._add(Kind.INVOKE, key.sender_id, conversation, key, content=content)

    def acked(self, conversation: str, key: Key, data: dict[str, Any]) -> None:
        """The sender was told that the message is stored."""
        self._add(Kind.OK, key.sender_id, conversation, key, stored=Stored.of(data))

    def failed(self, conversation: str, key: Key) -> None:
        """The sender was told that it is not, and never will be."""
        self._add(Kind.FAIL, key.sender_id, conversation, key)

    def unknown(self, conversation: str, key: Key) -> None:
        """The sender was told nothing, or to ask again."""
        self._add(Kind.UNKNOWN, key.sender_id, conversation, key)

    def delivered(self, member: int, data: dict[str, Any]) -> None:
        """The member saw the message in `data`, live or as history."""
        key = Key(data["sender_id"], data["client_message_id"])
        self._add(Kind.DELIVERED, member, data["conversation_id"], key, stored=Stored.of(data))

    def _add(
        self,
        kind: Kind,
        member: int,
        conversation: str,
        key: Key,
        *,
        content: str = "",
        stored: Stored | None = None,
    ) -> None:
        self.entries.append(Entry(self._clock(), kind, member, conversation, key, content, stored))
