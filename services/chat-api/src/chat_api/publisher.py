"""Publishes events to the gateways, on the channels of the conversations and users that they concern.

Durable events must be published only after their commit.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import groupby
from typing import Any, Final

import orjson

from chat_api.file_rows import ChangedFiles
from chat_api.high_water_marks import HighWaterMarks
from chat_api.model import (
    ConversationData,
    MemberChange,
    MessageData,
    Pins,
    Reaction,
    ReadPosition,
    SettingsData,
    UnreadCounts,
    UserData,
)
from messenger_shared.bus import channels
from messenger_shared.bus.interface import Bus
from messenger_shared.contract.events import (
    CONVERSATION_CREATED,
    CONVERSATION_DELETED,
    CONVERSATION_PINS,
    CONVERSATION_UPDATED,
    MESSAGE_DELETED,
    MESSAGE_EDITED,
    MESSAGE_FILES,
    MESSAGE_NEW,
    MESSAGE_REACTIONS,
    MESSAGE_READ,
    PARTICIPANT_REMOVED,
    PARTICIPANT_UPDATED,
    SETTINGS_UPDATED,
    UNREAD_UPDATED,
    USER_UPDATED,
    Event,
    InternalEvent,
    encode_frame,
    joined_event,
    pack,
)
from messenger_shared.contract.schemas.reactions import CHANGES_NAMED


class Publisher:
    """Publishes events. The bus may lose one: the high-water marks show the gateways that it is missing."""

    def __init__(self, bus: Bus, high_water_marks: HighWaterMarks) -> None:
        self._bus = bus
        self._high_water_marks = high_water_marks

    def publish_new_messages(
        self, conversation_id: str, messages: Iterable[tuple[MessageData, bytes]]
    ) -> None:
        """Publishes new messages of one conversation, in the order of pos, as one bus message.

        `messages` holds pairs of a message and its JSON.
        """
        self._publish_durable(
            conversation_id, [_new_message_event(message, text) for message, text in messages]
        )

    def publish_changed_message(self, message: MessageData) -> None:
        """Publishes a message that was edited or deleted."""
        self._publish_durable(message["conversation_id"], [message_event(message, is_new=False)])

    def publish_reactions(
        self,
        conversation_id: str,
        message_id: str,
        pos: int,
        counts: list[dict[str, Any]],
        changes: Sequence[Reaction],
    ) -> None:
        """Publishes all reactions to a message, and the latest of `changes`."""
        event = reactions_event(conversation_id, message_id, pos, counts, changes[-CHANGES_NAMED:])
        self._publish_durable(conversation_id, [event])

    def publish_pins(self, pins: Pins, user_id: int) -> None:
        """Publishes the pinned messages of a conversation after the user changed them."""
        event = pins_event(pins.conversation_id, pins.pos, user_id, pins.message_ids)
        self._publish_durable(pins.conversation_id, [event])

    def publish_files(self, changes: Iterable[ChangedFiles]) -> None:
        """Publishes the files of messages, which are grouped by conversation in the order of pos."""
        for conversation_id, group in groupby(changes, key=lambda change: change.conversation_id):
            events = [
                files_event(conversation_id, change.message_id, change.pos, change.attachments)
                for change in group
            ]
            self._publish_durable(conversation_id, events)

    def publish_read_position(self, user_id: int, position: ReadPosition) -> None:
        """Publishes a read position to all members, and the unread count to the user's own sockets."""
        conversation_id = position.counts.conversation_id
        frame = encode_frame(
            MESSAGE_READ,
            conversation_id=conversation_id,
            message_id=position.message_id,
            user_id=user_id,
            read_seq=position.counts.read_seq,
            read_at=position.read_at,
        )
        event = Event(MESSAGE_READ, conversation_id, 0, user_id, frame)
        self._bus.publish(channels.conversation(conversation_id), pack([event]))
        self.publish_unread(user_id, position.counts)

    def publish_unread(self, user_id: int, counts: UnreadCounts) -> None:
        """Publishes the unread counts and the unread mark to the user's own sockets only."""
        frame = encode_frame(
            UNREAD_UPDATED,
            conversation_id=counts.conversation_id,
            unread=counts.unread,
            unread_mentions=counts.unread_mentions,
            read_seq=counts.read_seq,
            last_seq=counts.last_seq,
            marked_unread_from=counts.marked_from,
        )
        self._publish_to_user(user_id, Event(UNREAD_UPDATED, counts.conversation_id, 0, user_id, frame))

    def publish_settings(self, conversation_id: str, user_id: int, settings: SettingsData) -> None:
        """Publishes notification settings to the user's own sockets."""
        frame = encode_frame(SETTINGS_UPDATED, conversation_id=conversation_id, data=settings)
        self._publish_to_user(user_id, Event(SETTINGS_UPDATED, conversation_id, 0, user_id, frame))

    def publish_hidden(self, conversation_id: str, pos: int, user_id: int) -> None:
        """Publishes that the user has hidden a direct conversation, to the user's own sockets only.

        The event's own pos is 0, since it isn't part of the conversation's order.
        """
        data = {"id": conversation_id, "hidden": True}
        frame = encode_frame(CONVERSATION_DELETED, conversation_id=conversation_id, pos=pos, data=data)
        self._publish_to_user(user_id, Event(CONVERSATION_DELETED, conversation_id, 0, user_id, frame))

    def publish_new_title(self, conversation: ConversationData, pos: int) -> None:
        """Publishes a conversation with its new title."""
        self._publish_durable(conversation["id"], [updated_event(conversation, pos)])

    def publish_position(self, conversation_id: str, pos: int, user_ids: Iterable[int]) -> None:
        """Publishes the current pos although nothing changed now.

        An earlier change may be unpublished; gateways then compare and fetch it.
        """
        self._high_water_marks.record_pos(conversation_id, pos)
        for user_id in user_ids:
            self._high_water_marks.record_membership_change(user_id)

    def publish_member_changes(self, conversation_id: str, changes: Sequence[MemberChange]) -> None:
        """Publishes changes of membership, which are in the order of pos.

        Added users are also told on their own channel, since their gateway may not listen to the conversation
        yet. So are removed users, since their gateway may be about to listen.
        """
        events = member_events(conversation_id, changes)
        if not events:
            return
        own = {event.pos: event for event in events if event.user_id}
        for change in changes:
            if change.kind != "updated":
                self._publish_to_user(
                    change.user_id, own.get(change.pos) or _membership_begun_event(conversation_id, change)
                )
                self._high_water_marks.record_membership_change(change.user_id)
        self._publish_durable(conversation_id, events)

    def publish_user(self, user: UserData, conversation_ids: Sequence[str]) -> None:
        """Publishes a changed profile to all gateways. They tell their users who share a conversation."""
        frame = encode_frame(USER_UPDATED, user_id=user["id"], data=user)
        body = {"user_id": user["id"], "conversation_ids": conversation_ids, "frame": frame.decode()}
        self._bus.publish(channels.USERS, orjson.dumps(body))

    def publish_key_revoked(self, key_id: str) -> None:
        """Publishes to all gateways that a server key was revoked."""
        self._bus.publish(channels.SERVER_KEYS, key_id.encode())

    def publish_new_conversation(self, conversation: ConversationData, member_ids: Iterable[int]) -> None:
        """Publishes a new conversation on each member's own channel, since no gateway listens to it yet."""
        conversation_id = conversation["id"]
        frame = encode_frame(CONVERSATION_CREATED, conversation_id=conversation_id, pos=1, data=conversation)
        for user_id in member_ids:
            self._publish_to_user(user_id, Event(CONVERSATION_CREATED, conversation_id, 1, user_id, frame))
            self._high_water_marks.record_membership_change(user_id)
        # For the feed: hosts hear of it as soon as of anything else.
        self._high_water_marks.record_pos(conversation_id, 1)

    def _publish_to_user(self, user_id: int, event: Event) -> None:
        self._bus.publish(channels.user(user_id), pack([event]))

    def _publish_durable(self, conversation_id: str, events: list[Event]) -> None:
        self._bus.publish(channels.conversation(conversation_id), pack(events))
        self._high_water_marks.record_pos(conversation_id, events[-1].pos)


