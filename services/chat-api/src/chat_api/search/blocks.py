"""Makes blocks of the search index from messages."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from chat_api.search.grams import HAS_FILE, HAS_LINK, conversation_gram, gram, sender_gram, text_grams
from chat_api.search.layout import Range
from chat_api.search.texts import has_link, searched_texts


class IndexedMessage(NamedTuple):
    """What the index has to know of a message."""

    is_deleted: bool
    sender_id: int
    content: str | None
    has_file: bool
    file_names: list[str] | None
    created_at: datetime


class Block(NamedTuple):
    """A block as the index has it."""

    conversation_id: str
    range: Range
    newest_at: datetime
    grams: set[int]


def make_block(conversation_id: str, range_: Range, messages: Sequence[IndexedMessage]) -> Block:
    """The block of these messages. Those that are deleted leave no grams."""
    texts: list[str] = []
    grams = {conversation_gram(conversation_id)}
    for message in messages:
        if message.is_deleted:
            continue
        texts += searched_texts(message.content, message.file_names or ())
        grams.add(sender_gram(message.sender_id))
        if message.has_file:
            grams.add(gram(HAS_FILE))
        if has_link(message.content):
            grams.add(gram(HAS_LINK))
    newest_at = max(message.created_at for message in messages)
    return Block(conversation_id, range_, newest_at, grams | text_grams(texts))
