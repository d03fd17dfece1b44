"""Declares the stores as protocols, so that handlers don't depend on PostgreSQL."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from chat_api.model import (
    Admitted,
    ConversationData,
    Draft,
    Edit,
    EditedMessage,
    MemberChange,
    Membership,
    MentionsData,
    MessageData,
    MessageFacts,
    NewConversation,
    Pins,
    Profile,
    Reaction,
    ReactionVerdict,
    ReadPosition,
    SentMessage,
    SettingsData,
    StoredKey,
    UnreadCounts,
    Upserted,
    UserData,
    Verdict,
)


class MessageStore(Protocol):
    """Messages. Every method raises AppError(unavailable) when the store can't be reached."""

    async def store(self, drafts: Sequence[Draft]) -> list[Verdict]:
        """Stores a batch in one transaction. The verdicts are in the order of `drafts`."""

    async def sent(self, ids: Sequence[str], senders: Sequence[int]) -> dict[str, SentMessage]:
        """The messages with these ids, by id. `senders` names each one's sender; others are left out."""

    async def page(
        self, conversation_id: str, caller: int, start: int, limit: int, forward: bool
    ) -> list[MessageData]:
        """Up to `limit` messages: below the seq `start`, newest first; with `forward` above it, oldest first.

        Leaves out messages that were sent while the caller was not a member.
        """

    async def mentioning(self, caller: int, before: int, limit: int) -> list[tuple[int, MessageData]]:
        """Up to `limit` messages that mention the caller, below the number `before`, each with its number.

        The newest mention comes first. Leaves out messages that the caller may not read, and their own.
        """

    async def edit(self, message_id: str, user_id: int, edit: Edit) -> EditedMessage:
        """Replaces the text and the mentions. Raises AppError when the rules refuse it."""

    async def delete(self, message_id: str, user_id: int) -> MessageData:
        """Returns the tombstone; deleting again changes nothing. Raises AppError when the rules refuse it."""

    async def facts(self, message_id: str, user_id: int) -> MessageFacts | None:
        """The facts about the message and the user's membership; None if the user may not know of it."""

    async def versions(self, message_id: str, caller: int, after: int, limit: int) -> list[dict[str, Any]]:
        """Up to `limit` earlier texts with a version above `after`, oldest first."""


class ReactionStore(Protocol):
    """Reactions to messages. Raises like MessageStore."""

    async def store(self, reactions: Sequence[Reaction]) -> list[ReactionVerdict]:
        """Sets or removes a batch in one transaction. The verdicts are in the order of `reactions`."""

    async def page(
        self, message_id: str, caller: int, emoji: str | None, after: int, limit: int
    ) -> list[tuple[int, dict[str, Any]]]:
        """Up to `limit` reactions above the number `after`, with this emoji or any, each with its number."""


class PinStore(Protocol):
    """Pinned messages. Raises like MessageStore."""

    async def set(self, message_id: str, user_id: int, *, is_pinned: bool) -> Pins:
        """Pins or unpins a message. Raises AppError when the rules refuse it."""

    async def page(
        self, conversation_id: str, caller: int, before: int, limit: int
    ) -> list[tuple[int, dict[str, Any]]]:
        """Up to `limit` pins below the number `before`, newest first, each with its number.

        Leaves out messages that were sent while the caller was not a member.
        """


class ReceiptStore(Protocol):
    """Read positions. Raises like MessageStore."""

    async def read(self, conversation_id: str, user_id: int, seq: int) -> ReadPosition:
        """Moves the member's position forward to `seq`, or to the last message if `seq` is above that.

        Removes an unread mark, even if the position doesn't move.
        """

    async def mark(self, conversation_id: str, user_id: int, seq: int) -> ReadPosition:
        """Marks the messages from `seq` on as unread, at least the last one if there is any."""

    async def unread_of(
        self, conversation_id: str, caller: int, user_ids: Sequence[int]
    ) -> list[tuple[int, UnreadCounts]]:
        """The counts of those users who are members, for a caller who is one."""

    async def readers(
        self, conversation_id: str, caller: int, seq: int, sender_id: int, after: int, limit: int
    ) -> list[dict[str, Any]]:
        """Up to `limit` members above user id `after` who have read up to `seq`, without the sender."""


class ConversationStore(Protocol):
    """Conversations and their members. Raises like MessageStore."""

    async def create(self, new: NewConversation) -> tuple[str, bool]:
        """Returns (id, whether it is new). It isn't new if the users have a direct conversation already."""

    async def describe(self, conversation_id: str, caller: int) -> ConversationData | None:
        """The conversation with its first hundred members; None if there is none."""

    async def rename(self, conversation_id: str, caller: int, title: str) -> int | None:
        """Returns the pos of the change, or None if the title is the same. Raises AppError by the rules."""

    async def membership(self, conversation_id: str, user_id: int) -> Membership | None:
        """The user's membership; None for a stranger and for a conversation that doesn't exist."""

    async def list_for(
        self, user_id: int, before: tuple[int, str] | None, limit: int, ids: Sequence[str] | None = None
    ) -> list[tuple[int, ConversationData]]:
        """The user's conversations as (last activity in µs since 1970, conversation), newest first.

        With `ids`, only these.
        """

    async def memberships(self, user_ids: Sequence[int]) -> dict[int, list[tuple[str, int, int]]]:
        """Per user a row for each conversation: (id, last pos, pos at which the user rejoined, or 0)."""

    async def counters(self, user_id: int, after: str | None, limit: int) -> list[dict[str, Any]]:
        """The counters of up to `limit` of the user's conversations with an id above `after`, by id."""

    async def member_ids(self, conversation_id: str, caller: int, limit: int) -> list[int]:
        """The first `limit` members, by user id."""

    async def last_positions(self, conversation_ids: Sequence[str]) -> dict[str, int]:
        """The last pos of each conversation, by id."""


