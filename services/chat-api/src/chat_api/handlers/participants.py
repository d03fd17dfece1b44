"""Owns the handlers of the operations on who is in a conversation."""

from __future__ import annotations

from typing import Any, Final

from chat_api.model import MemberChange
from chat_api.ports import ConversationStore, ParticipantStore
from chat_api.publish import Publisher
from chat_api.rules.access import require_member
from messenger_shared import cursors, errors
from messenger_shared.errors import AppError
from messenger_shared.rpc import Request

ANSWERED_MEMBERS: Final = 100


class ParticipantHandlers:
    """Coming, going, and being something else."""

    def __init__(
        self, participants: ParticipantStore, conversations: ConversationStore, publisher: Publisher
    ) -> None:
        self._participants = participants
        self._conversations = conversations
        self._publisher = publisher

    async def list_of(self, request: Request) -> Any:
        """A page of the members, by user id."""
        body = request.body
        conversation_id = body["conversation_id"]
        require_member(await self._conversations.membership(conversation_id, request.user_id))
        after = cursors.decode_integer(body["cursor"], "participants")
        return await self._page(conversation_id, request.user_id, after, body["limit"])

    async def add(self, request: Request) -> Any:
        """The first page of the members, as it is then."""
        body, conversation_id = request.body, request.body["conversation_id"]
        changes = await self._participants.add(
            conversation_id, request.user_id, body["user_ids"], body["role"]
        )
        await self._tell(conversation_id, changes, body["user_ids"])
        return await self._page(conversation_id, request.user_id, 0, ANSWERED_MEMBERS)

    async def remove(self, request: Request) -> Any:
        """Takes somebody out, or oneself; who is out already is not found."""
        user_id, conversation_id = request.body["user_id"], request.body["conversation_id"]
        try:
            changes = await self._participants.remove(conversation_id, request.user_id, user_id)
        except AppError as error:
            changes = await self._gone_before(error, request, user_id)
        await self._tell(conversation_id, changes, [user_id])

    async def leave(self, request: Request) -> Any:
        """Leaves; a direct conversation is put away."""
        conversation_id = request.body["conversation_id"]
        try:
            outcome = await self._participants.leave(conversation_id, request.user_id)
        except AppError as error:
            outcome = await self._gone_before(error, request, request.user_id)
        if isinstance(outcome, int):
            self._publisher.hidden(conversation_id, outcome, request.user_id)
        else:
            await self._tell(conversation_id, outcome, [request.user_id])

    async def set_role(self, request: Request) -> Any:
        """The member with his role."""
        body, conversation_id = request.body, request.body["conversation_id"]
        changes = await self._participants.set_role(
            conversation_id, request.user_id, body["user_id"], body["role"]
        )
        await self._tell(conversation_id, changes, [])
        member = await self._participants.one(conversation_id, request.user_id, body["user_id"])
        if member is None:
            raise AppError(errors.NOT_FOUND)
        return member

    async def _gone_before(self, error: AppError, request: Request, user_id: int) -> list[MemberChange]:
        """Going twice finds nothing to leave, unless the first time was this very request."""
        if error.kind is errors.NOT_MEMBER and user_id == request.user_id:
            if request.again:
                return []
            raise AppError(errors.NOT_FOUND) from None
        if error.kind is errors.NOT_FOUND and request.again:
            conversation_id = request.body["conversation_id"]
            require_member(await self._conversations.membership(conversation_id, request.user_id))
            return []
        raise error

    async def _tell(self, conversation_id: str, changes: list[MemberChange], user_ids: list[int]) -> None:
        self._publisher.members(conversation_id, changes)
        if not changes:
            heads = await self._conversations.heads([conversation_id])
            self._publisher.stands(conversation_id, heads[conversation_id], user_ids)

    async def _page(self, conversation_id: str, caller: int, after: int, limit: int) -> dict[str, Any]:
        items = await self._participants.page(conversation_id, caller, after, limit + 1)
        return cursors.page(items, limit, "user_id", "participants")
