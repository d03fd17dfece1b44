"""Handles the admin commands. They act for no user, so the rules of membership don't apply."""

from __future__ import annotations

from typing import Any

import orjson

from chat_api.model import MessageData
from chat_api.ports import ConversationStore, OperatorStore
from chat_api.publisher import Publisher
from chat_api.rules.mentions import wanted_mentions
from messenger_shared.contract import errors
from messenger_shared.contract.errors import AppError
from messenger_shared.rpc.messages import Request


class OperatorHandlers:
    """Closing a conversation, and posting a system message."""

    def __init__(
        self, operators: OperatorStore, conversations: ConversationStore, publisher: Publisher
    ) -> None:
        self._operators = operators
        self._conversations = conversations
        self._publisher = publisher

    async def close(self, request: Request) -> Any:
        """Closes a conversation. Raises AppError(not_found) if it is missing or another request closed it."""
        conversation_id = request.body["conversation_id"]
        changes = await self._operators.close(conversation_id)
        if changes:
            self._publisher.publish_member_changes(conversation_id, changes)
        else:
            positions = await self._conversations.last_positions([conversation_id])
            if not request.is_retry or not positions:
                raise AppError(errors.NOT_FOUND)
            self._publisher.publish_position(conversation_id, positions[conversation_id], ())
        return {"conversation_id": conversation_id, "removed": len(changes)}

    async def post(self, request: Request) -> Any:
        """Stores and returns a system message."""
        message, _ = await self.post_once(request)
        return message

    async def post_once(self, request: Request) -> tuple[MessageData, bool]:
        """Stores a system message; returns it, and whether it is new.

        A repeat publishes it again: gateways drop duplicates.
        """
        body, conversation_id = request.body, request.body["conversation_id"]
        posted = await self._operators.post(
            conversation_id, body["message_id"], body["content"], wanted_mentions(body)
        )
        if posted is None:
            raise AppError(errors.NOT_FOUND)
        message, is_new = posted
        self._publisher.publish_new_messages(conversation_id, [(message, orjson.dumps(message))])
        return message, is_new
