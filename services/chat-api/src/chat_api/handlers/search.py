"""Handles searches for messages."""

from __future__ import annotations

from typing import Any

from chat_api.handlers.users import named_by, with_users
from chat_api.ports import ConversationStore, UserStore
from chat_api.rules.access import require_member
from chat_api.search import cursor
from chat_api.search.query import Query
from chat_api.search.searching import Searcher
from messenger_shared.rpc.messages import Request


class SearchHandlers:
    """Finding messages by their words."""

    def __init__(self, searcher: Searcher, conversations: ConversationStore, users: UserStore) -> None:
        self._searcher = searcher
        self._conversations = conversations
        self._users = users

    async def messages(self, request: Request) -> Any:
        """Returns a page of the messages that have all words, the newest first."""
        body, caller = request.body, request.user_id
        query = Query.of(body)
        position = cursor.decode(body["cursor"], query, caller) if body["cursor"] is not None else None
        if query.conversation_id is not None:
            require_member(await self._conversations.membership(query.conversation_id, caller))
        result = await self._searcher.search(query, caller, position, body["limit"])
        messages = [message for _, message in result.found]
        answer = {
            "items": [
                {
                    "message": message,
                    "conversation_id": message["conversation_id"],
                    "highlights": query.words.places_in(message["content"] or ""),
                }
                for message in messages
            ],
            "has_more": result.following is not None,
            "next_cursor": (
                cursor.encode(result.following, query, caller) if result.following is not None else None
            ),
        }
        if result.partial:
            answer["partial"] = True
        return await with_users(self._users, caller, answer, named_by(messages))
