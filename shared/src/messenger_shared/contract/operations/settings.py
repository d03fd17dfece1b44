"""Operations on a member's notification settings for a conversation."""

from __future__ import annotations

from typing import Final

from marshmallow import fields, validate

from messenger_shared.contract import errors
from messenger_shared.contract.operations.operation import CHAT_API, ON_CONVERSATION, Operation, Route, ok
from messenger_shared.contract.schemas.fields import (
    BooleanField,
    ConversationRequest,
    MomentField,
)
from messenger_shared.contract.schemas.mentions import NOTIFY
from messenger_shared.contract.schemas.resources import SettingsSchema

_PATH: Final = "/conversations/{conversation_id}/settings"


class UpdateRequest(ConversationRequest):
    """The settings to change; others stay as they are. `muted_until` alone mutes until that time."""

    muted = BooleanField()
    muted_until = MomentField(allow_none=True)
    push_enabled = BooleanField()
    email_enabled = BooleanField()
    notify = fields.String(validate=validate.OneOf(NOTIFY))


GET: Final = Operation(
    name="settings.get",
    summary="Get the caller's notification settings",
    service=CHAT_API,
    request=ConversationRequest(),
    answer=SettingsSchema(),
    key="conversation_id",
    route=Route("GET", _PATH, ok),
    errors=ON_CONVERSATION,
)
UPDATE: Final = Operation(
    name="settings.update",
    summary="Change the caller's notification settings",
    service=CHAT_API,
    request=UpdateRequest(),
    answer=SettingsSchema(),
    key="conversation_id",
    route=Route("PUT", _PATH, ok),
    errors=(*ON_CONVERSATION, errors.INVALID_FRAME),
)

OPERATIONS: Final = (GET, UPDATE)
