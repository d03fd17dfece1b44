"""Owns the shape of every frame that the server sends: what stands beside `type` and `ref`, by type."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from marshmallow import Schema, fields, validate

from messenger_shared import errors, events
from messenger_shared.operations.fields import ROLES, IntegerField, MomentField, UuidField, user_id
from messenger_shared.operations.presence import PresenceSchema
from messenger_shared.operations.resources import (
    ConversationChangeSchema,
    ConversationSchema,
    HiddenSchema,
    LimitsSchema,
    MessageSchema,
    NothingSchema,
    SettingsSchema,
)

ERROR: Final = "error"
SYSTEM: Final = "system"


class ConversationFrame(Schema):
    """Something of a conversation."""

    conversation_id = UuidField(required=True)


class DurableFrame(ConversationFrame):
    """A numbered change of a conversation; `replay` marks one that is told after an absence."""

    pos = IntegerField(low=1, required=True)
    replay = fields.Boolean(validate=validate.Equal(True))


class NewMessageFrame(DurableFrame):
    """A message that was sent."""

    data = fields.Nested(MessageSchema, required=True)


class ChangedMessageFrame(NewMessageFrame):
    """A message in its latest version; of a deleted one the tombstone."""

    message_id = UuidField(required=True)


class ReadMessageFrame(ConversationFrame):
    """How far a member has read."""

    message_id = UuidField(required=True)
    user_id = user_id(required=True)
    read_seq = IntegerField(required=True)
    read_at = MomentField(required=True)


class UnreadFrame(ConversationFrame):
    """How much the user has not read, for his own sockets."""

    unread = IntegerField(required=True)
    read_seq = IntegerField(required=True)
    last_seq = IntegerField(required=True)


class SettingsFrame(ConversationFrame):
    """How the user is notified, for his own sockets."""

    data = fields.Nested(SettingsSchema, required=True)


class CreatedConversationFrame(DurableFrame):
    """A conversation that the user is in from its beginning."""

    data = fields.Nested(ConversationSchema, required=True)


class ChangedConversationFrame(DurableFrame):
    """A conversation with its new title."""

    data = fields.Nested(ConversationChangeSchema, required=True)


class DeletedConversationFrame(DurableFrame):
    """A direct conversation that the user has put away, for his own sockets."""

    data = fields.Nested(HiddenSchema, required=True)


class ParticipantFrame(DurableFrame):
    """A member who came, went, or has another role."""

    user_id = user_id(required=True)
    role = fields.String(required=True, validate=validate.OneOf(ROLES))


class TypingFrame(ConversationFrame):
    """A member who types, or stopped; counts as stopped after `expires_in_ms`."""

    user_id = user_id(required=True)
    expires_in_ms = IntegerField(required=True)


class OnlineFrame(Schema):
    """A user who came online, or is away from all of his devices."""

    user_id = user_id(required=True)
    timestamp = MomentField(required=True)


class OfflineFrame(OnlineFrame):
    """A user who went offline; `last_seen_at` is missing when he doesn't tell, or the reader doesn't."""

    last_seen_at = MomentField()


class PresencesFrame(Schema):
    """How present several people are, at most a hundred."""

    users = fields.List(fields.Nested(PresenceSchema), required=True)


class ConnectedFrame(Schema):
    """The first frame of every socket: who it is and what it may do."""

    event = fields.String(required=True, validate=validate.Equal("connected"))
    message = fields.String(required=True)
    timestamp = MomentField(required=True)
    user_id = user_id(required=True)
    session_id = UuidField(required=True)
    protocol = IntegerField(low=1, required=True)
    heartbeat_ms = IntegerField(low=1, required=True)
    limits = fields.Nested(LimitsSchema, required=True)


class DrainingFrame(Schema):
    """This worker ends: in so many milliseconds open another socket, resume there, close this one."""

    event = fields.String(required=True, validate=validate.Equal("draining"))
    reconnect_after_ms = IntegerField(low=0, required=True)


class ErrorFrame(Schema):
    """A failure; `details` tells per field what is wrong."""

    message = fields.String(required=True)
    code = fields.String(required=True, validate=validate.OneOf(errors.KINDS))
    retryable = fields.Boolean(required=True)
    retry_after_ms = IntegerField()
    details = fields.Dict(keys=fields.String(), values=fields.List(fields.String()))


class SubscribedFrame(ConversationFrame):
    """Where the conversation stands, and who of its members is online."""

    last_seq = IntegerField(required=True)
    last_pos = IntegerField(required=True)
    read_seq = IntegerField(required=True)
    recovered = fields.Boolean(required=True)
    online = fields.List(user_id(), required=True)


class OutcomeSchema(Schema):
    """What came of catching up with one conversation: from where to where, and whether that was all."""

    start = IntegerField(required=True, data_key="from")
    to = IntegerField(required=True)
    recovered = fields.Boolean(required=True)


class ResumedFrame(Schema):
    """What came of each conversation that the caller is in."""

    conversations = fields.Dict(keys=UuidField(), values=fields.Nested(OutcomeSchema), required=True)


class NamedMessageFrame(ConversationFrame):
    """Which message it was."""

    message_id = UuidField(required=True)


class StoredMessageFrame(NamedMessageFrame):
    """The message as it is stored."""

    data = fields.Nested(MessageSchema, required=True)


class SentMessageFrame(StoredMessageFrame):
    """The message as it is stored; `duplicate` tells that it was before."""

    duplicate = fields.Boolean(required=True)


class ReadConfirmedFrame(NamedMessageFrame):
    """How far the caller has read."""

    read_seq = IntegerField(required=True)
    unread = IntegerField(required=True)


class RefreshedFrame(Schema):
    """How long the socket may live now."""

    expires_at = MomentField(required=True)


class PongFrame(Schema):
    """What the client sent as `ts`, and the server's time."""

    ts = fields.Raw(required=True, allow_none=True)
    timestamp = MomentField(required=True)


