"""Declares what telling of events reads: the log of what changed where, and the changes themselves."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import NamedTuple, Protocol

from chat_api.model import ConversationChanges


class ChangeStore(Protocol):
    """Changes of conversations, in their latest state. Raises AppError(unavailable) if it is away."""

    async def after(self, conversation_id: str, caller: int, pos: int) -> ConversationChanges | None:
        """The changes above `pos`, as many as one answer may have; None if there is no such conversation.

        A `caller` other than 0 doesn't get what happened to messages that were sent while they were not a
        member.
        """

    async def after_each(self, positions: Mapping[str, int], limit: int) -> dict[str, ConversationChanges]:
        """The changes of each conversation after its pos, by conversation, as nobody in particular sees them.

        At most `limit` of each kind; `to` says how far these are all. Unknown conversations are left out.
        """


class LogRow(NamedTuple):
    """A conversation has changes above `after`, up to `upto`. `waits`: a webhook's backlog has it already."""

    number: int
    conversation_id: str
    after: int
    upto: int
    at: datetime
    waits: bool = False


class LogHead(NamedTuple):
    """The last number of the log, and the one up to which it is deleted."""

    last: int
    forgotten: int


class EventLog(Protocol):
    """The log of what changed where. Raises AppError(unavailable) if it is away."""

    async def page(self, first: int, limit: int, webhook_id: str | None = None) -> list[LogRow]:
        """The rows from the number `first` on."""

    async def head(self) -> LogHead:
        """How far the log goes, in both directions."""
