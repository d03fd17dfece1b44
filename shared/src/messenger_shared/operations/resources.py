"""Owns the shape of what answers and events are made of."""

from __future__ import annotations

from marshmallow import Schema, fields

from messenger_shared.operations.fields import IntegerField, UuidField, user_id


class MessageSchema(Schema):
    """A message as clients see it."""

    id = UuidField(required=True)
    conversation_id = UuidField(required=True)
    seq = IntegerField(low=1, required=True)
    pos = IntegerField(low=1, required=True)
    version = IntegerField(low=1, required=True)
    sender_id = user_id(required=True)
    content = fields.String(required=True, allow_none=True)
    message_type = fields.String(required=True)
    client_message_id = fields.String(required=True, allow_none=True)
    reply_to = UuidField(required=True, allow_none=True)
    file_url = fields.String(required=True, allow_none=True)
    file_name = fields.String(required=True, allow_none=True)
    file_size = IntegerField(required=True, allow_none=True)
    created_at = fields.String(required=True)
    edited_at = fields.String(required=True, allow_none=True)
    deleted_at = fields.String(required=True, allow_none=True)


class ParticipantSchema(Schema):
    """A member of a conversation."""

    user_id = user_id(required=True)
    role = fields.String(required=True)
    joined_at = fields.String(required=True)


class ConversationSchema(Schema):
    """A conversation as its creation answers."""

    id = UuidField(required=True)
    type = fields.String(required=True)
    title = fields.String(required=True, allow_none=True)
    created_by = user_id(required=True)
    created_at = fields.String(required=True)
    last_seq = IntegerField(required=True)
    last_pos = IntegerField(required=True)
    participants = fields.List(fields.Nested(ParticipantSchema), required=True)
    participants_count = IntegerField(required=True)


class ConversationRowSchema(Schema):
    """A conversation as one member's list shows it."""

    id = UuidField(required=True)
    type = fields.String(required=True)
    title = fields.String(required=True, allow_none=True)
    created_by = user_id(required=True)
    created_at = fields.String(required=True)
    last_message = fields.Nested(MessageSchema, required=True, allow_none=True)
    last_seq = IntegerField(required=True)
    last_pos = IntegerField(required=True)
    read_seq = IntegerField(required=True)
    unread = IntegerField(required=True)
    participants_count = IntegerField(required=True)
    muted = fields.Boolean(required=True)


class ConversationPageSchema(Schema):
    """A page of a member's conversations."""

    items = fields.List(fields.Nested(ConversationRowSchema), required=True)
    next_cursor = fields.String(required=True, allow_none=True)


class MessagePageSchema(Schema):
    """A page of history."""

    items = fields.List(fields.Nested(MessageSchema), required=True)
    next_cursor = fields.String(required=True, allow_none=True)
    has_more = fields.Boolean(required=True)


class ReadSchema(Schema):
    """How far a member has read."""

    conversation_id = UuidField(required=True)
    read_seq = IntegerField(required=True)
    unread = IntegerField(required=True)


class ReaderSchema(Schema):
    """Somebody who has read a message."""

    user_id = user_id(required=True)
    read_at = fields.String(required=True)


class ReaderPageSchema(Schema):
    """A page of those who have read a message."""

    items = fields.List(fields.Nested(ReaderSchema), required=True)
    next_cursor = fields.String(required=True, allow_none=True)


class VersionSchema(Schema):
    """An earlier text of a message, and when it was written."""

    version = IntegerField(low=1, required=True)
    content = fields.String(required=True)
    edited_at = fields.String(required=True)


class VersionPageSchema(Schema):
    """A page of a message's earlier texts, the oldest first."""

    items = fields.List(fields.Nested(VersionSchema), required=True)
    next_cursor = fields.String(required=True, allow_none=True)


class ParticipantPageSchema(Schema):
    """A page of a conversation's members."""

    items = fields.List(fields.Nested(ParticipantSchema), required=True)
    next_cursor = fields.String(required=True, allow_none=True)


class StandingSchema(Schema):
    """Where a conversation stands for one member."""

    conversation_id = UuidField(required=True)
    last_seq = IntegerField(required=True)
    last_pos = IntegerField(required=True)
    read_seq = IntegerField(required=True)
    unread = IntegerField(required=True)
    muted = fields.Boolean(required=True)


class StandingPageSchema(Schema):
    """A page of where a member's conversations stand."""

    items = fields.List(fields.Nested(StandingSchema), required=True)
    next_cursor = fields.String(required=True, allow_none=True)


class SettingsSchema(Schema):
    """How a member wants to hear of a conversation; `muted` is false again once `muted_until` has passed."""

    muted = fields.Boolean(required=True)
    muted_until = fields.String(required=True, allow_none=True)
    push_enabled = fields.Boolean(required=True)
    email_enabled = fields.Boolean(required=True)


class NothingSchema(Schema):
    """No fields."""


class AnySchema(Schema):
    """An answer between services alone."""
