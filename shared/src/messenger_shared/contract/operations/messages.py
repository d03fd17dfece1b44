"""Operations on messages."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from marshmallow import ValidationError, fields, validate, validates_schema

from messenger_shared.contract import errors
from messenger_shared.contract.operations.operation import (
    CHAT_API,
    ON_CONVERSATION,
    Command,
    Operation,
    Route,
    ServerRoute,
    no_content,
    ok,
    responds,
)
from messenger_shared.contract.schemas.fields import (
    BLANK,
    CLIENT_ID_CHARS,
    MESSAGE_TYPES,
    URL_CHARS,
    ContentField,
    IntegerField,
    NameField,
    RequestSchema,
    TextField,
    UuidField,
    cursor,
    page_limit,
)
from messenger_shared.contract.schemas.files import FILE_NAME_CHARS, FileIdList
from messenger_shared.contract.schemas.mentions import check_mentions, wanted_entities, wanted_mentions
from messenger_shared.contract.schemas.resources import (
    SYSTEM,
    MessagePageSchema,
    MessageSchema,
    PositionSchema,
    ReaderPageSchema,
    ReadSchema,
    VersionPageSchema,
)
from messenger_shared.contract.text.blank import is_blank

# The types that need no file.
_TEXTS: Final = ("text", SYSTEM)
NEEDS_FILE: Final = "An image or a file needs one."


class SendRequest(RequestSchema):
    """A new message: a text, files, or both. The types `image` and `file` need a file."""

    conversation_id = UuidField(required=True)
    content = ContentField(may_be_blank=True, load_default="")
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
    file_name = NameField(FILE_NAME_CHARS, load_default=None, allow_none=True)
    file_size = IntegerField(load_default=None, allow_none=True)
    attachments = FileIdList()
    mentions = wanted_mentions()
    entities = wanted_entities()

    def is_surely_valid(self, body: Mapping[str, Any]) -> bool:
        """Whether the rules below surely accept `body`: true for text, as most messages are.

        A body with mentions doesn't come here: the fast path knows no nested fields.
        """
        return body["message_type"] == "text" and not is_blank(body["content"])

    @validates_schema
    def _require_content(self, data: dict[str, Any], **kwargs: Any) -> None:
        if data["file_url"] is not None or data["attachments"]:
            return
        if data["message_type"] not in _TEXTS:
            raise ValidationError(NEEDS_FILE, "file_url")
        if is_blank(data["content"]):
            raise ValidationError(BLANK, "content")

    @validates_schema
    def _check_mentions(self, data: dict[str, Any], **kwargs: Any) -> None:
        check_mentions(data)


class EditRequest(RequestSchema):
    """A new text for a message, with its mentions. It may be blank only if the message has a file.

    With `expected_version` the edit fails if the message was changed in the meantime.
    """

    message_id = UuidField(required=True)
    # Only chat-api knows whether the message has a file.
    content = ContentField(may_be_blank=True, required=True)
    expected_version = IntegerField(low=1, high=2**31 - 1, load_default=None, allow_none=True)
    mentions = wanted_mentions()
    entities = wanted_entities()

    def is_surely_valid(self, body: Mapping[str, Any]) -> bool:
        """True: a body with mentions doesn't come here, as with SendRequest."""
        return True

    @validates_schema
    def _check_mentions(self, data: dict[str, Any], **kwargs: Any) -> None:
        check_mentions(data)


class MessageRequest(RequestSchema):
    """One message."""

    message_id = UuidField(required=True)


class ReadRequest(RequestSchema):
    """How far the caller has read, as `message_id` or `seq`; or from which `seq` on to mark as unread."""

    conversation_id = UuidField(required=True)
    message_id = UuidField(load_default=None, allow_none=True)
    seq = IntegerField(load_default=None, allow_none=True)
    mark_unread_from = IntegerField(low=1, load_default=None, allow_none=True)

    @validates_schema
    def _require_one_position(self, data: dict[str, Any], **kwargs: Any) -> None:
        given = [name for name in ("message_id", "seq", "mark_unread_from") if data[name] is not None]
        if len(given) != 1:
            raise ValidationError("Give one of message_id, seq and mark_unread_from.", "message_id")


class MessagePartsRequest(MessageRequest):
    """A page of a message's readers or versions."""

    cursor = cursor()
    limit = page_limit()


# Where a page of history starts.
_STARTS: Final = ("before_seq", "after_seq", "before", "around", "cursor")


class HistoryRequest(RequestSchema):
    """A page of a conversation's messages. At most one field of _STARTS may be given.

    `around` is a message's id: half of the page is older than that message.
    """

    conversation_id = UuidField(required=True)
    before_seq = IntegerField(load_default=None)
    after_seq = IntegerField(load_default=None)
    before = UuidField(load_default=None)
    around = UuidField(load_default=None)
    cursor = cursor()
    limit = page_limit()

    @validates_schema
    def _require_one_start(self, data: dict[str, Any], **kwargs: Any) -> None:
        given = [name for name in _STARTS if data[name] is not None]
        if len(given) > 1:
            raise ValidationError(f"Give only one of {', '.join(_STARTS)}.", given[1])


