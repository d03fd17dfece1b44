"""Owns the shape of what answers and events are made of."""

from __future__ import annotations

from typing import Final

from marshmallow import Schema, fields, validate

from messenger_shared.errors import KINDS
from messenger_shared.operations.fields import (
    CONVERSATION_TYPES,
    MESSAGE_TYPES,
    ROLES,
    IntegerField,
    MomentField,
    UuidField,
    user_id,
)

# No client sends one; operators do.
SYSTEM: Final = "system"


class PageSchema(Schema):
    """A page of a list; `next_cursor` is null at the end."""

    next_cursor = fields.String(required=True, allow_none=True)


class MessageSchema(Schema):
    """A message as clients see it."""

    id = UuidField(required=True)
    conversation_id = UuidField(required=True)
    seq = IntegerField(low=1, required=True)
    pos = IntegerField(low=1, required=True)
    version = IntegerField(low=1, required=True)
    # 0 is nobody: the sender of a system message.
    sender_id = IntegerField(required=True)
    content = fields.String(required=True, allow_none=True)
    message_type = fields.String(required=True, validate=validate.OneOf((*MESSAGE_TYPES, SYSTEM)))
    client_message_id = fields.String(required=True, allow_none=True)
    reply_to = UuidField(required=True, allow_none=True)
    file_url = fields.String(required=True, allow_none=True)
    file_name = fields.String(required=True, allow_none=True)
    file_size = IntegerField(required=True, allow_none=True)
    created_at = MomentField(required=True)
    edited_at = MomentField(required=True, allow_none=True)
    deleted_at = MomentField(required=True, allow_none=True)


class ParticipantSchema(Schema):
    """A member of a conversation."""

    user_id = user_id(required=True)
    role = fields.String(required=True, validate=validate.OneOf(ROLES))
    joined_at = MomentField(required=True)


class ConversationChangeSchema(Schema):
    """A conversation as the event of its new title has it."""

    id = UuidField(required=True)
    type = fields.String(required=True, validate=validate.OneOf(CONVERSATION_TYPES))
    title = fields.String(required=True, allow_none=True)
    created_by = user_id(required=True)
    created_at = MomentField(required=True)


class ConversationSchema(ConversationChangeSchema):
    """A conversation as its creation answers."""

    last_seq = IntegerField(required=True)
    last_pos = IntegerField(required=True)
    participants = fields.List(fields.Nested(ParticipantSchema), required=True)
    participants_count = IntegerField(required=True)


class ConversationRowSchema(ConversationChangeSchema):
    """A conversation as one member's list shows it."""

    last_message = fields.Nested(MessageSchema, required=True, allow_none=True)
    last_seq = IntegerField(required=True)
    last_pos = IntegerField(required=True)
    read_seq = IntegerField(required=True)
    unread = IntegerField(required=True)
    participants_count = IntegerField(required=True)
    muted = fields.Boolean(required=True)


class HiddenSchema(Schema):
    """A conversation that its user has put away."""

    id = UuidField(required=True)
    hidden = fields.Boolean(required=True)


class ConversationPageSchema(PageSchema):
    """A page of a member's conversations."""

    items = fields.List(fields.Nested(ConversationRowSchema), required=True)


class MessagePageSchema(PageSchema):
    """A page of history."""

    items = fields.List(fields.Nested(MessageSchema), required=True)
    has_more = fields.Boolean(required=True)


class ReadSchema(Schema):
    """How far a member has read."""

    conversation_id = UuidField(required=True)
    read_seq = IntegerField(required=True)
    unread = IntegerField(required=True)


class PositionSchema(Schema):
    """How far the caller has read."""

    read_seq = IntegerField(required=True)
    unread = IntegerField(required=True)


class ReaderSchema(Schema):
    """Somebody who has read a message."""

    user_id = user_id(required=True)
    read_at = MomentField(required=True)


class ReaderPageSchema(PageSchema):
    """A page of those who have read a message."""

    items = fields.List(fields.Nested(ReaderSchema), required=True)


class VersionSchema(Schema):
    """An earlier text of a message, and when it was written."""

    version = IntegerField(low=1, required=True)
    content = fields.String(required=True)
    edited_at = MomentField(required=True)


class VersionPageSchema(PageSchema):
    """A page of a message's earlier texts, the oldest first."""

    items = fields.List(fields.Nested(VersionSchema), required=True)


class ParticipantPageSchema(PageSchema):
    """A page of a conversation's members."""

    items = fields.List(fields.Nested(ParticipantSchema), required=True)


class StandingSchema(Schema):
    """Where a conversation stands for one member."""

    conversation_id = UuidField(required=True)
    last_seq = IntegerField(required=True)
    last_pos = IntegerField(required=True)
    read_seq = IntegerField(required=True)
    unread = IntegerField(required=True)
    muted = fields.Boolean(required=True)


class StandingPageSchema(PageSchema):
    """A page of where a member's conversations stand."""

    items = fields.List(fields.Nested(StandingSchema), required=True)


class SettingsSchema(Schema):
    """How a member wants to hear of a conversation; `muted` is false again once `muted_until` has passed."""

    muted = fields.Boolean(required=True)
    muted_until = MomentField(required=True, allow_none=True)
    push_enabled = fields.Boolean(required=True)
    email_enabled = fields.Boolean(required=True)


class LimitsSchema(Schema):
    """What one client may do; 0 is no limit."""

    frame_bytes = IntegerField(required=True)
    content_chars = IntegerField(required=True)
    messages_per_s = IntegerField(required=True)
    frames_per_s = IntegerField(required=True)
    max_sockets = IntegerField(required=True)
    typing_ttl_ms = IntegerField(required=True)
    resume_max_events = IntegerField(required=True)
    presence_grace_ms = IntegerField(required=True)


class ProblemSchema(Schema):
    """A failure over REST (RFC 9457); `errors` tells per field what is wrong."""

    type = fields.String(required=True)
    title = fields.String(required=True)
    status = IntegerField(low=400, high=599, required=True)
    code = fields.String(required=True, validate=validate.OneOf(KINDS))
    retryable = fields.Boolean(required=True)
    errors = fields.Dict(keys=fields.String(), values=fields.List(fields.String()))


class NothingSchema(Schema):
    """No fields."""


class AnySchema(Schema):
    """An answer between services alone."""
