"""Operations on the decisions whether messages are pushed: a user's own settings, and traces."""

from __future__ import annotations

from typing import Final

from marshmallow import fields

from messenger_shared.contract import errors
from messenger_shared.contract.operations.operation import CHAT_API, Operation, Route, ServerRoute, ok
from messenger_shared.contract.schemas.fields import RequestSchema, UuidField, user_id
from messenger_shared.contract.schemas.push import (
    NotificationTraceSchema,
    PushSettingsSchema,
    QuietHoursSchema,
)


class UpdateSettingsRequest(RequestSchema):
    """The settings to change; null ends quiet hours."""

    quiet_hours = fields.Nested(QuietHoursSchema, required=True, allow_none=True)


class TraceRequest(RequestSchema):
    """One message, and a user: the caller if left out. With a server key it must be given."""

    message_id = UuidField(required=True)
    user_id = user_id(load_default=None)


_SETTINGS: Final = "/push/settings"
_TRACE: Final = "/messages/{message_id}/notification-trace"

GET_SETTINGS: Final = Operation(
    name="push.settings.get",
    summary="Get the caller's settings for pushes",
    service=CHAT_API,
    request=RequestSchema(),
    answer=PushSettingsSchema(),
    route=Route("GET", _SETTINGS, ok),
)
UPDATE_SETTINGS: Final = Operation(
    name="push.settings.update",
    summary="Change the caller's settings for pushes",
    service=CHAT_API,
    request=UpdateSettingsRequest(),
    answer=PushSettingsSchema(),
    route=Route("PUT", _SETTINGS, ok),
    errors=(errors.INVALID_FRAME,),
)
TRACE: Final = Operation(
    name="push.trace",
    summary="Get why a user was pushed a message, or wasn't",
    service=CHAT_API,
    request=TraceRequest(),
    answer=NotificationTraceSchema(),
    route=Route("GET", _TRACE, ok),
    server=ServerRoute("GET", _TRACE, ok, ("messages", "moderation")),
    errors=(errors.INVALID_FRAME, errors.FORBIDDEN, errors.NOT_MEMBER, errors.NOT_FOUND),
)


OPERATIONS: Final = (GET_SETTINGS, UPDATE_SETTINGS, TRACE)
