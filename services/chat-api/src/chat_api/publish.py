"""Owns telling the gateways: durable events, after their commit, on the channels of those concerned."""

from __future__ import annotations

from collections.abc import Iterable

from chat_api.heads import Heads
from chat_api.model import ConversationData, MessageData
from messenger_shared import channels
from messenger_shared.bus import Bus
from messenger_shared.events import (
    CONVERSATION_CREATED,
    MESSAGE_NEW,
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
        events = [message_new(message) for message in messages]
        self._bus.publish(channels.conversation(conversation_id), pack(events))
        self._heads.moved(conversation_id, events[-1].pos)

    def created(self, conversation: ConversationData, member_ids: Iterable[int]) -> None:
        """A new conversation, to each of its members, whose gateways don't listen to it yet."""
        conversation_id = conversation["id"]
        frame = encode_frame(CONVERSATION_CREATED, conversation_id=conversation_id, pos=1, data=conversation)
        for user_id in member_ids:
            event = Event(CONVERSATION_CREATED, conversation_id, 1, user_id, frame)
            self._bus.publish(channels.user(user_id), pack([event]))
            self._heads.joined(user_id)


def message_new(message: MessageData) -> Event:
    """The event of a new message."""
    conversation_id, pos = message["conversation_id"], message["pos"]
    frame = encode_frame(MESSAGE_NEW, conversation_id=conversation_id, pos=pos, data=message)
    return Event(MESSAGE_NEW, conversation_id, pos, message["sender_id"], frame)
