"""Owns the operations on who is in a conversation."""

from __future__ import annotations

from typing import Final

from marshmallow import fields, validate

from messenger_shared import errors
from messenger_shared.operations.fields import (
    MAX_PARTICIPANTS,
    ROLES,
    ConversationRequest,
    ShortList,
    cursor,
    page_limit,
    user_id,
)
from messenger_shared.operations.operation import CHAT_API, ON_CONVERSATION, Operation, Route, gone, ok
from messenger_shared.operations.resources import NothingSchema, ParticipantPageSchema, ParticipantSchema

_PATH: Final = "/conversations/{conversation_id}/participants"


class ParticipantsRequest(ConversationRequest):
    """A page of the members."""

    cursor = cursor()
    limit = page_limit()


class AddRequest(ConversationRequest):
    """Who is to come in, and as what."""

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
    errors=_ERRORS,
)
REMOVE: Final = Operation(
    name="participant.remove",
    summary="Remove a member",
    service=CHAT_API,
    request=ParticipantRequest(),
    answer=NothingSchema(),
    key="conversation_id",
    route=Route("DELETE", _PATH + "/{user_id}", gone),
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
    errors=_ERRORS,
)

OPERATIONS: Final = (LIST, ADD, REMOVE, SET_ROLE)