@responds(201, 200)
def stored(answer: Any) -> tuple[int, Any]:
    """201 with a new message, 200 with the one that was stored before."""
    return (200 if answer["duplicate"] else 201), answer["data"]


def _with_data(body: dict[str, Any], answer: Any) -> dict[str, Any]:
    return {"message_id": answer["id"], "conversation_id": answer["conversation_id"], "data": answer}


def _ids(body: dict[str, Any], answer: Any) -> dict[str, Any]:
    return {"message_id": answer["id"], "conversation_id": answer["conversation_id"]}


def _counters(answer: Any) -> dict[str, Any]:
    counters = {"read_seq": answer["read_seq"], "unread": answer["unread"]}
    # An older chat-api does not count them.
    return counters | {"unread_mentions": answer.get("unread_mentions", 0)}


def _read(body: dict[str, Any], answer: Any) -> dict[str, Any]:
    ids = {"message_id": body["message_id"], "conversation_id": answer["conversation_id"]}
    return ids | _counters(answer)


@responds(200)
def _position(answer: Any) -> tuple[int, Any]:
    return 200, _counters(answer)


_PATH: Final = "/conversations/{conversation_id}/messages"
_OF_TEXTS: Final = (errors.MESSAGE_TOO_LONG, errors.MENTION_ALL_REFUSED, errors.MESSAGE_REJECTED)
_MESSAGE_ERRORS: Final = (errors.INVALID_FRAME, errors.FORBIDDEN, errors.NOT_MEMBER, errors.NOT_FOUND)

SEND: Final = Operation(
    name="message.send",
    summary="Send a message",
    service=CHAT_API,
    request=SendRequest(),
    answer=MessageSchema(),
    key="conversation_id",
    new_id="message_id",
    route=Route("POST", _PATH, stored, {"Idempotency-Key": "client_message_id"}),
    command=Command(("message.send",), "message.sent", answers_without_ref=True),
    errors=(
        *ON_CONVERSATION,
        errors.INVALID_FRAME,
        errors.FORBIDDEN,
        errors.IDEMPOTENCY_CONFLICT,
        *_OF_TEXTS,
        errors.FILE_NOT_READY,
        errors.RATE_LIMITED,
    ),
)
HISTORY: Final = Operation(
    name="message.history",
    summary="Get messages",
    service=CHAT_API,
    request=HistoryRequest(),
    answer=MessagePageSchema(),
    key="conversation_id",
    route=Route("GET", _PATH, ok),
    errors=(errors.INVALID_CONVERSATION_ID, errors.INVALID_FRAME, errors.NOT_MEMBER, errors.NOT_FOUND),
)

EDIT: Final = Operation(
    name="message.edit",
    summary="Edit a message",
    service=CHAT_API,
    request=EditRequest(),
    answer=MessageSchema(),
    key="message_id",
    route=Route("PUT", "/messages/{message_id}", ok),
    command=Command(("message.edit",), "message.edited", _with_data),
    errors=(*_MESSAGE_ERRORS, errors.VERSION_CONFLICT, *_OF_TEXTS),
)
DELETE: Final = Operation(
    name="message.delete",
    summary="Delete a message",
    service=CHAT_API,
    request=MessageRequest(),
    answer=MessageSchema(),
    key="message_id",
    route=Route("DELETE", "/messages/{message_id}", no_content),
    server=ServerRoute("DELETE", "/messages/{message_id}", no_content, ("messages", "moderation")),
    command=Command(("message.delete",), "message.deleted", _ids),
    errors=_MESSAGE_ERRORS,
)
READ: Final = Operation(
    name="message.read",
    summary="Mark a message as read",
    service=CHAT_API,
    request=MessageRequest(),
    answer=ReadSchema(),
    key="message_id",
    command=Command(("message.read", "read.receipt"), "read.confirmed", _read, answers_without_ref=True),
    errors=(errors.INVALID_FRAME, errors.NOT_MEMBER, errors.NOT_FOUND),
)
READ_UP_TO: Final = Operation(
    name="conversation.read",
    summary="Mark a conversation as read or unread",
    service=CHAT_API,
    request=ReadRequest(),
    answer=PositionSchema(),
    key="conversation_id",
    route=Route("PUT", "/conversations/{conversation_id}/read", _position),
    errors=(errors.INVALID_CONVERSATION_ID, errors.INVALID_FRAME, errors.NOT_MEMBER, errors.NOT_FOUND),
)
READERS: Final = Operation(
    name="message.readers",
    summary="List who has read a message",
    service=CHAT_API,
    request=MessagePartsRequest(),
    answer=ReaderPageSchema(),
    key="message_id",
    route=Route("GET", "/messages/{message_id}/readers", ok),
    errors=(errors.INVALID_FRAME, errors.NOT_MEMBER, errors.NOT_FOUND),
)
VERSIONS: Final = Operation(
    name="message.versions",
    summary="List the earlier texts of a message",
    service=CHAT_API,
    request=MessagePartsRequest(),
    answer=VersionPageSchema(),
    key="message_id",
    route=Route("GET", "/messages/{message_id}/history", ok),
    errors=_MESSAGE_ERRORS,
)

OPERATIONS: Final = (SEND, HISTORY, EDIT, DELETE, READ, READ_UP_TO, READERS, VERSIONS)