class ParticipantStore(Protocol):
    """Members of conversations. Changes raise AppError by the rules, reads raise like MessageStore."""

    async def add(
        self, conversation_id: str, caller: int, user_ids: Sequence[int], role: str
    ) -> list[MemberChange]:
        """Adds the users who are not members yet, all at one pos."""

    async def remove(self, conversation_id: str, caller: int, user_id: int) -> list[MemberChange]:
        """Removes a member, maybe the caller. The longest-standing member succeeds the last admin."""

    async def leave(self, conversation_id: str, caller: int) -> list[MemberChange] | int:
        """Removes the caller. Hides a direct conversation instead, and returns its last pos."""

    async def set_role(
        self, conversation_id: str, caller: int, user_id: int, role: str
    ) -> list[MemberChange]:
        """Changes a member's role. Raises AppError(forbidden) if no admin would be left."""

    async def page(self, conversation_id: str, caller: int, after: int, limit: int) -> list[dict[str, Any]]:
        """Up to `limit` members with a user id above `after`, by user id."""

    async def get(self, conversation_id: str, caller: int, user_id: int) -> dict[str, Any] | None:
        """One member; None if the user isn't one."""


class ContactStore(Protocol):
    """Contacts: users who share a conversation with a user. Raises like MessageStore."""

    async def among(self, user_id: int, user_ids: Sequence[int]) -> list[int]:
        """Those of `user_ids` who are contacts of the user."""

    async def page(self, user_id: int, after: int, limit: int) -> list[int]:
        """Up to `limit` contacts with a user id above `after`, by user id; the user may be among them."""


class OperatorStore(Protocol):
    """Admin commands on conversations. Raises like MessageStore."""

    async def close(self, conversation_id: str) -> list[MemberChange]:
        """Removes all members for good. Returns [] if the conversation doesn't exist or is closed already."""

    async def post(
        self, conversation_id: str, message_id: str, content: str, mentions: MentionsData | None
    ) -> tuple[MessageData, bool] | None:
        """Stores the system message once. Returns (message, whether it is new); None without conversation.

        Raises AppError(mention_all_refused) if there are too many members to mention all.
        """


class UserStore(Protocol):
    """Users. Raises like MessageStore. A user as others see them is a dict like UserSchema."""

    async def named(self, caller: int, pairs: Sequence[tuple[str, int]]) -> dict[int, UserData]:
        """The users in `pairs` of conversation and user, by id. Leaves out who is or was no member there."""

    async def contacts(self, caller: int, user_ids: Sequence[int]) -> dict[int, UserData]:
        """Those of `user_ids` who share a conversation with the caller, by id."""

    async def find(
        self, caller: int, query: str, after: int, limit: int, *, of_everyone: bool
    ) -> list[UserData]:
        """Up to `limit` users above id `after`, by id. Each word of `query` begins a word of their name."""

    async def profiles(self, caller: int, user_ids: Sequence[int]) -> dict[int, Profile]:
        """Whole profiles by id: the caller's own, or any for the host."""

    async def by_external_ids(self, external_ids: Sequence[str]) -> list[Profile]:
        """The users with these ids of the host's."""

    async def page(self, after: int, limit: int) -> list[Profile]:
        """Up to `limit` users above id `after`, by id."""

    async def admit(self, users: Sequence[Mapping[str, Any]]) -> list[Admitted]:
        """Makes users who come with a token if they are new, and applies the token's claims. In order."""

    async def upsert(self, profiles: Sequence[Mapping[str, Any]]) -> list[Upserted]:
        """Stores profiles, each of another user; fields left out stay. In order.

        Raises AppError: key_conflict; invalid_frame if two profiles are of one user.
        """

    async def set_deactivated(self, user_id: int, *, deactivated: bool) -> None:
        """Changes nothing if it is so already, or if there is no such user."""

    async def conversations(self, user_id: int) -> list[str]:
        """The ids of the conversations that the user is a member of."""


class ServerConversationStore(Protocol):
    """Conversations by the host's own keys. Raises like MessageStore."""

    async def ensure(
        self, key: str, new: NewConversation, custom: dict[str, Any] | None
    ) -> tuple[str, bool, list[MemberChange]]:
        """Returns (id, whether it is new, members added). Raises AppError(key_conflict, unknown_user)."""

    async def by_key(self, key: str) -> str | None:
        """The id of the conversation with this key."""

    async def extras(self, conversation_id: str) -> tuple[dict[str, Any], list[str]] | None:
        """(custom, the host's keys) of a conversation; None if there is none."""


class ServerKeyStore(Protocol):
    """Server keys and the audit of their use. Raises like MessageStore."""

    async def add(self, key_id: str, name: str, digest: str, scopes: Sequence[str]) -> None:
        """Stores a new key."""

    async def all(self) -> list[StoredKey]:
        """All keys, the oldest first."""

    async def use(self, key_id: str, digest: str) -> list[str] | None:
        """The scopes of a valid key; records that it was used now. None if it is wrong or revoked."""

    async def revoke(self, key_id: str) -> bool:
        """Returns whether there is such a key."""

    async def record(self, key_id: str, operation: str, target: str | None) -> None:
        """Records a use of the key."""


class SettingsStore(Protocol):
    """Notification settings. Raises like MessageStore."""

    async def get(self, conversation_id: str, user_id: int) -> SettingsData:
        """The user's settings, or the defaults."""

    async def update(self, conversation_id: str, user_id: int, wanted: SettingsData) -> SettingsData:
        """Changes the settings in `wanted` and returns all of them."""
