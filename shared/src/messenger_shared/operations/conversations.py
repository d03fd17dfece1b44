"""Owns the operations on conversations."""

from __future__ import annotations

from typing import Any, Final

from marshmallow import fields, validate

from messenger_shared import errors
from messenger_shared.operations.fields import (
    CONVERSATION_TYPES,
    MAX_PARTICIPANTS,
    ConversationRequest,
    RequestSchema,
    ShortList,
    TitleField,
    UuidField,
    cursor,
    page_limit,
    user_id,
)
from messenger_shared.operations.operation import (
    CHAT_API,
    ON_CONVERSATION,
    Operation,
    Route,
    gone,
    ok,
    responds,
)
from messenger_shared.operations.resources import (
    AnySchema,
    ConversationPageSchema,
    ConversationSchema,
    NothingSchema,
    StandingPageSchema,
)


class CreateRequest(RequestSchema):
    """Who talks about what: a direct has one other participant and no title, the others need a title."""

    type = fields.String(required=True, validate=validate.OneOf(CONVERSATION_TYPES))
    title = TitleField(load_default=None, allow_none=True)
    participant_ids = ShortList(user_id(), 0, MAX_PARTICIPANTS, load_default=list)


class ListRequest(RequestSchema):
    """A page of the caller's conversations."""

    limit = page_limit()
    cursor = cursor()


class RenameRequest(ConversationRequest):
    """A new title."""

    title = TitleField(required=True)


class ChangesRequest(ConversationRequest):
    """What changed in a conversation after a position."""

    after_pos = fields.Integer(required=True)


class MembershipsRequest(RequestSchema):
    """Some users."""

    user_ids = fields.List(user_id(), required=True)


class HeadsRequest(RequestSchema):
    """Several conversations."""

    conversation_ids = fields.List(UuidField(), required=True)


@responds(201, 200)
def _created(answer: Any) -> tuple[int, Any]:
    return (201 if answer["created"] else 200), answer["conversation"]


CREATE: Final = Operation(
    name="conversation.create",
    summary="Begin a conversation",
    service=CHAT_API,
    request=CreateRequest(),
    answer=ConversationSchema(),
    new_id="conversation_id",
    route=Route("POST", "/conversations", _created),
    errors=(errors.INVALID_FRAME,),
)
LIST: Final = Operation(
    name="conversation.list",
    summary="List the caller's conversations",
    service=CHAT_API,
    request=ListRequest(),
    answer=ConversationPageSchema(),
    route=Route("GET", "/conversations", ok),
    errors=(errors.INVALID_FRAME,),
)
GET: Final = Operation(
    name="conversation.get",
    summary="Look at a conversation",
    service=CHAT_API,
    request=ConversationRequest(),
    answer=ConversationSchema(),
    key="conversation_id",
    route=Route("GET", "/conversations/{conversation_id}", ok),
    errors=ON_CONVERSATION,
)
UPDATE: Final = Operation(
    name="conversation.update",
    summary="Rename a conversation",
    service=CHAT_API,
    request=RenameRequest(),
    answer=ConversationSchema(),
    key="conversation_id",
    route=Route("PATCH", "/conversations/{conversation_id}", ok),
    errors=(*ON_CONVERSATION, errors.INVALID_FRAME, errors.FORBIDDEN),
)
LEAVE: Final = Operation(
    name="conversation.leave",
    summary="Leave a conversation",
    service=CHAT_API,
    request=ConversationRequest(),
    answer=NothingSchema(),
    key="conversation_id",
    route=Route("DELETE", "/conversations/{conversation_id}", gone),
    errors=(errors.INVALID_CONVERSATION_ID, errors.NOT_FOUND),
)
SYNC: Final = Operation(
    name="conversation.sync",
    summary="See where all of the caller's conversations stand",
    service=CHAT_API,
    request=ListRequest(),
    answer=StandingPageSchema(),
    route=Route("GET", "/sync", ok),
    errors=(errors.INVALID_FRAME,),
)

# Between the gateway and chat-api; no client asks for these.
MEMBERSHIPS: Final = Operation("conversation.memberships", CHAT_API, MembershipsRequest(), AnySchema())
HEADS: Final = Operation("conversation.heads", CHAT_API, HeadsRequest(), AnySchema())
CHANGES: Final = Operation(
    "conversation.changes", CHAT_API, ChangesRequest(), AnySchema(), key="conversation_id"
)
VIEW: Final = Operation("conversation.view", CHAT_API, ConversationRequest(), AnySchema(), "conversation_id")

OPERATIONS: Final = (CREATE, LIST, GET, UPDATE, LEAVE, SYNC, MEMBERSHIPS, HEADS, CHANGES, VIEW)
