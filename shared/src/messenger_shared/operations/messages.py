"""Owns the operations on messages."""

from __future__ import annotations

from typing import Any, Final

from marshmallow import ValidationError, fields, validate, validates_schema

from messenger_shared import errors
from messenger_shared.operations.fields import (
    CLIENT_ID_CHARS,
    ContentField,
    IntegerField,
    RequestSchema,
    TextField,
    UuidField,
    cursor,
    page_limit,
)
from messenger_shared.operations.operation import CHAT_API, Command, Operation, Route, ok
from messenger_shared.operations.resources import MessagePageSchema, MessageSchema

TYPES: Final = ("text", "image", "file")
URL_CHARS: Final = 2_048
FILE_NAME_CHARS: Final = 255


class SendRequest(RequestSchema):
    """A message to be."""

    conversation_id = UuidField(required=True)
    content = ContentField(required=True)
    message_type = fields.String(load_default="text", validate=validate.OneOf(TYPES))
    client_message_id = TextField(1, CLIENT_ID_CHARS, load_default=None, allow_none=True)
    reply_to = UuidField(load_default=None, allow_none=True)
    file_url = fields.Url(
        schemes={"http", "https"},
        load_default=None,
        allow_none=True,
        require_tld=False,
        validate=validate.Length(max=URL_CHARS),
    )
    file_name = TextField(1, FILE_NAME_CHARS, load_default=None, allow_none=True)
    file_size = IntegerField(load_default=None, allow_none=True)


class HistoryRequest(RequestSchema):
    """A page of a conversation's messages: at most one of the ways to say where it starts."""

    conversation_id = UuidField(required=True)
    before_seq = IntegerField(load_default=None)
    after_seq = IntegerField(load_default=None)
    before = UuidField(load_default=None)
    cursor = cursor()
    limit = page_limit()

    @validates_schema
    def _one_start(self, data: dict[str, Any], **kwargs: Any) -> None:
        given = [name for name in ("before_seq", "after_seq", "before", "cursor") if data[name] is not None]
        if len(given) > 1:
            raise ValidationError("Give one of before_seq, after_seq, before and cursor.", given[1])


def _sent(body: dict[str, Any], answer: Any) -> dict[str, Any]:
    message = answer["message"]
    return {
        "message_id": message["id"],
        "conversation_id": message["conversation_id"],
        "data": message,
        "duplicate": answer["duplicate"],
    }


def _stored(answer: Any) -> tuple[int, Any]:
    return (200 if answer["duplicate"] else 201), answer["message"]


SEND: Final = Operation(
    name="message.send",
    service=CHAT_API,
    request=SendRequest(),
    answer=MessageSchema(),
    key="conversation_id",
    new_id="message_id",
    route=Route(
        "POST",
        "/conversations/{conversation_id}/messages",
        _stored,
        {"Idempotency-Key": "client_message_id"},
    ),
    command=Command(("message.send",), "message.sent", _sent, always=True),
    errors=(
        errors.INVALID_CONVERSATION_ID,
        errors.INVALID_FRAME,
        errors.MESSAGE_TOO_LONG,
        errors.FORBIDDEN,
        errors.NOT_MEMBER,
        errors.NOT_FOUND,
        errors.IDEMPOTENCY_CONFLICT,
    ),
)
HISTORY: Final = Operation(
    name="message.history",
    service=CHAT_API,
    request=HistoryRequest(),
    answer=MessagePageSchema(),
    key="conversation_id",
    route=Route("GET", "/conversations/{conversation_id}/messages", ok),
    errors=(errors.INVALID_CONVERSATION_ID, errors.INVALID_FRAME, errors.NOT_MEMBER, errors.NOT_FOUND),
)

OPERATIONS: Final = (SEND, HISTORY)
