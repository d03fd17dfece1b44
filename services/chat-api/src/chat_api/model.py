"""Owns the things that chat-api is about, in the form in which they travel between storage and doors."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

MessageData = dict[str, Any]
ConversationData = dict[str, Any]
SettingsData = dict[str, Any]

FINGERPRINT_BYTES: Final = 8


@dataclass(frozen=True, slots=True)
class Draft:
    """A message that asks to be stored; `id` is the gateway's, so that asking twice is harmless."""

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


class Verdict(NamedTuple):
    """What became of a draft; see send_messages in the first migration for the names."""

    verdict: str
    stored_id: str | None
    seq: int
    pos: int
    created_at: str


class Sent(NamedTuple):
    """A stored message, for who sends it again; no `fingerprint` if it was deleted before there were any."""

    message: MessageData
    fingerprint: bytes | None


@dataclass(frozen=True, slots=True)
class Membership:
    """What is known of one user in one conversation."""

    type: str
    role: str
    last_seq: int
    last_pos: int
    read_seq: int
    left: bool


class MemberChange(NamedTuple):
    """Somebody came (`added`), went (`removed`), or got another role (`updated`)."""

    kind: str
    user_id: int
    role: str
    pos: int


class Missed(NamedTuple):
    """What changed in a conversation after a pos, at one moment: each thing in its latest state, by its pos.

    Messages with whether they are new since; the title as the pos of its change, and the conversation.
    """

    head: int
    messages: list[tuple[MessageData, bool]]
    members: list[MemberChange]
    title: tuple[int, ConversationData] | None


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a conversation stands, and what the caller is in it; read under the conversation's lock."""

    type: str
    role: str
    last_seq: int
    last_pos: int


@dataclass(frozen=True, slots=True)
class MessageFacts:
    """What the rules need to know of a message and of the one who asks; no role means a stranger."""

    conversation_id: str
    seq: int
    sender_id: int
    version: int
    content: str | None
    deleted: bool
    type: str
    role: str | None
    left: bool


class ReadPosition(NamedTuple):
    """How far a member has read; `moved` tells whether it is news."""

    conversation_id: str
    message_id: str | None
    read_seq: int
    read_at: str
    unread: int
    last_seq: int
    moved: bool


@dataclass(frozen=True, slots=True)
class NewConversation:
    """A conversation to be created; `members` maps each user to a role, the creator first."""

    id: str
    type: str
    title: str | None
    created_by: int
    members: dict[int, str]
    direct_key: str | None


def message_of(draft: Draft, verdict: Verdict) -> MessageData:
    """The message as clients see it, of a draft that was just stored."""
    return {
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


def fingerprint(type_: str, content: str) -> bytes:
    """What stays known of a message's first text, as messenger.fingerprint in the database has it."""
    return hashlib.sha256(f"{type_}\n{content}".encode()).digest()[:FINGERPRINT_BYTES]


def is_same_message(draft: Draft, sent: Sent) -> bool:
    """Whether a repeat asks for what was stored, whatever became of that since."""
    if sent.message["conversation_id"] != draft.conversation_id:
        return False
    return sent.fingerprint in (None, fingerprint(draft.type, draft.content))
