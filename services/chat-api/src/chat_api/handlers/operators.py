"""Owns the handlers of what operators ask: for nobody in particular, and past the rules of membership."""

from __future__ import annotations

from typing import Any

import orjson

from chat_api.ports import ConversationStore, OperatorStore
from chat_api.publish import Publisher
from messenger_shared import errors
from messenger_shared.errors import AppError
from messenger_shared.rpc import Request


class OperatorHandlers:
    """Ending a conversation, and saying something in it."""

    def __init__(
        self, operators: OperatorStore, conversations: ConversationStore, publisher: Publisher
    ) -> None:
        self._operators = operators
        self._conversations = conversations
        self._publisher = publisher

    async def close(self, request: Request) -> Any:
        """Everybody is removed; what is closed already is not found, unless by this very request."""
        conversation_id = request.body["conversation_id"]
        changes = await self._operators.close(conversation_id)
        if changes:
            self._publisher.members(conversation_id, changes)
        else:
            heads = await self._conversations.heads([conversation_id])
            if not request.again or not heads:
                raise AppError(errors.NOT_FOUND)
            self._publisher.stands(conversation_id, heads[conversation_id], ())
        return {"conversation_id": conversation_id, "removed": len(changes)}

    async def post(self, request: Request) -> Any:
        """The system message; published again if it was there already, since gateways drop doubles."""
        body, conversation_id = request.body, request.body["conversation_id"]
        message = await self._operators.post(conversation_id, body["message_id"], body["content"])
        if message is None:
            raise AppError(errors.NOT_FOUND)
        self._publisher.messages(conversation_id, [(message, orjson.dumps(message))])
        return message
