"""Makes what a push says. The contract of it is in shared/docs/protocol.md."""

from __future__ import annotations

from typing import Any, Final, Literal, NamedTuple

import orjson

from chat_api.push.aes128gcm import PAYLOAD_BYTES
from chat_api.push.model import Push
from chat_api.push.rules import TTL_S

# How much of a message a push shows: its text, who and where, or nothing.
Texts = Literal["full", "sender", "none"]
TEXT_CHARS: Final = 500
# For the name of the field and its punctuation.
_MARGIN_BYTES: Final = 16
_TEST_TTL_S: Final = 60


class Shown(NamedTuple):
    """What a push may show of a message."""

    message_id: str
    conversation_type: str
    title: str | None
    sender_id: int
    sender_name: str | None
    message_type: str
    text: str | None


def message_push(
    conversation_id: str,
    seq: int,
    shown: Shown,
    badge: int,
    texts: Texts,
    *,
    is_mentioned: bool,
    age_s: float,
) -> Push:
    """The push of a new message."""
    payload: dict[str, Any] = {
        "type": "message",
        "conversation_id": conversation_id,
        "message_id": shown.message_id,
        "seq": seq,
        "badge": badge,
        "mention": is_mentioned,
    }
    if texts != "none":
        payload["conversation"] = {"type": shown.conversation_type, "title": shown.title}
        payload["sender"] = {"id": shown.sender_id, "name": shown.sender_name}
        payload["message_type"] = shown.message_type
    if texts == "full":
        payload["text"] = _cut(shown.text, PAYLOAD_BYTES - _MARGIN_BYTES - len(orjson.dumps(payload)))
    is_urgent = is_mentioned or shown.conversation_type == "direct"
    return Push(payload, _topic(conversation_id), "high" if is_urgent else "normal", _ttl_s(age_s))


def read_push(conversation_id: str, seq: int, badge: int, age_s: float) -> Push:
    """The push that closes the notification of a conversation up to `seq`."""
    payload = {"type": "read", "conversation_id": conversation_id, "seq": seq, "badge": badge}
    return Push(payload, _topic(conversation_id), "low", _ttl_s(age_s))


def test_push(badge: int) -> Push:
    """The push that a user asked for, to see that it comes."""
    return Push({"type": "test", "badge": badge}, None, "high", _TEST_TTL_S)


def _topic(conversation_id: str) -> str:
    """A topic has at most 32 characters, as many as a UUID has without its hyphens."""
    return conversation_id.replace("-", "")


def _ttl_s(age_s: float) -> int:
    return max(int(TTL_S - age_s), 0)


def _cut(text: str | None, room: int) -> str | None:
    """The beginning of the text. A character is up to six bytes in JSON, so that fewer may have room."""
    if text is None:
        return None
    text = text[:TEXT_CHARS]
    while len(orjson.dumps(text)) > room:
        text = text[: len(text) // 2]
    return text
