"""Schemas of the frames that the server sends without being asked, without `type`, by type."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from marshmallow import Schema, fields, validate

from messenger_shared.contract import events
from messenger_shared.contract.operations.pins import PINS_NAMED
from messenger_shared.contract.operations.presence import PresenceSchema
from messenger_shared.contract.schemas.fields import (
    MAX_PARTICIPANTS,
    ROLES,
    IntegerField,
    MomentField,
    UuidField,
    user_id,
)
from messenger_shared.contract.schemas.files import ATTACHMENTS_MAX, FileSchema
from messenger_shared.contract.schemas.reactions import (
    CHANGES_NAMED,
    ReactionChangeSchema,
    ReactionCountSchema,
)
from messenger_shared.contract.schemas.resources import (
    ConversationChangeSchema,
    ConversationSchema,
    HiddenSchema,
    LimitsSchema,
    MessageSchema,
    SettingsSchema,
    UserSchema,
    marked_unread_from,
)

SYSTEM: Final = "system"


class ConversationFrame(Schema):
    """The conversation concerned."""

    conversation_id = UuidField(required=True)


class DurableFrame(ConversationFrame):
    """A durable change of a conversation. `replay` is true in a replay of missed events."""

    pos = IntegerField(low=1, required=True)
    replay = fields.Boolean(validate=validate.Equal(True))


class NewMessageFrame(DurableFrame):
    """A new message."""

    data = fields.Nested(MessageSchema, required=True)


class ChangedMessageFrame(NewMessageFrame):
    """The latest version of a message; for a deleted message, without its content."""

    message_id = UuidField(required=True)


class ReadMessageFrame(ConversationFrame):
    """How far a member has read."""

    message_id = UuidField(required=True)
    user_id = user_id(required=True)
    read_seq = IntegerField(required=True)
    read_at = MomentField(required=True)


class UnreadFrame(ConversationFrame):
    """The user's numbers of unread messages and mentions. Only the user's own sockets get it."""

    unread = IntegerField(required=True)
    unread_mentions = IntegerField(required=True)
    read_seq = IntegerField(required=True)
    last_seq = IntegerField(required=True)
    marked_unread_from = marked_unread_from()


class SettingsFrame(ConversationFrame):
    """The user's notification settings. Only the user's own sockets get it."""

    data = fields.Nested(SettingsSchema, required=True)


class CreatedConversationFrame(DurableFrame):
    """A new conversation with the user as a member."""

    data = fields.Nested(ConversationSchema, required=True)


class ChangedConversationFrame(DurableFrame):
    """A conversation with its new title."""

    data = fields.Nested(ConversationChangeSchema, required=True)


class DeletedConversationFrame(DurableFrame):
    """A direct conversation that the user has hidden. Only the user's own sockets get it."""

    data = fields.Nested(HiddenSchema, required=True)


class ParticipantFrame(DurableFrame):
    """A member who left or was removed, or who has a new role."""

    user_id = user_id(required=True)
    role = fields.String(required=True, validate=validate.OneOf(ROLES))


class NewMemberSchema(Schema):
    """A new member."""

    user_id = user_id(required=True)
    role = fields.String(required=True, validate=validate.OneOf(ROLES))


class JoinedFrame(DurableFrame):
    """Users who became members together. For a single user, `user_id` and `role` are there too."""

    users = fields.List(
        fields.Nested(NewMemberSchema), required=True, validate=validate.Length(1, MAX_PARTICIPANTS)
    )
    user_id = user_id()
    role = fields.String(validate=validate.OneOf(ROLES))


class ReactionsFrame(DurableFrame):
    """All reactions to a message, by emoji in the order of first use. `changes` are the latest ones.

    Of many changes it has fifty. A replay has none.
    """

    message_id = UuidField(required=True)
    counts = fields.List(fields.Nested(ReactionCountSchema), required=True)
    changes = fields.List(fields.Nested(ReactionChangeSchema), validate=validate.Length(max=CHANGES_NAMED))


class FilesFrame(DurableFrame):
    """The files of a message after the state of one has changed. The message's own numbers stay."""

    message_id = UuidField(required=True)
    attachments = fields.List(
        fields.Nested(FileSchema), required=True, validate=validate.Length(1, ATTACHMENTS_MAX)
    )


class PinsFrame(DurableFrame):
    """The pinned messages, newest pin first, at most fifty. `user_id` pinned or unpinned one."""

    message_ids = fields.List(UuidField(), required=True, validate=validate.Length(max=PINS_NAMED))
    user_id = user_id(required=True)


class TypingFrame(ConversationFrame):
    """A member started or stopped typing. Without another frame, typing ends after `expires_in_ms`."""

    user_id = user_id(required=True)
    expires_in_ms = IntegerField(required=True)


class OnlineFrame(Schema):
    """A user who came online, or is away on all of their devices."""

    user_id = user_id(required=True)
    timestamp = MomentField(required=True)


class OfflineFrame(OnlineFrame):
    """A user who went offline. `last_seen_at` is missing if that user or the receiving user hides it."""

    last_seen_at = MomentField()


class PresencesFrame(Schema):
    """The presence of several users, at most a hundred."""

    users = fields.List(fields.Nested(PresenceSchema), required=True)


class UserFrame(Schema):
    """A user's profile has changed. Only users who share a conversation with the user get it."""

    user_id = user_id(required=True)
    data = fields.Nested(UserSchema, required=True)


class ConnectedFrame(Schema):
    """The first frame on every socket: its user, its limits, and what the server can do."""

    event = fields.String(required=True, validate=validate.Equal("connected"))
    message = fields.String(required=True)
    timestamp = MomentField(required=True)
    user_id = user_id(required=True)
    session_id = UuidField(required=True)
    protocol = IntegerField(low=1, required=True)
    heartbeat_ms = IntegerField(low=1, required=True)
    limits = fields.Nested(LimitsSchema, required=True)
    features = fields.List(fields.String(), required=True)


class DrainingFrame(Schema):
    """The gateway shuts down: after `reconnect_after_ms`, open a new socket, resume there, close this one."""

    event = fields.String(required=True, validate=validate.Equal("draining"))
    reconnect_after_ms = IntegerField(low=0, required=True)


# Frames of the type `system`, by `event`.
SYSTEM_EVENTS: Final[Mapping[str, Schema]] = {"connected": ConnectedFrame(), "draining": DrainingFrame()}

# All other frames that are no answer to a command.
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
    events.PARTICIPANT_ADDED: JoinedFrame(),
    events.PARTICIPANT_REMOVED: ParticipantFrame(),
    events.PARTICIPANT_UPDATED: ParticipantFrame(),
    events.MESSAGE_REACTIONS: ReactionsFrame(),
    events.MESSAGE_FILES: FilesFrame(),
    events.CONVERSATION_PINS: PinsFrame(),
    events.USER_UPDATED: UserFrame(),
    events.TYPING_START: TypingFrame(),
    events.TYPING_STOP: TypingFrame(),
    events.USER_ONLINE: OnlineFrame(),
    events.USER_OFFLINE: OfflineFrame(),
    events.USER_AWAY: OnlineFrame(),
    events.PRESENCE_BATCH: PresencesFrame(),
}
