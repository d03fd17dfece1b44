"""Decides whether a message is sent again."""

from __future__ import annotations

import hashlib
from typing import Final

from chat_api.model import Draft, SentMessage

FINGERPRINT_BYTES: Final = 8


def fingerprint(type_: str, content: str) -> bytes:
    """A hash of a message's type and first text; must equal messenger.fingerprint in the database."""
    return hashlib.sha256(f"{type_}\n{content}".encode()).digest()[:FINGERPRINT_BYTES]


def is_same_message(draft: Draft, sent: SentMessage) -> bool:
    """Whether `draft` repeats the stored message as it was sent, before any edit or deletion."""
    message = sent.message
    if message["conversation_id"] != draft.conversation_id:
        return False
    files = [file["file_id"] for file in message.get("attachments", ())]
    wanted = draft.file_url, draft.attachments or []
    # A deleted message no longer has its files.
    if message["deleted_at"] is None and (message["file_url"], files) != wanted:
        return False
    text = draft.content if draft.sent_content is None else draft.sent_content
    return sent.fingerprint in (None, fingerprint(draft.type, text))
