"""Owns what chat-api needs of a store, so that the rest doesn't know which one it is."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

from chat_api.model import (
    ConversationData,
    Draft,
    MemberChange,
    Membership,
    MessageData,
    MessageFacts,
    Missed,
    NewConversation,
    ReadPosition,
    Sent,
    SettingsData,
    Verdict,
)


class MessageStore(Protocol):
    """Messages; every method raises AppError(unavailable) when the store is away."""

    async def store(self, drafts: Sequence[Draft]) -> list[Verdict]:
        """Stores a batch in one transaction; the verdicts are in the order of `drafts`."""

    async def sent(self, ids: Sequence[str], senders: Sequence[int]) -> dict[str, Sent]:
        """The messages with these ids, each by the sender in the same place."""

    async def page(
        self, conversation_id: str, caller: int, start: int, limit: int, forward: bool
    ) -> list[MessageData]:
        """Up to `limit` messages with a seq below `start` (newest first), or above it (oldest first).

        Without what was said while the caller was away.
        """

    async def edit(
        self, message_id: str, user_id: int, content: str, expected_version: int | None
    ) -> MessageData:
        """The message with its new text; raises AppError as the rules have it."""

    async def delete(self, message_id: str, user_id: int) -> MessageData:
        """The tombstone; deleting again changes nothing. Raises AppError as the rules have it."""

    async def facts(self, message_id: str, user_id: int) -> MessageFacts | None:
        """What is known of the message and of the user's part in its conversation."""

    async def versions(self, message_id: str, caller: int, after: int, limit: int) -> list[dict[str, Any]]:
        """Up to `limit` earlier texts above version `after`, the oldest first."""


class ReceiptStore(Protocol):
    """Read positions; raises like MessageStore."""

    async def read(self, conversation_id: str, user_id: int, seq: int) -> ReadPosition:
        """Moves the position of a member forward to `seq`, or to the last message if that is before."""

    async def readers(
        self, conversation_id: str, caller: int, seq: int, sender_id: int, after: int, limit: int
    ) -> list[dict[str, Any]]:
        """Up to `limit` members above user id `after`, but for the sender, who have read up to `seq`."""


class ConversationStore(Protocol):
    """Conversations and who is in them; raises like MessageStore."""

    async def create(self, new: NewConversation) -> tuple[str, bool]:
        """The id, and whether it is new: a second direct conversation of the same two is the first one."""

    async def describe(self, conversation_id: str, caller: int) -> ConversationData | None:
        """The conversation with its first hundred members."""

    async def rename(self, conversation_id: str, caller: int, title: str) -> int | None:
        """The pos of the new title, or None if it has it already; raises AppError as the rules have it."""

    async def membership(self, conversation_id: str, user_id: int) -> Membership | None:
        """None for a stranger, and for a conversation that doesn't exist."""

    async def list_for(
        self, user_id: int, before: tuple[int, str] | None, limit: int
    ) -> list[tuple[int, ConversationData]]:
        """The user's conversations, newest activity first, each with its activity in microseconds."""

    async def memberships(self, user_ids: Sequence[int]) -> dict[int, list[tuple[str, int, int]]]:
        """Per user every conversation that he is in, its last pos, the pos at which he came back, or 0."""

    async def standings(self, user_id: int, after: str | None, limit: int) -> list[dict[str, Any]]:
        """Where up to `limit` of the user's conversations stand, by id above `after`."""

    async def member_ids(self, conversation_id: str, caller: int, limit: int) -> list[int]:
        """The first `limit` members."""

    async def heads(self, conversation_ids: Sequence[str]) -> dict[str, int]:
        """The last pos of each."""


class ChangeStore(Protocol):
    """What happened in a conversation. Raises like the reads of MessageStore."""

    async def missed(self, conversation_id: str, caller: int, pos: int, limit: int) -> Missed | None:
        """All that changed above `pos`, up to `limit` of each kind; None if there is no such conversation.

        With a `caller` (else 0) without what was said while he was away.
        """


class ParticipantStore(Protocol):
    """Who is in a conversation. Changes raise AppError as the rules have it, reads like MessageStore."""

    async def add(
        self, conversation_id: str, caller: int, user_ids: Sequence[int], role: str
    ) -> list[MemberChange]:
        """Brings in those who aren't in."""

    async def remove(self, conversation_id: str, caller: int, user_id: int) -> list[MemberChange]:
        """Takes one out, who may be the caller; the last admin is followed by the longest-standing member."""

    async def leave(self, conversation_id: str, caller: int) -> list[MemberChange] | int:
        """Like `remove` of oneself; a direct is put away instead, and its last pos returned."""

    async def set_role(
        self, conversation_id: str, caller: int, user_id: int, role: str
    ) -> list[MemberChange]:
        """Gives one another role, unless no admin would be left."""

    async def page(self, conversation_id: str, caller: int, after: int, limit: int) -> list[dict[str, Any]]:
        """Up to `limit` members above user id `after`."""

    async def one(self, conversation_id: str, caller: int, user_id: int) -> dict[str, Any] | None:
        """One member."""


class ContactStore(Protocol):
    """Who shares a conversation with whom; raises like MessageStore."""

    async def among(self, user_id: int, user_ids: Sequence[int]) -> list[int]:
        """Those of `user_ids` who are in a conversation with the user."""

    async def page(self, user_id: int, after: int, limit: int) -> list[int]:
        """The first `limit` above `after` of all who are in a conversation with the user, he included."""


class OperatorStore(Protocol):
    """What operators do; raises like MessageStore."""

    async def close(self, conversation_id: str) -> list[MemberChange]:
        """Removes everybody, for good; nobody where there is no such conversation, or no longer."""

    async def post(self, conversation_id: str, message_id: str, content: str) -> MessageData | None:
        """The system message, stored once; None where there is no such conversation."""


class SettingsStore(Protocol):
    """Notification settings; raises like MessageStore."""

    async def get(self, conversation_id: str, user_id: int) -> SettingsData:
        """The settings, or the defaults."""

    async def update(self, conversation_id: str, user_id: int, wanted: SettingsData) -> SettingsData:
        """The settings with what is in `wanted`."""
