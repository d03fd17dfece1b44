"""Schemas of the resources in answers and events: messages, conversations, members, pages."""

from __future__ import annotations

from typing import Final

from marshmallow import Schema, fields, validate

from messenger_shared.contract.errors import KINDS
from messenger_shared.contract.schemas.fields import (
    CONVERSATION_TYPES,
    MESSAGE_TYPES,
    ROLES,
    IntegerField,
    MomentField,
    UuidField,
    user_id,
)
from messenger_shared.contract.schemas.files import FileSchema
from messenger_shared.contract.schemas.mentions import NOTIFY, EntitySchema, MentionsSchema
from messenger_shared.contract.schemas.reactions import MessageReactionSchema

# The message type of messages from operators. Clients can't send it.
SYSTEM: Final = "system"


def marked_unread_from() -> IntegerField:
    """The first `seq` that the user marked as unread; null if there is none, or after they read again."""
    return IntegerField(low=1, required=True, allow_none=True)


class UserSchema(Schema):
    """A user as other users see them. `name` and `avatar_url` are null while they are unknown."""

    id = user_id(required=True)
    name = fields.String(required=True, allow_none=True)
    avatar_url = fields.String(required=True, allow_none=True)
    version = IntegerField(low=1, required=True)
    deactivated = fields.Boolean(required=True)


def users_named() -> fields.Dict:
    """The users that the answer names: id as text -> user."""
    return fields.Dict(keys=fields.String(), values=fields.Nested(UserSchema), required=True)


class PageSchema(Schema):
    """A page of a list. `next_cursor` is null on the last page."""

    next_cursor = fields.String(required=True, allow_none=True)


def notify() -> fields.String:
    """Which new messages the user is notified of: all, mentions of them, or none."""
    return fields.String(required=True, validate=validate.OneOf(NOTIFY))


class MessageSchema(Schema):
    """A message. It has `attachments` only with files, `mentions` only if it mentions somebody.

    It has `entities` only if the text does.
    """

    id = UuidField(required=True)
    conversation_id = UuidField(required=True)
    seq = IntegerField(low=1, required=True)
    pos = IntegerField(low=1, required=True)
    version = IntegerField(low=1, required=True)
    # 0 for a system message, which has no sender.
    sender_id = IntegerField(required=True)
    content = fields.String(required=True, allow_none=True)
    message_type = fields.String(required=True, validate=validate.OneOf((*MESSAGE_TYPES, SYSTEM)))
    client_message_id = fields.String(required=True, allow_none=True)
    reply_to = UuidField(required=True, allow_none=True)
    file_url = fields.String(required=True, allow_none=True)
    file_name = fields.String(required=True, allow_none=True)
    file_size = IntegerField(required=True, allow_none=True)
    attachments = fields.List(fields.Nested(FileSchema))
    mentions = fields.Nested(MentionsSchema)
    entities = fields.List(fields.Nested(EntitySchema))
    created_at = MomentField(required=True)
    edited_at = MomentField(required=True, allow_none=True)
    deleted_at = MomentField(required=True, allow_none=True)


class HistoryMessageSchema(MessageSchema):
    """A message as a member reads it, with the reactions to it if there are any."""

    reactions = fields.List(fields.Nested(MessageReactionSchema))


class ParticipantSchema(Schema):
    """A member of a conversation."""

    user_id = user_id(required=True)
    role = fields.String(required=True, validate=validate.OneOf(ROLES))
    joined_at = MomentField(required=True)


class ConversationChangeSchema(Schema):
    """A conversation without its members, as in the event of a new title."""

    id = UuidField(required=True)
    type = fields.String(required=True, validate=validate.OneOf(CONVERSATION_TYPES))
    title = fields.String(required=True, allow_none=True)
    created_by = user_id(required=True)
    created_at = MomentField(required=True)


class ConversationSchema(ConversationChangeSchema):
    """A conversation with its members."""

    last_seq = IntegerField(required=True)
    last_pos = IntegerField(required=True)
    participants = fields.List(fields.Nested(ParticipantSchema), required=True)
    participants_count = IntegerField(required=True)


class ConversationRowSchema(ConversationChangeSchema):
    """A conversation in a member's list."""

    last_message = fields.Nested(HistoryMessageSchema, required=True, allow_none=True)
    last_seq = IntegerField(required=True)
    last_pos = IntegerField(required=True)
    read_seq = IntegerField(required=True)
    unread = IntegerField(required=True)
    unread_mentions = IntegerField(required=True)
    marked_unread_from = marked_unread_from()
    participants_count = IntegerField(required=True)
    # The members of a direct conversation, present or hidden; null for other types.
    participant_ids = fields.List(user_id(), required=True, allow_none=True)
    muted = fields.Boolean(required=True)
    notify = notify()


