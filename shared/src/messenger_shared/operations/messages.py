"""Owns the operations on messages."""

from __future__ import annotations

from typing import Any, Final

from marshmallow import ValidationError, fields, validate, validates_schema

from messenger_shared import errors
from messenger_shared.operations.fields import (
    CLIENT_ID_CHARS,
    MESSAGE_TYPES,
    ContentField,
    IntegerField,
    RequestSchema,
    TextField,
    UuidField,
    cursor,
    page_limit,
)
from messenger_shared.operations.operation import CHAT_API, Command, Operation, Route, gone, ok, responds
from messenger_shared.operations.resources import (
    MessagePageSchema,
    MessageSchema,
    PositionSchema,
    ReaderPageSchema,
    ReadSchema,
    VersionPageSchema,
)

URL_CHARS: Final = 2_048
FILE_NAME_CHARS: Final = 255


class SendRequest(RequestSchema):
    """A message to be."""

    conversation_id = UuidField(required=True)
    content = ContentField(required=True)
    message_type = fields.String(load_default="text", validate=validate.OneOf(MESSAGE_TYPES))
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


class EditRequest(RequestSchema):
    """A new text for a message; `expected_version` guards against an edit of somebody else in between."""

    message_id = UuidField(required=True)
    content = ContentField(required=True)
    expected_version = IntegerField(low=1, high=2**31 - 1, load_default=None, allow_none=True)


class MessageRequest(RequestSchema):
    """One message."""

    message_id = UuidField(required=True)


class ReadRequest(RequestSchema):
    """How far the caller has read: a message, or its seq."""

    conversation_id = UuidField(required=True)
    message_id = UuidField(load_default=None, allow_none=True)
    seq = IntegerField(load_default=None, allow_none=True)

    @validates_schema
    def _one_of_both(self, data: dict[str, Any], **kwargs: Any) -> None:
        if (data["message_id"] is None) == (data["seq"] is None):
            raise ValidationError("Give either message_id or seq.", "message_id")


class MessagePartsRequest(MessageRequest):
    """A page of what belongs to a message."""

    cursor = cursor()
    limit = page_limit()


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


@responds(201, 200)
def _stored(answer: Any) -> tuple[int, Any]:
    return (200 if answer["duplicate"] else 201), answer["data"]


def _changed(body: dict[str, Any], answer: Any) -> dict[str, Any]:
    return {"message_id": answer["id"], "conversation_id": answer["conversation_id"], "data": answer}


def _named(body: dict[str, Any], answer: Any) -> dict[str, Any]:
    return {"message_id": answer["id"], "conversation_id": answer["conversation_id"]}


def _read(body: dict[str, Any], answer: Any) -> dict[str, Any]:
    return {
        "message_id": body["message_id"],
        "conversation_id": answer["conversation_id"],
        "read_seq": answer["read_seq"],
        "unread": answer["unread"],
    }


@responds(200)
def _position(answer: Any) -> tuple[int, Any]:
    return 200, {"read_seq": answer["read_seq"], "unread": answer["unread"]}


_OF_ONE_MESSAGE: Final = (errors.INVALID_FRAME, errors.FORBIDDEN, errors.NOT_MEMBER, errors.NOT_FOUND)

SEND: Final = Operation(
    name="message.send",
    summary="Send a message",
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
    command=Command(("message.send",), "message.sent", always=True),
    errors=(
        errors.INVALID_CONVERSATION_ID,
        errors.INVALID_FRAME,
        errors.MESSAGE_TOO_LONG,
        errors.FORBIDDEN,
        errors.NOT_MEMBER,
        errors.NOT_FOUND,
        errors.IDEMPOTENCY_CONFLICT,
        errors.RATE_LIMITED,
    ),
)
HISTORY: Final = Operation(
    name="message.history",
    summary="Read the history",
    service=CHAT_API,
    request=HistoryRequest(),
    answer=MessagePageSchema(),
    key="conversation_id",
    route=Route("GET", "/conversations/{conversation_id}/messages", ok),
    errors=(errors.INVALID_CONVERSATION_ID, errors.INVALID_FRAME, errors.NOT_MEMBER, errors.NOT_FOUND),
)

EDIT: Final = Operation(
    name="message.edit",
    summary="Change a message",
    service=CHAT_API,
    request=EditRequest(),
    answer=MessageSchema(),
    key="message_id",
    route=Route("PUT", "/messages/{message_id}", ok),
    command=Command(("message.edit",), "message.edited", _changed),
    errors=(*_OF_ONE_MESSAGE, errors.MESSAGE_TOO_LONG, errors.VERSION_CONFLICT),
)
DELETE: Final = Operation(
    name="message.delete",
    summary="Delete a message",
    service=CHAT_API,
    request=MessageRequest(),
    answer=MessageSchema(),
    key="message_id",
    route=Route("DELETE", "/messages/{message_id}", gone),
    command=Command(("message.delete",), "message.deleted", _named),
    errors=_OF_ONE_MESSAGE,
)
READ: Final = Operation(
    name="message.read",
    summary="Say that a message was read",
    service=CHAT_API,
    request=MessageRequest(),
    answer=ReadSchema(),
    key="message_id",
    command=Command(("message.read", "read.receipt"), "read.confirmed", _read, always=True),
    errors=(errors.INVALID_FRAME, errors.NOT_MEMBER, errors.NOT_FOUND),
)
READ_UP_TO: Final = Operation(
    name="conversation.read",
    summary="Say how far the caller has read",
    service=CHAT_API,
    request=ReadRequest(),
    answer=PositionSchema(),
    key="conversation_id",
    route=Route("PUT", "/conversations/{conversation_id}/read", _position),
    errors=(errors.INVALID_CONVERSATION_ID, errors.INVALID_FRAME, errors.NOT_MEMBER, errors.NOT_FOUND),
)
READERS: Final = Operation(
    name="message.readers",
    summary="See who has read a message",
    service=CHAT_API,
    request=MessagePartsRequest(),
    answer=ReaderPageSchema(),
    key="message_id",
    route=Route("GET", "/messages/{message_id}/readers", ok),
    errors=(errors.INVALID_FRAME, errors.NOT_MEMBER, errors.NOT_FOUND),
)
VERSIONS: Final = Operation(
    name="message.versions",
    summary="See the earlier texts of a message",
    service=CHAT_API,
    request=MessagePartsRequest(),
    answer=VersionPageSchema(),
    key="message_id",
    route=Route("GET", "/messages/{message_id}/history", ok),
    errors=_OF_ONE_MESSAGE,
)

OPERATIONS: Final = (SEND, HISTORY, EDIT, DELETE, READ, READ_UP_TO, READERS, VERSIONS)
