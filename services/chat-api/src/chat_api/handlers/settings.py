"""Handles the operations on notification settings."""

from __future__ import annotations

from typing import Any

from chat_api.ports import ConversationStore, SettingsStore
from chat_api.publisher import Publisher
from chat_api.rules.access import require_member
from chat_api.rules.settings import wanted_settings
from messenger_shared.rpc.messages import Request


class SettingsHandlers:
    """Reading and changing the caller's notification settings of a conversation."""

    def __init__(
        self, settings: SettingsStore, conversations: ConversationStore, publisher: Publisher
    ) -> None:
        self._settings = settings
        self._conversations = conversations
        self._publisher = publisher

    async def get(self, request: Request) -> Any:
        """Returns the settings, or the defaults."""
        conversation_id = request.body["conversation_id"]
        require_member(await self._conversations.membership(conversation_id, request.user_id))
        return await self._settings.get(conversation_id, request.user_id)

    async def update(self, request: Request) -> Any:
        """Changes the settings, publishes them to the caller's own sockets, and returns them."""
        conversation_id, user_id = request.body["conversation_id"], request.user_id
        require_member(await self._conversations.membership(conversation_id, user_id))
        settings = await self._settings.update(conversation_id, user_id, wanted_settings(request.body))
        self._publisher.publish_settings(conversation_id, user_id, settings)
        return settings
