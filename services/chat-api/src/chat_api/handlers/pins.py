"""Handles the operations on pinned messages."""

from __future__ import annotations

from typing import Any, Final

from chat_api.handlers.users import named_by, with_users
from chat_api.ports import ConversationStore, PinStore, UserStore
from chat_api.publisher import Publisher
from chat_api.rules.access import require_member
from messenger_shared.contract import cursors
from messenger_shared.rpc.messages import Request

NEWEST: Final = 2**63 - 1


class PinHandlers:
    """Pinning, unpinning and listing."""

    def __init__(
        self, pins: PinStore, conversations: ConversationStore, users: UserStore, publisher: Publisher
    ) -> None:
        self._pins = pins
        self._conversations = conversations
        self._users = users
        self._publisher = publisher

    async def pin(self, request: Request) -> Any:
        """Pins a message. Returns the conversation's pinned messages."""
        return await self._set(request, is_pinned=True)

    async def unpin(self, request: Request) -> Any:
        """Unpins a message. Returns the conversation's pinned messages."""
        return await self._set(request, is_pinned=False)

    async def list_pins(self, request: Request) -> Any:
        """Returns a page of pinned messages, newest pin first."""
        body, conversation_id, caller = request.body, request.body["conversation_id"], request.user_id
        require_member(await self._conversations.membership(conversation_id, caller))
        before = cursors.decode_integer(body["cursor"], "pins") if body["cursor"] else NEWEST
        rows = await self._pins.page(conversation_id, caller, before, body["limit"] + 1)
        answer = cursors.numbered_page(rows, body["limit"], "pins")
        users = {(conversation_id, pin["user_id"]) for pin in answer["items"]}
        users |= named_by(pin["message"] for pin in answer["items"])
        return await with_users(self._users, caller, answer, users)

    async def _set(self, request: Request, *, is_pinned: bool) -> Any:
        pins = await self._pins.set(request.body["message_id"], request.user_id, is_pinned=is_pinned)
        if pins.changed:
            self._publisher.publish_pins(pins, request.user_id)
        elif pins.pos:
            # The change may be an earlier one of a worker that died before it published it.
            self._publisher.publish_position(pins.conversation_id, pins.pos, ())
        return {"conversation_id": pins.conversation_id, "message_ids": pins.message_ids}
