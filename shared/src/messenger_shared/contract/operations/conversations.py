"""Operations on conversations."""

from __future__ import annotations

from typing import Any, Final

from marshmallow import fields, validate

from messenger_shared.contract import errors
from messenger_shared.contract.operations.operation import (
    CHAT_API,
    ON_CONVERSATION,
    Operation,
    Route,
    ServerRoute,
    no_content,
    ok,
    responds,
)
from messenger_shared.contract.schemas.fields import (
    CONVERSATION_TYPES,
    MAX_PARTICIPANTS,
    TITLE_CHARS,
    ConversationRequest,
    IntegerField,
    NameField,
    QueryField,
    RequestSchema,
    ShortList,
    UuidField,
    cursor,
    page_limit,
    user_id,
)
from messenger_shared.contract.schemas.resources import (
    AnySchema,
    ConversationAnswerSchema,
    ConversationCountersPageSchema,
    ConversationPageSchema,
    EmptySchema,
)


class CreateRequest(RequestSchema):
    """A new conversation. Type `direct` has one other participant and no title; other types need a title."""

    type = fields.String(required=True, validate=validate.OneOf(CONVERSATION_TYPES))
    title = NameField(TITLE_CHARS, load_default=None, allow_none=True)
    participant_ids = ShortList(user_id(), 0, MAX_PARTICIPANTS, load_default=list)


class ListRequest(RequestSchema):
    """A page of the caller's conversations.

    With `q`, only those whose title has all words of it. A direct conversation's title is the other's name.
    """

    q = QueryField(load_default=None)
    limit = page_limit()
    cursor = cursor()


class CountersRequest(RequestSchema):
    """A page of the counters of the caller's conversations."""

    limit = page_limit()
    cursor = cursor()


class RenameRequest(ConversationRequest):
    """A new title."""

    title = NameField(TITLE_CHARS, required=True)


class ChangesRequest(ConversationRequest):
    """The changes of a conversation after a `pos`."""

    after_pos = IntegerField(required=True)


class MembershipsRequest(RequestSchema):
    """Users whose memberships are asked for."""

    user_ids = fields.List(user_id(), required=True)


class LastPositionsRequest(RequestSchema):
    """Several conversations."""

    conversation_ids = fields.List(UuidField(), required=True)


@responds(201, 200)
def _created(answer: Any) -> tuple[int, Any]:
    return (201 if answer["created"] else 200), answer["conversation"]


CREATE: Final = Operation(
    name="conversation.create",
    summary="Create a conversation",
    service=CHAT_API,
    request=CreateRequest(),
    answer=ConversationAnswerSchema(),
    new_id="conversation_id",
    route=Route("POST", "/conversations", _created),
    errors=(errors.INVALID_FRAME, errors.UNKNOWN_USER),
)
LIST: Final = Operation(
    name="conversation.list",
    summary="List the caller's conversations, or find them by title",
    service=CHAT_API,
    request=ListRequest(),
    answer=ConversationPageSchema(),
    route=Route("GET", "/conversations", ok),
    errors=(errors.INVALID_FRAME, errors.QUERY_TOO_SHORT),
)
GET: Final = Operation(
    name="conversation.get",
    summary="Get a conversation",
    service=CHAT_API,
    request=ConversationRequest(),
    answer=ConversationAnswerSchema(),
    key="conversation_id",
    route=Route("GET", "/conversations/{conversation_id}", ok),
    errors=ON_CONVERSATION,
)
UPDATE: Final = Operation(
    name="conversation.update",
    summary="Rename a conversation",
    service=CHAT_API,
    request=RenameRequest(),
    answer=ConversationAnswerSchema(),
    key="conversation_id",
    route=Route("PATCH", "/conversations/{conversation_id}", ok),
    server=ServerRoute("PATCH", "/conversations/{conversation_id}", ok, ("conversations",)),
    errors=(*ON_CONVERSATION, errors.INVALID_FRAME, errors.FORBIDDEN),
)
LEAVE: Final = Operation(
    name="conversation.leave",
    summary="Leave a conversation",
    service=CHAT_API,
    request=ConversationRequest(),
    answer=EmptySchema(),
    key="conversation_id",
    route=Route("DELETE", "/conversations/{conversation_id}", no_content),
    errors=(errors.INVALID_CONVERSATION_ID, errors.NOT_FOUND),
)
SYNC: Final = Operation(
    name="conversation.sync",
    summary="Get the counters of the caller's conversations",
    service=CHAT_API,
    request=CountersRequest(),
    answer=ConversationCountersPageSchema(),
    route=Route("GET", "/sync", ok),
    errors=(errors.INVALID_FRAME,),
)

# These are between the gateway and chat-api; clients can't ask for them.
MEMBERSHIPS: Final = Operation("conversation.memberships", CHAT_API, MembershipsRequest(), AnySchema())
# On the bus it has its first name, since gateways and chat-apis of different releases run side by side.
LAST_POSITIONS: Final = Operation("conversation.heads", CHAT_API, LastPositionsRequest(), AnySchema())
CHANGES: Final = Operation(
    "conversation.changes", CHAT_API, ChangesRequest(), AnySchema(), key="conversation_id"
)
VIEW: Final = Operation("conversation.view", CHAT_API, ConversationRequest(), AnySchema(), "conversation_id")

OPERATIONS: Final = (CREATE, LIST, GET, UPDATE, LEAVE, SYNC, MEMBERSHIPS, LAST_POSITIONS, CHANGES, VIEW)
