"""Owns the operations on how a member wants to hear of a conversation."""

from __future__ import annotations

from typing import Final

from messenger_shared import errors
from messenger_shared.operations.fields import (
    BooleanField,
    ConversationRequest,
    MomentField,
)
from messenger_shared.operations.operation import CHAT_API, ON_CONVERSATION, Operation, Route, ok
from messenger_shared.operations.resources import SettingsSchema

_PATH: Final = "/conversations/{conversation_id}/settings"


class UpdateRequest(ConversationRequest):
    """What is to change; what is left out stays. `muted_until` alone mutes until then."""

    muted = BooleanField()
    muted_until = MomentField(allow_none=True)
    push_enabled = BooleanField()
    email_enabled = BooleanField()


GET: Final = Operation(
    name="settings.get",
    summary="See how the caller is notified",
    service=CHAT_API,
    request=ConversationRequest(),
    answer=SettingsSchema(),
    key="conversation_id",
    route=Route("GET", _PATH, ok),
    errors=ON_CONVERSATION,
)
UPDATE: Final = Operation(
    name="settings.update",
    summary="Change how the caller is notified",
    service=CHAT_API,
    request=UpdateRequest(),
    answer=SettingsSchema(),
    key="conversation_id",
    route=Route("PUT", _PATH, ok),
    errors=(*ON_CONVERSATION, errors.INVALID_FRAME),
)

OPERATIONS: Final = (GET, UPDATE)
