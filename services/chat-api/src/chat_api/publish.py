"""Owns telling the gateways: durable events, after their commit, on the channels of those concerned."""

from __future__ import annotations

from collections.abc import Iterable

from chat_api.heads import Heads
from chat_api.model import ConversationData, MessageData, ReadPosition
from messenger_shared import channels
from messenger_shared.bus import Bus
from messenger_shared.events import (
    CONVERSATION_CREATED,
    MESSAGE_DELETED,
    MESSAGE_EDITED,
    MESSAGE_NEW,
    MESSAGE_READ,
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

    def messages(self, conversation_id: str, messages: Iterable[MessageData]) -> None:
        """New messages of one conversation, in the order of their pos, as one bus message."""
        self._durable(conversation_id, [message_event(message, is_new=True) for message in messages])

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
        self._bus.publish(
            channels.user(user_id), pack([Event(UNREAD_UPDATED, conversation_id, 0, user_id, own)])
        )

    def created(self, conversation: ConversationData, member_ids: Iterable[int]) -> None:
        """A new conversation, to each of its members, whose gateways don't listen to it yet."""
        conversation_id = conversation["id"]
        frame = encode_frame(CONVERSATION_CREATED, conversation_id=conversation_id, pos=1, data=conversation)
        for user_id in member_ids:
            event = Event(CONVERSATION_CREATED, conversation_id, 1, user_id, frame)
            self._bus.publish(channels.user(user_id), pack([event]))
            self._heads.joined(user_id)

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