def message_event(message: MessageData, *, is_new: bool) -> Event:
    """The event that shows a message's present state. `is_new`: the receiver doesn't have the message yet."""
    conversation_id, pos = message["conversation_id"], message["pos"]
    fields = {"conversation_id": conversation_id, "pos": pos, "data": message}
    if message.get("deleted_at") is not None:
        type_, fields = MESSAGE_DELETED, {"message_id": message["id"], **fields}
    elif is_new:
        type_ = MESSAGE_NEW
    else:
        type_, fields = MESSAGE_EDITED, {"message_id": message["id"], **fields}
    return Event(type_, conversation_id, pos, message["sender_id"], encode_frame(type_, **fields))


def _new_message_event(message: MessageData, text: bytes) -> Event:
    conversation_id, pos = message["conversation_id"], message["pos"]
    data = orjson.Fragment(text)
    frame = encode_frame(MESSAGE_NEW, conversation_id=conversation_id, pos=pos, data=data)
    return Event(MESSAGE_NEW, conversation_id, pos, message["sender_id"], frame)


_TITLE_FIELDS: Final = ("id", "type", "title", "created_by", "created_at")
_MEMBER_EVENTS: Final = {"removed": PARTICIPANT_REMOVED, "updated": PARTICIPANT_UPDATED}