class ConversationAnswerSchema(ConversationSchema):
    """A conversation with its members, and the users that it names."""

    users = users_named()


class ServerConversationSchema(ConversationAnswerSchema):
    """A conversation as the host sees it. `external_keys` are the host's own keys of it."""

    external_keys = fields.List(fields.String(), required=True)
    custom = fields.Dict(required=True)


class HiddenSchema(Schema):
    """A conversation that the user has hidden."""

    id = UuidField(required=True)
    hidden = fields.Boolean(required=True)


class ConversationPageSchema(PageSchema):
    """A page of a member's conversations."""

    items = fields.List(fields.Nested(ConversationRowSchema), required=True)
    users = users_named()


class MessagePageSchema(PageSchema):
    """A page of a conversation's messages."""

    items = fields.List(fields.Nested(HistoryMessageSchema), required=True)
    users = users_named()
    has_more = fields.Boolean(required=True)


class MentionPageSchema(PageSchema):
    """A page of the messages that mention the caller, the newest mention first."""

    items = fields.List(fields.Nested(HistoryMessageSchema), required=True)
    users = users_named()


class PositionSchema(Schema):
    """How far the caller has read."""

    read_seq = IntegerField(required=True)
    unread = IntegerField(required=True)
    unread_mentions = IntegerField(required=True)


class ReadSchema(PositionSchema):
    """How far a member has read."""

    conversation_id = UuidField(required=True)


class ReaderSchema(Schema):
    """A member who has read a message."""

    user_id = user_id(required=True)
    read_at = MomentField(required=True)


class ReaderPageSchema(PageSchema):
    """A page of the members who have read a message."""

    items = fields.List(fields.Nested(ReaderSchema), required=True)
    users = users_named()


class VersionSchema(Schema):
    """An earlier text of a message, and the time when it was written."""

    version = IntegerField(low=1, required=True)
    content = fields.String(required=True)
    edited_at = MomentField(required=True)


class VersionPageSchema(PageSchema):
    """A page of a message's earlier texts, oldest first."""

    items = fields.List(fields.Nested(VersionSchema), required=True)


class ParticipantPageSchema(PageSchema):
    """A page of a conversation's members."""

    items = fields.List(fields.Nested(ParticipantSchema), required=True)
    users = users_named()


class ConversationCountersSchema(Schema):
    """The state of a conversation for one member: its counters and notification settings."""

    conversation_id = UuidField(required=True)
    last_seq = IntegerField(required=True)
    last_pos = IntegerField(required=True)
    read_seq = IntegerField(required=True)
    unread = IntegerField(required=True)
    unread_mentions = IntegerField(required=True)
    marked_unread_from = marked_unread_from()
    muted = fields.Boolean(required=True)
    notify = notify()


class ConversationCountersPageSchema(PageSchema):
    """A page of the states of a member's conversations."""

    items = fields.List(fields.Nested(ConversationCountersSchema), required=True)


class SettingsSchema(Schema):
    """A member's notification settings for a conversation. `muted` ends when `muted_until` passes."""

    muted = fields.Boolean(required=True)
    muted_until = MomentField(required=True, allow_none=True)
    push_enabled = fields.Boolean(required=True)
    email_enabled = fields.Boolean(required=True)
    notify = notify()


class LimitsSchema(Schema):
    """The limits for one client; 0 means no limit."""

    frame_bytes = IntegerField(required=True)
    content_chars = IntegerField(required=True)
    messages_per_s = IntegerField(required=True)
    frames_per_s = IntegerField(required=True)
    max_sockets = IntegerField(required=True)
    typing_ttl_ms = IntegerField(required=True)
    resume_max_events = IntegerField(required=True)
    presence_grace_ms = IntegerField(required=True)


class ProblemSchema(Schema):
    """A failure over REST (RFC 9457). `errors` says for each field what is wrong."""

    type = fields.String(required=True)
    title = fields.String(required=True)
    status = IntegerField(low=400, high=599, required=True)
    code = fields.String(required=True, validate=validate.OneOf(KINDS))
    retryable = fields.Boolean(required=True)
    errors = fields.Dict(keys=fields.String(), values=fields.List(fields.String()))


class EmptySchema(Schema):
    """No fields."""


class AnySchema(Schema):
    """An answer without a published schema."""
