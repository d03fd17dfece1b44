"""Operations on the devices that a user is pushed messages on, and the key to subscribe with."""

from __future__ import annotations

from typing import Any, Final

from marshmallow import ValidationError, fields, validate, validates_schema

from messenger_shared.contract import errors
from messenger_shared.contract.operations.operation import (
    CHAT_API,
    Operation,
    Route,
    no_content,
    ok,
    responds,
)
from messenger_shared.contract.schemas.fields import RequestSchema, TextField
from messenger_shared.contract.schemas.push import (
    ENDPOINT_CHARS,
    OTHER_KINDS,
    POINT_BYTES,
    WEBPUSH,
    PushKeyField,
    PushKeySchema,
    PushKeysSchema,
    PushSubscriptionSchema,
    PushTestSchema,
)
from messenger_shared.contract.schemas.resources import EmptySchema


class EndpointRequest(RequestSchema):
    """A subscription, by its address at the push service."""

    endpoint = TextField(1, ENDPOINT_CHARS, required=True)


class SubscribeRequest(EndpointRequest):
    """A device's subscription: a browser's, as its `toJSON` gives it.

    `application_server_key` is the key that it was made with. Without it, that is the present one for a new
    endpoint, and stays as it was for a known one. `fcm` and `apns` have a device's token as the `endpoint`
    and no keys; they are refused unless MESSENGER_PUSH_STDOUT is set.
    """

    kind = fields.String(required=True, validate=validate.OneOf((WEBPUSH, *OTHER_KINDS)))
    keys = fields.Nested(PushKeysSchema, load_default=None, allow_none=True)
    application_server_key = PushKeyField(POINT_BYTES, load_default=None, allow_none=True)

    @validates_schema
    def _require_keys(self, data: dict[str, Any], **kwargs: Any) -> None:
        if data["kind"] == WEBPUSH and data["keys"] is None:
            raise ValidationError("A browser's subscription has keys.", "keys")


@responds(202)
def _accepted(answer: Any) -> tuple[int, Any]:
    return 202, answer


_SUBSCRIPTIONS: Final = "/push/subscriptions"

SUBSCRIBE: Final = Operation(
    name="push.subscribe",
    summary="Store a device's push subscription",
    service=CHAT_API,
    request=SubscribeRequest(),
    answer=PushSubscriptionSchema(),
    route=Route("PUT", _SUBSCRIPTIONS, ok),
    errors=(errors.INVALID_FRAME, errors.BAD_ENDPOINT),
)
UNSUBSCRIBE: Final = Operation(
    name="push.unsubscribe",
    summary="Remove a device's push subscription",
    service=CHAT_API,
    request=EndpointRequest(),
    answer=EmptySchema(),
    route=Route("DELETE", _SUBSCRIPTIONS, no_content, takes_body=True),
    errors=(errors.INVALID_FRAME,),
)
KEY: Final = Operation(
    name="push.key",
    summary="Get the VAPID key to subscribe with",
    service=CHAT_API,
    request=RequestSchema(),
    answer=PushKeySchema(),
    route=Route("GET", "/push/key", ok),
)
TEST: Final = Operation(
    name="push.test",
    summary="Push a test to the caller's devices",
    service=CHAT_API,
    request=RequestSchema(),
    answer=PushTestSchema(),
    route=Route("POST", "/push/test", _accepted),
    errors=(errors.NOT_FOUND, errors.RATE_LIMITED),
)

OPERATIONS: Final = (SUBSCRIBE, UNSUBSCRIBE, KEY, TEST)
