"""Handles the operations on messages."""

from __future__ import annotations

import asyncio
from typing import Any, Final

from chat_api.handlers.users import with_users
from chat_api.model import Draft
from chat_api.ports import ConversationStore, MessageStore, UserStore
from chat_api.publisher import Publisher
from chat_api.rules.access import require_member
from chat_api.rules.messages import require_allowed
from chat_api.send_batcher import SendBatcher
from messenger_shared.contract import cursors, errors
from messenger_shared.contract.errors import AppError
from messenger_shared.rpc.messages import Request

NEWEST: Final = 2**63 - 1


class MessageHandlers:
    """Sending, reading, editing and deleting messages."""

    def __init__(
        self,
        messages: MessageStore,
        conversations: ConversationStore,
        users: UserStore,
        batcher: SendBatcher,
        publisher: Publisher,
    ) -> None:
        self._messages = messages
        self._conversations = conversations
        self._users = users
        self._batcher = batcher
        self._publisher = publisher

    def send(self, request: Request) -> asyncio.Future[Any]:
        """Stores a message. See SendBatcher.send."""
        body = request.body
        return self._batcher.send(
            Draft(
                body["message_id"],
                body["conversation_id"],
                request.user_id,
                body["client_message_id"],
                body["message_type"],
                body["content"],
                body["file_url"],
                body["file_name"],
                body["file_size"],
                body["reply_to"],
            )
        )

    async def history(self, request: Request) -> Any:
        """Returns a page of messages: newest first, or oldest first after a seq."""
        body, conversation_id = request.body, request.body["conversation_id"]
        require_member(await self._conversations.membership(conversation_id, request.user_id))
        start, forward = await self._start_of_page(body, request.user_id)
        limit = body["limit"]
        items = await self._messages.page(conversation_id, request.user_id, start, limit + 1, forward)
        has_more = len(items) > limit
        del items[limit:]
        next_cursor = cursors.encode("messages", items[-1]["seq"], int(forward)) if has_more else None
        answer = {"items": items, "has_more": has_more, "next_cursor": next_cursor}
        senders = {(conversation_id, message["sender_id"]) for message in items}
        return await with_users(self._users, request.user_id, answer, senders)

    async def edit(self, request: Request) -> Any:
        """Changes a message's text and returns the message."""
        body = request.body
        message = await self._messages.edit(
            body["message_id"], request.user_id, body["content"], body["expected_version"]
        )
        self._publisher.publish_changed_message(message)
        return message

    async def delete(self, request: Request) -> Any:
        """Deletes a message and returns its tombstone."""
        message = await self._messages.delete(request.body["message_id"], request.user_id)
        self._publisher.publish_changed_message(message)
        return message

    async def versions(self, request: Request) -> Any:
        """Returns a page of a message's earlier texts. Raises AppError(not_found) for a deleted message."""
        body = request.body
        facts = await self._messages.facts(body["message_id"], request.user_id)
        if require_allowed(facts, request.user_id, "see_versions").deleted:
            raise AppError(errors.NOT_FOUND)
        after = cursors.decode_integer(body["cursor"], "versions")
        items = await self._messages.versions(body["message_id"], request.user_id, after, body["limit"] + 1)
        return cursors.page(items, body["limit"], "version", "versions")

    async def _start_of_page(self, body: dict[str, Any], caller: int) -> tuple[int, bool]:
        if body["cursor"] is not None:
            seq, forward = cursors.decode(body["cursor"], "messages", int, int)
            return int(seq), bool(forward)
        if body["after_seq"] is not None:
            return body["after_seq"], True
        if body["before"] is not None:
            facts = await self._messages.facts(body["before"], caller)
            if facts is None or facts.conversation_id != body["conversation_id"]:
                raise AppError(errors.NOT_FOUND)
            return facts.seq, False
        return (NEWEST if body["before_seq"] is None else body["before_seq"]), False
