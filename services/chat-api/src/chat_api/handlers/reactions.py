"""Handles the operations on reactions."""

from __future__ import annotations

import asyncio
from typing import Any

from chat_api.handlers.users import with_users
from chat_api.model import Reaction
from chat_api.ports import MessageStore, ReactionStore, UserStore
from chat_api.reaction_batcher import ReactionBatcher
from chat_api.rules.messages import require_visible
from messenger_shared.contract import cursors, errors
from messenger_shared.contract.errors import AppError
from messenger_shared.rpc.messages import Request


class ReactionHandlers:
    """Setting, removing and listing reactions."""

    def __init__(
        self, reactions: ReactionStore, messages: MessageStore, users: UserStore, batcher: ReactionBatcher
    ) -> None:
        self._reactions = reactions
        self._messages = messages
        self._users = users
        self._batcher = batcher

    def set(self, request: Request) -> asyncio.Future[Any]:
        """Sets or removes a reaction. See ReactionBatcher.set."""
        return self._set(request, on=request.body["on"])

    def add(self, request: Request) -> asyncio.Future[Any]:
        """Sets a reaction."""
        return self._set(request, on=True)

    def remove(self, request: Request) -> asyncio.Future[Any]:
        """Removes a reaction, if there is one."""
        return self._set(request, on=False)

    async def list_users(self, request: Request) -> Any:
        """Returns a page of who reacted, oldest first."""
        body = request.body
        facts = require_visible(await self._messages.facts(body["message_id"], request.user_id))
        if facts.deleted:
            raise AppError(errors.NOT_FOUND)
        after, limit = cursors.decode_integer(body["cursor"], "reactions"), body["limit"]
        rows = await self._reactions.page(
            body["message_id"], request.user_id, body["emoji"], after, limit + 1
        )
        answer = cursors.numbered_page(rows, limit, "reactions")
        named = [(facts.conversation_id, row["user_id"]) for row in answer["items"]]
        return await with_users(self._users, request.user_id, answer, named)

    def _set(self, request: Request, *, on: bool) -> asyncio.Future[Any]:
        body = request.body
        return self._batcher.set(Reaction(body["message_id"], request.user_id, body["emoji"], on))
