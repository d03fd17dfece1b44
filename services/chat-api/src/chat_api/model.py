"""Defines the data that handlers, rules and storage exchange."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

from messenger_shared.contract.events import Event

MessageData = dict[str, Any]
# What a message carries of mentions: {"mentions": {"user_ids", "all"}, and "entities" if there are any}.
MentionsData = dict[str, Any]
ConversationData = dict[str, Any]
SettingsData = dict[str, Any]
UserData = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Draft:
    """A message to be stored. The gateway chooses `id`, so a repeated request doesn't store it twice."""

    id: str
    conversation_id: str
    sender_id: int
    client_message_id: str | None
    type: str
    content: str
    file_url: str | None
    file_name: str | None
    file_size: int | None
    reply_to: str | None
    mentions: MentionsData | None = None
    # The ids of files.
    attachments: list[str] | None = None
    # The text as it was sent, if the host had it replaced.
    sent_content: str | None = None


class Verdict(NamedTuple):
    """The outcome of storing a draft, what remains of its mentions, and its files as in the message.

    Migrations 0001 and 0011 explain the values of `verdict` (send_messages).
    """

    verdict: str
    stored_id: str | None
    seq: int
    pos: int
    created_at: str
    mentions: MentionsData | None
    attachments: list[dict[str, Any]] | None = None


class Edit(NamedTuple):
    """The new text and mentions of a message. `expected_version` may say which version they replace."""

    content: str
    mentions: MentionsData | None
    expected_version: int | None


class EditedMessage(NamedTuple):
    """A message after an edit. `mentioned` are the members whom it mentions and didn't mention before."""

    message: MessageData
    mentioned: list[int]


class SentMessage(NamedTuple):
    """A stored message that was sent again. `fingerprint` is None if it was deleted before migration 0003."""

    message: MessageData
    fingerprint: bytes | None


@dataclass(frozen=True, slots=True)
class Membership:
    """One user in one conversation: type, role, positions, and whether the user has left."""

    type: str
    role: str
    last_seq: int
    last_pos: int
    read_seq: int
    has_left: bool


class MemberChange(NamedTuple):
    """A change of membership. `kind` is `added`, `removed`, or `updated` (another role)."""

    kind: str
    user_id: int
    role: str
    pos: int


class Reaction(NamedTuple):
    """Whether a user's emoji shall be on a message."""

    message_id: str
    user_id: int
    emoji: str
    on: bool


class ReactionVerdict(NamedTuple):
    """The outcome of setting a reaction, and the message's state then. Migration 0009 explains `verdict`.

    `counts` has {emoji, count, user_ids} per emoji, `mine` the emoji of the user.
    """

    verdict: str
    conversation_id: str | None
    pos: int
    counts: list[dict[str, Any]]
    mine: list[str]


class Pins(NamedTuple):
    """The pinned messages of a conversation, newest pin first, and the pos of their last change.

    `changed` says whether a request has changed them.
    """

    conversation_id: str
    pos: int
    message_ids: list[str]
    changed: bool


class ConversationChanges(NamedTuple):
    """The changes of a conversation after a pos, each row in its latest state, in the order of pos.

    They are complete up to the pos `to`.
    """

    to: int
    events: list[Event]


@dataclass(frozen=True, slots=True)
class ConversationState:
    """A conversation's counters and the caller's role in it, read under the conversation's lock."""

    type: str
    role: str
    last_seq: int
    last_pos: int


@dataclass(frozen=True, slots=True)
class MessageFacts:
    """The facts that the rules need about a message and the caller. `role` is None for a stranger."""

    conversation_id: str
    seq: int
    sender_id: int
    version: int
    content: str | None
    has_file: bool
    deleted: bool
    type: str
    role: str | None
    has_left: bool
    mentions: MentionsData | None = None


class UnreadCounts(NamedTuple):
    """What a member has not read in a conversation.

    `marked_from` is the seq from which the member marked messages as unread; others are not told of it.
    """

    conversation_id: str
    read_seq: int
    unread: int
    unread_mentions: int
    last_seq: int
    marked_from: int | None


class ReadPosition(NamedTuple):
    """How far a member has read. `moved`: the position changed; `cleared`: an unread mark was removed."""

    counts: UnreadCounts
    message_id: str | None
    read_at: str
    moved: bool
    cleared: bool


class Profile(NamedTuple):
    """A user as the host sees them. `version` counts changes of the profile."""

    id: int
    external_id: str | None
    name: str | None
    avatar_url: str | None
    version: int
    deactivated: bool
    locale: str | None
    timezone: str | None
    custom: dict[str, Any]
    created_at: str


def user_data(
    id_: int, name: str | None, avatar_url: str | None, version: int, deactivated: bool
) -> UserData:
    """A user as other users see them."""
    return {
        "id": id_,
        "name": name,
        "avatar_url": avatar_url,
        "version": version,
        "deactivated": deactivated,
    }


class Upserted(NamedTuple):
    """The outcome of storing one profile. `changed`: other users see a change."""

    id: int
    changed: bool


class Admitted(NamedTuple):
    """A user who came with a token. `changed`: the token's claims changed what other users see."""

    id: int
    deactivated: bool
    changed: bool


class StoredKey(NamedTuple):
    """A server key, without the digest of its secret."""

    id: str
    name: str
    scopes: list[str]
    created_at: str
    last_used_at: str | None
    revoked_at: str | None


@dataclass(frozen=True, slots=True)
class NewConversation:
    """A conversation to be created. `members` maps user ids to roles; the creator comes first."""

    id: str
    type: str
    title: str | None
    created_by: int
    members: dict[int, str]
    direct_key: str | None


def message_from_draft(draft: Draft, verdict: Verdict) -> MessageData:
    """The message as clients see it, made from a draft that was just stored."""
    message = {
        "id": draft.id,
        "conversation_id": draft.conversation_id,
        "seq": verdict.seq,
        "pos": verdict.pos,
        "version": 1,
        "sender_id": draft.sender_id,
        "content": draft.content,
        "message_type": draft.type,
        "client_message_id": draft.client_message_id,
        "reply_to": draft.reply_to,
        "file_url": draft.file_url,
        "file_name": draft.file_name,
        "file_size": draft.file_size,
        "created_at": verdict.created_at,
        "edited_at": None,
        "deleted_at": None,
    }
    if verdict.attachments:
        message["attachments"] = verdict.attachments
    return message | verdict.mentions if verdict.mentions else message