# The success frames of commands, by their type. One of the same type as an event has a `ref` and no `pos`.
ANSWERS: Final[Mapping[str, Schema]] = {
    "subscribed": SubscribedFrame(),
    "resumed": ResumedFrame(),
    "unsubscribed": ConversationFrame(),
    "message.sent": SentMessageFrame(),
    "message.edited": StoredMessageFrame(),
    "message.deleted": NamedMessageFrame(),
    "read.confirmed": ReadConfirmedFrame(),
    "typing.ok": ConversationFrame(),
    "presence.ok": NothingSchema(),
    "presence.state": PresencesFrame(),
    "auth.ok": RefreshedFrame(),
    "pong": PongFrame(),
}

# What the server says of itself, by `event`.
SYSTEM_EVENTS: Final[Mapping[str, Schema]] = {"connected": ConnectedFrame(), "draining": DrainingFrame()}

# What else comes unasked.
EVENTS: Final[Mapping[str, Schema]] = {
    events.MESSAGE_NEW: NewMessageFrame(),
    events.MESSAGE_EDITED: ChangedMessageFrame(),
    events.MESSAGE_DELETED: ChangedMessageFrame(),
    events.MESSAGE_READ: ReadMessageFrame(),
    events.UNREAD_UPDATED: UnreadFrame(),
    events.SETTINGS_UPDATED: SettingsFrame(),
    events.CONVERSATION_CREATED: CreatedConversationFrame(),
    events.CONVERSATION_UPDATED: ChangedConversationFrame(),
    events.CONVERSATION_DELETED: DeletedConversationFrame(),
    events.PARTICIPANT_ADDED: ParticipantFrame(),
    events.PARTICIPANT_REMOVED: ParticipantFrame(),
    events.PARTICIPANT_UPDATED: ParticipantFrame(),
    events.TYPING_START: TypingFrame(),
    events.TYPING_STOP: TypingFrame(),
    events.USER_ONLINE: OnlineFrame(),
    events.USER_OFFLINE: OfflineFrame(),
    events.USER_AWAY: OnlineFrame(),
    events.PRESENCE_BATCH: PresencesFrame(),
}
