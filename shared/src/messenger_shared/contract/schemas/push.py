"""Fields and schemas of push subscriptions, of settings for pushes, and of the trace of a decision."""

from __future__ import annotations

import base64
import binascii
import re
from typing import Any, Final

from marshmallow import EXCLUDE, Schema, ValidationError, fields, validate

from messenger_shared.contract.schemas.fields import IntegerField, MomentField, TextField, UuidField, user_id

WEBPUSH: Final = "webpush"
# Kinds of which messenger has the port, but no adapter that sends.
OTHER_KINDS: Final = ("fcm", "apns")
ENDPOINT_CHARS: Final = 2_048
# An uncompressed point of P-256: 4, x, y.
POINT_BYTES: Final = 65
AUTH_BYTES: Final = 16
NOT_A_PUSH_KEY: Final = "Not a key of a push subscription."
_UNCOMPRESSED: Final = 4
_TIME: Final = re.compile(r"^([01]\d|2[0-3]):[0-5]\d$", re.ASCII)


class PushKeyField(fields.Field[str]):
    """A key of `size` bytes as base64url. It becomes base64url without padding."""

    def __init__(self, size: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.size = size

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> str:
        key = decoded(value) if isinstance(value, str) else None
        if key is None or len(key) != self.size or (self.size == POINT_BYTES and key[0] != _UNCOMPRESSED):
            raise ValidationError(NOT_A_PUSH_KEY)
        return encoded(key)


def decoded(text: str) -> bytes | None:
    """The bytes behind base64url, with or without padding; None if it is something else."""
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        return None


def encoded(data: bytes) -> str:
    """Bytes as base64url without padding."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


class PushKeysSchema(Schema):
    """The keys of a browser's subscription, as its `toJSON` gives them."""

    class Meta:
        unknown = EXCLUDE

    p256dh = PushKeyField(POINT_BYTES, required=True)
    auth = PushKeyField(AUTH_BYTES, required=True)


class PushSubscriptionSchema(Schema):
    """A subscription as it is stored.

    `application_server_key` is the VAPID key that it was made with; null for kinds without one.
    """

    kind = fields.String(required=True, validate=validate.OneOf((WEBPUSH, *OTHER_KINDS)))
    endpoint = fields.String(required=True)
    application_server_key = fields.String(required=True, allow_none=True)
    created_at = MomentField(required=True)


class PushKeySchema(Schema):
    """The VAPID key to subscribe with: a point of P-256, uncompressed, as base64url without padding."""

    public_key = fields.String(required=True)


class PushTestSchema(Schema):
    """To how many subscriptions the test goes."""

    subscriptions = IntegerField(low=1, required=True)


class QuietHoursSchema(Schema):
    """Daily hours without pushes, from `start` to before `end` (HH:MM), also over midnight, in a time zone.

    `timezone` is a name of the IANA's database, such as Europe/Berlin.
    """

    class Meta:
        unknown = EXCLUDE

    start = fields.String(required=True, validate=validate.Regexp(_TIME))
    end = fields.String(required=True, validate=validate.Regexp(_TIME))
    timezone = TextField(1, 64, required=True)


class PushSettingsSchema(Schema):
    """The user's settings for pushes to all their devices. `quiet_hours` is null if there are none."""

    quiet_hours = fields.Nested(QuietHoursSchema, required=True, allow_none=True)


class RuleVerdictSchema(Schema):
    """What one rule says: `push`, `skip`, or `unknown` if it can't be told afterwards."""

    rule = fields.String(required=True)
    verdict = fields.String(required=True, validate=validate.OneOf(("push", "skip", "unknown")))


class NotificationTraceSchema(Schema):
    """Why a user was pushed a message, or wasn't.

    `outcome` is `pushed`, `skipped`, `waiting` before the decision, or `undecided`: there was nobody to
    decide for then, or it was too long ago. Without a `decided_at`, the rules are those of now.
    """

    message_id = UuidField(required=True)
    user_id = user_id(required=True)
    outcome = fields.String(
        required=True, validate=validate.OneOf(("pushed", "skipped", "waiting", "undecided"))
    )
    decided_at = MomentField(required=True, allow_none=True)
    rules = fields.List(fields.Nested(RuleVerdictSchema), required=True)
