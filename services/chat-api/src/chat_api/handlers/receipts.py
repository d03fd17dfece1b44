"""Handles the operations on read positions."""

from __future__ import annotations

from typing import Any

from chat_api.handlers.users import with_users
from chat_api.model import MessageFacts, UnreadCounts
from chat_api.ports import ConversationStore, MessageStore, ReceiptStore, UserStore
from chat_api.publisher import Publisher
from chat_api.rules.access import require_member
from chat_api.rules.messages import require_visible
from messenger_shared.contract import cursors, errors
from messenger_shared.contract.errors import AppError
from messenger_shared.rpc.messages import Request


class ReceiptHandlers:
    """Moving read positions, marking as unread, and listing readers."""

    def __init__(
        self,
        receipts: ReceiptStore,
        messages: MessageStore,
        conversations: ConversationStore,
        users: UserStore,
        publisher: Publisher,
    ) -> None:
        self._receipts = receipts
        self._messages = messages
        self._conversations = conversations
        self._users = users
        self._publisher = publisher

    async def read(self, request: Request) -> Any:
        """Marks everything up to a message as read."""
        facts = await self._visible_facts(request)
        return await self._move(request, facts.conversation_id, facts.seq)

    async def read_up_to(self, request: Request) -> Any:
        """Marks everything up to a message or a seq as read, or everything from a seq on as unread."""
        body, conversation_id = request.body, request.body["conversation_id"]
        require_member(await self._conversations.membership(conversation_id, request.user_id))
        if body["mark_unread_from"] is not None:
            return await self._mark(request, conversation_id, body["mark_unread_from"])
        if body["message_id"] is None:
            return await self._move(request, conversation_id, body["seq"])
        facts = await self._visible_facts(request)
        if facts.conversation_id != conversation_id:
            raise AppError(errors.NOT_FOUND)
        return await self._move(request, conversation_id, facts.seq)

    async def readers(self, request: Request) -> Any:
        """Returns a page of the members who have read a message, without the sender."""
        body, facts = request.body, await self._visible_facts(request)
        items = await self._receipts.readers(
            facts.conversation_id,
            request.user_id,
            facts.seq,
            facts.sender_id,
            cursors.decode_integer(body["cursor"], "readers"),
            body["limit"] + 1,
        )
        answer = cursors.page(items, body["limit"], "user_id", "readers")
        readers = [(facts.conversation_id, reader["user_id"]) for reader in answer["items"]]
        return await with_users(self._users, request.user_id, answer, readers)

    async def _visible_facts(self, request: Request) -> MessageFacts:
        return require_visible(await self._messages.facts(request.body["message_id"], request.user_id))

    async def _move(self, request: Request, conversation_id: str, seq: int) -> Any:
        position = await self._receipts.read(conversation_id, request.user_id, seq)
        # If the request is repeated, another worker may have moved the position without publishing it.
        if position.moved or request.is_retry:
            self._publisher.publish_read_position(request.user_id, position)
        elif position.cleared:
            self._publisher.publish_unread(request.user_id, position.counts)
        return _answer(position.counts)

    async def _mark(self, request: Request, conversation_id: str, seq: int) -> Any:
        position = await self._receipts.mark(conversation_id, request.user_id, seq)
        self._publisher.publish_unread(request.user_id, position.counts)
        return _answer(position.counts)


def _answer(counts: UnreadCounts) -> dict[str, Any]:
    return {
        "conversation_id": counts.conversation_id,
        "read_seq": counts.read_seq,
        "unread": counts.unread,
        "unread_mentions": counts.unread_mentions,
    }
