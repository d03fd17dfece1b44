"""Operations on conversations and messages for a host application with a server key.

Those that clients have too are rows of their own modules, with a `server` route beside the client's.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from marshmallow import ValidationError, fields, validate, validates_schema

from messenger_shared.contract import errors
from messenger_shared.contract.operations.conversations import CreateRequest
from messenger_shared.contract.operations.messages import SEND, SendRequest, stored
from messenger_shared.contract.operations.operation import (
    CHAT_API,
    Operation,
    ServerRoute,
    no_content,
    ok,
    responds,
)
from messenger_shared.contract.schemas.fields import (
    EXTERNAL_KEY_CHARS,
    MAX_PARTICIPANTS,
    MESSAGE_TYPES,
    ConversationRequest,
    CustomField,
    RequestSchema,
    ShortList,
    TextField,
    user_id,
)
from messenger_shared.contract.schemas.resources import (
    SYSTEM,
    EmptySchema,
    MessageSchema,
    ServerConversationSchema,
)

CONVERSATIONS: Final = "conversations"
MESSAGES: Final = "messages"


class KeyRequest(RequestSchema):
    """A conversation by the host's own key."""

    external_key = TextField(1, EXTERNAL_KEY_CHARS, required=True)


class EnsureRequest(CreateRequest, KeyRequest):
    """The conversation that a key shall have. The first participant of a new group becomes its admin."""

    participant_ids = ShortList(user_id(), 1, MAX_PARTICIPANTS, required=True)
    custom = CustomField()


class ServerSendRequest(SendRequest):
    """A message of the user `sender_id`. Type `system` needs no sender."""

    sender_id = user_id(load_default=None, allow_none=True)
    message_type = fields.String(load_default="text", validate=validate.OneOf((*MESSAGE_TYPES, SYSTEM)))

    def is_surely_valid(self, body: Mapping[str, Any]) -> bool:
        """Whether the other checks surely accept `body`."""
        return body["sender_id"] is not None and super().is_surely_valid(body)

    @validates_schema
    def _has_sender(self, data: dict[str, Any], **kwargs: Any) -> None:
        if data["sender_id"] is None and data["message_type"] != SYSTEM:
            raise ValidationError("Missing data for required field.", "sender_id")


@responds(201, 200)
def _ensured(answer: Any) -> tuple[int, Any]:
    return (201 if answer["created"] else 200), answer["conversation"]


# Hosts are not limited, and not asked about their own messages.
_USERS_ALONE: Final = (errors.RATE_LIMITED, errors.MESSAGE_REJECTED)
_BY_KEY: Final = "/conversations/by-key/{external_key}"

ENSURE: Final = Operation(
    name="server.conversation.ensure",
    summary="Get the conversation with a key of the host's, or create it",
    service=CHAT_API,
    request=EnsureRequest(),
    answer=ServerConversationSchema(),
    key="external_key",
    new_id="conversation_id",
    server=ServerRoute("PUT", _BY_KEY, _ensured, (CONVERSATIONS,)),
    errors=(errors.INVALID_FRAME, errors.KEY_CONFLICT, errors.UNKNOWN_USER),
)
GET_BY_KEY: Final = Operation(
    name="server.conversation.by_key",
    summary="Get the conversation with a key of the host's",
    service=CHAT_API,
    request=KeyRequest(),
    answer=ServerConversationSchema(),
    key="external_key",
    server=ServerRoute("GET", _BY_KEY, ok, (CONVERSATIONS,)),
    errors=(errors.INVALID_FRAME, errors.NOT_FOUND),
)
GET: Final = Operation(
    name="server.conversation.get",
    summary="Get a conversation",
    service=CHAT_API,
    request=ConversationRequest(),
    answer=ServerConversationSchema(),
    key="conversation_id",
    server=ServerRoute("GET", "/conversations/{conversation_id}", ok, (CONVERSATIONS,)),
    errors=(errors.INVALID_CONVERSATION_ID, errors.NOT_FOUND),
)
CLOSE: Final = Operation(
    name="server.conversation.close",
    summary="Close a conversation for all members",
    service=CHAT_API,
    request=ConversationRequest(),
    answer=EmptySchema(),
    key="conversation_id",
    server=ServerRoute("DELETE", "/conversations/{conversation_id}", no_content, (CONVERSATIONS,)),
    errors=(errors.INVALID_CONVERSATION_ID, errors.NOT_FOUND),
)
SEND_AS: Final = Operation(
    name="server.message.send",
    summary="Send a message as a user, or as the system",
    service=CHAT_API,
    request=ServerSendRequest(),
    answer=MessageSchema(),
    key="conversation_id",
    new_id="message_id",
    server=ServerRoute(
        "POST",
        "/conversations/{conversation_id}/messages",
        stored,
        (MESSAGES,),
        {"Idempotency-Key": "client_message_id"},
    ),
    errors=(*(kind for kind in SEND.errors if kind not in _USERS_ALONE), errors.USER_DEACTIVATED),
)

OPERATIONS: Final = (ENSURE, GET_BY_KEY, GET, CLOSE, SEND_AS)
