"""Owns the handlers of the operations on read positions."""

from __future__ import annotations

from typing import Any

from chat_api.model import MessageFacts
from chat_api.ports import ConversationStore, MessageStore, ReceiptStore
from chat_api.publish import Publisher
from chat_api.rules.access import require_member
from chat_api.rules.messages import require_seen
from messenger_shared import cursors, errors
from messenger_shared.errors import AppError
from messenger_shared.rpc import Request


class ReceiptHandlers:
    """Reading, and who has read."""

    def __init__(
        self,
        receipts: ReceiptStore,
        messages: MessageStore,
        conversations: ConversationStore,
        publisher: Publisher,
    ) -> None:
        self._receipts = receipts
        self._messages = messages
        self._conversations = conversations
        self._publisher = publisher

    async def read(self, request: Request) -> Any:
        """Everything up to a message is read."""
        facts = await self._seen(request)
        return await self._move(request, facts.conversation_id, facts.seq)

    async def read_up_to(self, request: Request) -> Any:
        """Everything up to a message or a seq of one conversation is read."""
        body, conversation_id = request.body, request.body["conversation_id"]
        require_member(await self._conversations.membership(conversation_id, request.user_id))
        if body["message_id"] is None:
            return await self._move(request, conversation_id, body["seq"])
        facts = await self._seen(request)
        if facts.conversation_id != conversation_id:
            raise AppError(errors.NOT_FOUND)
        return await self._move(request, conversation_id, facts.seq)

    async def readers(self, request: Request) -> Any:
        """A page of the members, but for the sender, who have read a message."""
        body, facts = request.body, await self._seen(request)
        items = await self._receipts.readers(
            facts.conversation_id,
            request.user_id,
            facts.seq,
            facts.sender_id,
            cursors.decode_integer(body["cursor"], "readers"),
            body["limit"] + 1,
        )
        return cursors.page(items, body["limit"], "user_id", "readers")

    async def _seen(self, request: Request) -> MessageFacts:
        return require_seen(await self._messages.facts(request.body["message_id"], request.user_id))

    async def _move(self, request: Request, conversation_id: str, seq: int) -> Any:
        position = await self._receipts.read(conversation_id, request.user_id, seq)
        # Asked again, it may have been moved by a worker that couldn't tell.
        if position.moved or request.again:
            self._publisher.read(request.user_id, position)
        return {
            "conversation_id": conversation_id,
            "read_seq": position.read_seq,
            "unread": position.unread,
        }
