"""Owns telling the gateways: durable events, after their commit, on the channels of those concerned."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

import orjson

from chat_api.heads import Heads
from chat_api.model import ConversationData, MemberChange, MessageData, ReadPosition, SettingsData
from messenger_shared import channels
from messenger_shared.bus import Bus
from messenger_shared.events import (
    CONVERSATION_CREATED,
    CONVERSATION_DELETED,
    CONVERSATION_UPDATED,
    MESSAGE_DELETED,
    MESSAGE_EDITED,
    MESSAGE_NEW,
    MESSAGE_READ,
    PARTICIPANT_ADDED,
    PARTICIPANT_REMOVED,
    PARTICIPANT_UPDATED,
    SETTINGS_UPDATED,
    UNREAD_UPDATED,
    Event,
    encode_frame,
    pack,
)


class Publisher:
    """Publishes events; losing one is harmless, since heads give it away."""

    def __init__(self, bus: Bus, heads: Heads) -> None:
        self._bus = bus
        self._heads = heads

    def messages(self, conversation_id: str, messages: Iterable[tuple[MessageData, bytes]]) -> None:
        """New messages of one conversation with their JSON, in the order of pos, as one bus message."""
        self._durable(conversation_id, [_new_message_event(message, text) for message, text in messages])

    def changed(self, message: MessageData) -> None:
        """A message that was edited or deleted."""
        self._durable(message["conversation_id"], [message_event(message, is_new=False)])

    def read(self, user_id: int, position: ReadPosition) -> None:
        """How far somebody has read: to all members, and the numbers to his own other sockets."""
        conversation_id = position.conversation_id
        fields = {"conversation_id": conversation_id, "read_seq": position.read_seq}
        seen = encode_frame(
            MESSAGE_READ, **fields, message_id=position.message_id, user_id=user_id, read_at=position.read_at
        )
        own = encode_frame(UNREAD_UPDATED, **fields, unread=position.unread, last_seq=position.last_seq)
        event = Event(MESSAGE_READ, conversation_id, 0, user_id, seen)
        self._bus.publish(channels.conversation(conversation_id), pack([event]))
        self._to_user(user_id, Event(UNREAD_UPDATED, conversation_id, 0, user_id, own))

    def settings(self, conversation_id: str, user_id: int, settings: SettingsData) -> None:
        """Notification settings, to the user's own sockets."""
        frame = encode_frame(SETTINGS_UPDATED, conversation_id=conversation_id, data=settings)
        self._to_user(user_id, Event(SETTINGS_UPDATED, conversation_id, 0, user_id, frame))

    def hidden(self, conversation_id: str, pos: int, user_id: int) -> None:
        """A direct conversation that the user has put away, to his own sockets alone: outside the order."""
        data = {"id": conversation_id, "hidden": True}
        frame = encode_frame(CONVERSATION_DELETED, conversation_id=conversation_id, pos=pos, data=data)
        self._to_user(user_id, Event(CONVERSATION_DELETED, conversation_id, 0, user_id, frame))

    def renamed(self, conversation: ConversationData, pos: int) -> None:
        """A conversation with its new title."""
        self._durable(conversation["id"], [updated_event(conversation, pos)])

    def stands(self, conversation_id: str, pos: int, user_ids: Iterable[int]) -> None:
        """Nothing changed now, but what did before may not have been told: gateways shall compare."""
        self._heads.moved(conversation_id, pos)
        for user_id in user_ids:
            self._heads.joined(user_id)

    def members(self, conversation_id: str, changes: Sequence[MemberChange]) -> None:
        """Who came, went, or got another role, in the order of pos.

        Who came is told on his own channel too, since his gateway may not listen to the conversation yet;
        who went, since it may be about to.
        """
        events = [member_event(conversation_id, change) for change in changes]
        if not events:
            return
        for event in events:
            if event.type != PARTICIPANT_UPDATED:
                self._to_user(event.user_id, event)
                self._heads.joined(event.user_id)
        self._durable(conversation_id, events)

    def created(self, conversation: ConversationData, member_ids: Iterable[int]) -> None:
        """A new conversation, to each of its members, whose gateways don't listen to it yet."""
        conversation_id = conversation["id"]
        frame = encode_frame(CONVERSATION_CREATED, conversation_id=conversation_id, pos=1, data=conversation)
        for user_id in member_ids:
            self._to_user(user_id, Event(CONVERSATION_CREATED, conversation_id, 1, user_id, frame))
            self._heads.joined(user_id)

    def _to_user(self, user_id: int, event: Event) -> None:
        self._bus.publish(channels.user(user_id), pack([event]))

    def _durable(self, conversation_id: str, events: list[Event]) -> None:
        self._bus.publish(channels.conversation(conversation_id), pack(events))
        self._heads.moved(conversation_id, events[-1].pos)


def message_event(message: MessageData, *, is_new: bool) -> Event:
    """The event that brings a gateway, to which the message is new or not, to its present state."""
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


_TITLED: Final = ("id", "type", "title", "created_by", "created_at")
_MEMBER_EVENTS: Final = {
    "added": PARTICIPANT_ADDED,
    "removed": PARTICIPANT_REMOVED,
    "updated": PARTICIPANT_UPDATED,
}


def member_event(conversation_id: str, change: MemberChange) -> Event:
    """The event of a change of membership."""
    type_ = _MEMBER_EVENTS[change.kind]
    frame = encode_frame(
        type_, conversation_id=conversation_id, pos=change.pos, user_id=change.user_id, role=change.role
    )
    return Event(type_, conversation_id, change.pos, change.user_id, frame)


def updated_event(conversation: ConversationData, pos: int) -> Event:
    """The event of a new title, whoever brings it: what changes otherwise has events of its own."""
    id_, data = conversation["id"], {name: conversation[name] for name in _TITLED}
    frame = encode_frame(CONVERSATION_UPDATED, conversation_id=id_, pos=pos, data=data)
    return Event(CONVERSATION_UPDATED, id_, pos, 0, frame)