def member_events(conversation_id: str, changes: Iterable[MemberChange]) -> list[Event]:
    """The events of `changes`, which are in the order of pos. Users added at one pos share an event."""
    events = []
    for (pos, kind), group in groupby(changes, key=lambda change: (change.pos, change.kind)):
        if kind == "added":
            events.append(joined_event(conversation_id, pos, {row.user_id: row.role for row in group}))
        else:
            events += [_member_event(conversation_id, change) for change in group]
    return events


def _membership_begun_event(conversation_id: str, change: MemberChange) -> Event:
    """The short event for one of many users who were added together; the full one would be too large.

    Its frame isn't JSON, so a gateway that doesn't know this type drops it.
    """
    return Event(InternalEvent.MEMBERSHIP_BEGUN, conversation_id, change.pos, change.user_id, b"-")


def _member_event(conversation_id: str, change: MemberChange) -> Event:
    type_ = _MEMBER_EVENTS[change.kind]
    frame = encode_frame(
        type_, conversation_id=conversation_id, pos=change.pos, user_id=change.user_id, role=change.role
    )
    return Event(type_, conversation_id, change.pos, change.user_id, frame)


def updated_event(conversation: ConversationData, pos: int) -> Event:
    """The event of a new title. Members and messages are left out: their changes have their own events."""
    id_, data = conversation["id"], {name: conversation[name] for name in _TITLE_FIELDS}
    frame = encode_frame(CONVERSATION_UPDATED, conversation_id=id_, pos=pos, data=data)
    return Event(CONVERSATION_UPDATED, id_, pos, 0, frame)


def reactions_event(
    conversation_id: str,
    message_id: str,
    pos: int,
    counts: list[dict[str, Any]],
    changes: Sequence[Reaction] = (),
) -> Event:
    """The event of a message's reactions. `changes` are what is new in it, for live frames only."""
    fields: dict[str, Any] = {"message_id": message_id, "pos": pos, "counts": counts}
    if changes:
        fields["changes"] = [{"user_id": one.user_id, "emoji": one.emoji, "on": one.on} for one in changes]
    frame = encode_frame(MESSAGE_REACTIONS, conversation_id=conversation_id, **fields)
    return Event(MESSAGE_REACTIONS, conversation_id, pos, 0, frame)


def pins_event(conversation_id: str, pos: int, user_id: int, message_ids: list[str]) -> Event:
    """The event of a conversation's pinned messages. `user_id` made the last change."""
    fields = {"pos": pos, "message_ids": message_ids, "user_id": user_id}
    frame = encode_frame(CONVERSATION_PINS, conversation_id=conversation_id, **fields)
    return Event(CONVERSATION_PINS, conversation_id, pos, 0, frame)


def files_event(conversation_id: str, message_id: str, pos: int, attachments: list[dict[str, Any]]) -> Event:
    """The event of a message's files after the state of one has changed."""
    fields = {"message_id": message_id, "pos": pos, "attachments": attachments}
    frame = encode_frame(MESSAGE_FILES, conversation_id=conversation_id, **fields)
    return Event(MESSAGE_FILES, conversation_id, pos, 0, frame)
