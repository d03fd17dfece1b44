"""Operations behind the admin commands, from the gateway to chat-api. Clients can't reach them."""

from __future__ import annotations

from typing import Final

from messenger_shared.contract.operations.operation import CHAT_API, Operation
from messenger_shared.contract.schemas.fields import ContentField, ConversationRequest
from messenger_shared.contract.schemas.resources import AnySchema


class PostRequest(ConversationRequest):
    """A system message for all members of a conversation."""

    content = ContentField(required=True)


CLOSE: Final = Operation(
    "operator.close", CHAT_API, ConversationRequest(), AnySchema(), key="conversation_id"
)
POST: Final = Operation(
    "operator.post", CHAT_API, PostRequest(), AnySchema(), key="conversation_id", new_id="message_id"
)

OPERATIONS: Final = (CLOSE, POST)
