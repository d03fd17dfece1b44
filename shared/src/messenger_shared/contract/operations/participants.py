"""Operations on the members of a conversation."""

from __future__ import annotations

from typing import Final

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
)
from messenger_shared.contract.schemas.fields import (
    MAX_PARTICIPANTS,
    ROLES,
    ConversationRequest,
    ShortList,
    cursor,
    page_limit,
    user_id,
)
from messenger_shared.contract.schemas.resources import (
    EmptySchema,
    ParticipantPageSchema,
    ParticipantSchema,
)

_PATH: Final = "/conversations/{conversation_id}/participants"
# What a host's key must allow.
_SCOPES: Final = ("conversations",)


class ParticipantsRequest(ConversationRequest):
    """A page of the members."""

    cursor = cursor()
    limit = page_limit()


class AddRequest(ConversationRequest):
    """The new members, and their role."""

    user_ids = ShortList(user_id(), 1, MAX_PARTICIPANTS, required=True)
    role = fields.String(load_default="member", validate=validate.OneOf(ROLES))


class ParticipantRequest(ConversationRequest):
    """One member."""

    user_id = user_id(required=True)


class RoleRequest(ParticipantRequest):
    """A member's new role."""

    role = fields.String(required=True, validate=validate.OneOf(ROLES))


_ERRORS: Final = (*ON_CONVERSATION, errors.INVALID_FRAME, errors.FORBIDDEN)

LIST: Final = Operation(
    name="participant.list",
    summary="List the members",
    service=CHAT_API,
    request=ParticipantsRequest(),
    answer=ParticipantPageSchema(),
    key="conversation_id",
    route=Route("GET", _PATH, ok),
    errors=(*ON_CONVERSATION, errors.INVALID_FRAME),
)
ADD: Final = Operation(
    name="participant.add",
    summary="Add members",
    service=CHAT_API,
    request=AddRequest(),
    answer=ParticipantPageSchema(),
    key="conversation_id",
    route=Route("POST", _PATH, ok),
    server=ServerRoute("POST", _PATH, ok, _SCOPES),
    errors=(*_ERRORS, errors.UNKNOWN_USER),
)
REMOVE: Final = Operation(
    name="participant.remove",
    summary="Remove a member",
    service=CHAT_API,
    request=ParticipantRequest(),
    answer=EmptySchema(),
    key="conversation_id",
    route=Route("DELETE", _PATH + "/{user_id}", no_content),
    server=ServerRoute("DELETE", _PATH + "/{user_id}", no_content, _SCOPES),
    errors=_ERRORS,
)
SET_ROLE: Final = Operation(
    name="participant.update",
    summary="Change a member's role",
    service=CHAT_API,
    request=RoleRequest(),
    answer=ParticipantSchema(),
    key="conversation_id",
    route=Route("PATCH", _PATH + "/{user_id}", ok),
    server=ServerRoute("PATCH", _PATH + "/{user_id}", ok, _SCOPES),
    errors=_ERRORS,
)

OPERATIONS: Final = (LIST, ADD, REMOVE, SET_ROLE)
