"""Owns what operators ask of chat-api; no client has a door to these."""

from __future__ import annotations

from typing import Final

from messenger_shared.operations.fields import ContentField, ConversationRequest
from messenger_shared.operations.operation import CHAT_API, Operation
from messenger_shared.operations.resources import AnySchema


class PostRequest(ConversationRequest):
    """What everybody in a conversation is to read."""

    content = ContentField(required=True)


CLOSE: Final = Operation(
    "operator.close", CHAT_API, ConversationRequest(), AnySchema(), key="conversation_id"
)
POST: Final = Operation(
    "operator.post", CHAT_API, PostRequest(), AnySchema(), key="conversation_id", new_id="message_id"
)

OPERATIONS: Final = (CLOSE, POST)
