"""Schemas of the frames that answer commands, without `type` and `ref`, by type."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from marshmallow import Schema, fields, validate

from messenger_shared.contract import errors
from messenger_shared.contract.schemas.fields import IntegerField, MomentField, UuidField, user_id
from messenger_shared.contract.schemas.frames import ConversationFrame, PresencesFrame
from messenger_shared.contract.schemas.reactions import ReactionsSchema
from messenger_shared.contract.schemas.resources import EmptySchema, MessageSchema

ERROR: Final = "error"


class ErrorFrame(Schema):
    """A failure. `details` says for each field what is wrong."""

    message = fields.String(required=True)
    code = fields.String(required=True, validate=validate.OneOf(errors.KINDS))
    retryable = fields.Boolean(required=True)
    retry_after_ms = IntegerField()
    details = fields.Dict(keys=fields.String(), values=fields.List(fields.String()))


class SubscribedFrame(ConversationFrame):
    """The position in the conversation, and the members who are online or away."""

    last_seq = IntegerField(required=True)
    last_pos = IntegerField(required=True)
    read_seq = IntegerField(required=True)
    recovered = fields.Boolean(required=True)
    online = fields.List(user_id(), required=True)


class ReplayResultSchema(Schema):
    """The replay of one conversation: from which `pos`, to which, and whether it was complete."""

    start = IntegerField(required=True, data_key="from")
    to = IntegerField(required=True)
    recovered = fields.Boolean(required=True)


class ResumedFrame(Schema):
    """The result for each conversation of the caller."""

    conversations = fields.Dict(keys=UuidField(), values=fields.Nested(ReplayResultSchema), required=True)


class NamedMessageFrame(ConversationFrame):
    """The message concerned."""

    message_id = UuidField(required=True)


class StoredMessageFrame(NamedMessageFrame):
    """The message as it is stored."""

    data = fields.Nested(MessageSchema, required=True)


class SentMessageFrame(StoredMessageFrame):
    """The message as it is stored. `duplicate` is true if it was already stored before."""

    duplicate = fields.Boolean(required=True)


class ReadConfirmedFrame(NamedMessageFrame):
    """How far the caller has read."""

    read_seq = IntegerField(required=True)
    unread = IntegerField(required=True)
    unread_mentions = IntegerField(required=True)


class RefreshedFrame(Schema):
    """The time at which the socket now expires."""

    expires_at = MomentField(required=True)


class PongFrame(Schema):
    """The client's own `ts`, and the server's time."""

    ts = fields.Raw(required=True, allow_none=True)
    timestamp = MomentField(required=True)


class ReactionsAnswerFrame(ReactionsSchema):
    """The reactions to a message now."""

    message_id = UuidField(required=True)


# The success frames of commands, by type. One with the same type as an event has a `ref` and no `pos`.
ANSWERS: Final[Mapping[str, Schema]] = {
    "subscribed": SubscribedFrame(),
    "resumed": ResumedFrame(),
    "unsubscribed": ConversationFrame(),
    "message.sent": SentMessageFrame(),
    "message.edited": StoredMessageFrame(),
    "message.deleted": NamedMessageFrame(),
    "reaction.ok": ReactionsAnswerFrame(),
    "pin.ok": NamedMessageFrame(),
    "read.confirmed": ReadConfirmedFrame(),
    "typing.ok": ConversationFrame(),
    "presence.ok": EmptySchema(),
    "presence.state": PresencesFrame(),
    "auth.ok": RefreshedFrame(),
    "pong": PongFrame(),
}
