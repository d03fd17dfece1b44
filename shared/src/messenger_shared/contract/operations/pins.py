"""Operations on pinned messages."""

from __future__ import annotations

from typing import Any, Final

from marshmallow import Schema, fields, validate

from messenger_shared.contract import errors
from messenger_shared.contract.operations.messages import MessageRequest
from messenger_shared.contract.operations.operation import CHAT_API, Command, Operation, Route, no_content, ok
from messenger_shared.contract.schemas.fields import (
    ConversationRequest,
    MomentField,
    UuidField,
    cursor,
    page_limit,
    user_id,
)
from messenger_shared.contract.schemas.resources import HistoryMessageSchema, PageSchema, users_named

PINS_NAMED: Final = 50


class PinsRequest(ConversationRequest):
    """A page of a conversation's pinned messages."""

    cursor = cursor()
    limit = page_limit()


class PinsSchema(Schema):
    """The pinned messages of a conversation, newest pin first, at most fifty."""

    conversation_id = UuidField(required=True)
    message_ids = fields.List(UuidField(), required=True, validate=validate.Length(max=PINS_NAMED))


class PinSchema(Schema):
    """A pinned message: who pinned it, when, and the message."""

    user_id = user_id(required=True)
    pinned_at = MomentField(required=True)
    message = fields.Nested(HistoryMessageSchema, required=True)


class PinPageSchema(PageSchema):
    """A page of a conversation's pinned messages, newest pin first."""

    items = fields.List(fields.Nested(PinSchema), required=True)
    users = users_named()


def _frame(body: dict[str, Any], answer: Any) -> dict[str, Any]:
    return {"message_id": body["message_id"], "conversation_id": answer["conversation_id"]}


_ERRORS: Final = (errors.INVALID_FRAME, errors.FORBIDDEN, errors.NOT_MEMBER, errors.NOT_FOUND)
_PATH: Final = "/messages/{message_id}/pin"

PIN: Final = Operation(
    name="message.pin",
    summary="Pin a message",
    service=CHAT_API,
    request=MessageRequest(),
    answer=PinsSchema(),
    key="message_id",
    route=Route("PUT", _PATH, ok),
    command=Command(("message.pin",), "pin.ok", _frame),
    errors=_ERRORS,
)
UNPIN: Final = Operation(
    name="message.unpin",
    summary="Unpin a message",
    service=CHAT_API,
    request=MessageRequest(),
    answer=PinsSchema(),
    key="message_id",
    route=Route("DELETE", _PATH, no_content),
    command=Command(("message.unpin",), "pin.ok", _frame),
    errors=_ERRORS,
)
LIST: Final = Operation(
    name="pin.list",
    summary="List the pinned messages",
    service=CHAT_API,
    request=PinsRequest(),
    answer=PinPageSchema(),
    key="conversation_id",
    route=Route("GET", "/conversations/{conversation_id}/pins", ok),
    errors=(errors.INVALID_CONVERSATION_ID, errors.INVALID_FRAME, errors.NOT_MEMBER, errors.NOT_FOUND),
)

OPERATIONS: Final = (PIN, UNPIN, LIST)
