"""Handles the operations on the members of a conversation."""

from __future__ import annotations

from typing import Any, Final

from chat_api.handlers.users import with_users
from chat_api.model import MemberChange
from chat_api.ports import ConversationStore, ParticipantStore, UserStore
from chat_api.publisher import Publisher
from chat_api.rules.access import require_member
from messenger_shared.contract import cursors, errors
from messenger_shared.contract.errors import AppError
from messenger_shared.contract.identifiers import SERVER
from messenger_shared.rpc.messages import Request

MEMBERS_PER_ANSWER: Final = 100


class ParticipantHandlers:
    """Adding and removing members, and changing their roles."""

    def __init__(
        self,
        participants: ParticipantStore,
        conversations: ConversationStore,
        users: UserStore,
        publisher: Publisher,
    ) -> None:
        self._participants = participants
        self._conversations = conversations
        self._users = users
        self._publisher = publisher

    async def list_members(self, request: Request) -> Any:
        """Returns a page of the members, by user id."""
        body = request.body
        conversation_id = body["conversation_id"]
        require_member(await self._conversations.membership(conversation_id, request.user_id))
        after = cursors.decode_integer(body["cursor"], "participants")
        return await self._page(conversation_id, request.user_id, after, body["limit"])

    async def add(self, request: Request) -> Any:
        """Adds users and returns the first page of the members after that."""
        body, conversation_id = request.body, request.body["conversation_id"]
        changes = await self._participants.add(
            conversation_id, request.user_id, body["user_ids"], body["role"]
        )
        await self._publish_changes(conversation_id, changes, body["user_ids"])
        return await self._page(conversation_id, request.user_id, 0, MEMBERS_PER_ANSWER)

    async def remove(self, request: Request) -> Any:
        """Removes a member, or the caller. Raises AppError(not_found) if the user is no member."""
        user_id, conversation_id = request.body["user_id"], request.body["conversation_id"]
        try:
            changes = await self._participants.remove(conversation_id, request.user_id, user_id)
        except AppError as error:
            changes = await self._changes_if_repeated(error, request, user_id)
        await self._publish_changes(conversation_id, changes, [user_id])

    async def leave(self, request: Request) -> Any:
        """Removes the caller. Hides a direct conversation instead."""
        conversation_id = request.body["conversation_id"]
        try:
            outcome = await self._participants.leave(conversation_id, request.user_id)
        except AppError as error:
            outcome = await self._changes_if_repeated(error, request, request.user_id)
        if isinstance(outcome, int):
            self._publisher.publish_hidden(conversation_id, outcome, request.user_id)
        else:
            await self._publish_changes(conversation_id, outcome, [request.user_id])

    async def set_role(self, request: Request) -> Any:
        """Changes a member's role and returns the member."""
        body, conversation_id = request.body, request.body["conversation_id"]
        changes = await self._participants.set_role(
            conversation_id, request.user_id, body["user_id"], body["role"]
        )
        await self._publish_changes(conversation_id, changes, [])
        member = await self._participants.get(conversation_id, request.user_id, body["user_id"])
        if member is None:
            raise AppError(errors.NOT_FOUND)
        return member

    async def _changes_if_repeated(
        self, error: AppError, request: Request, user_id: int
    ) -> list[MemberChange]:
        """Returns [] if this request was carried out before; raises AppError(not_found) if another was."""
        if error.kind is errors.NOT_MEMBER and user_id == request.user_id:
            if request.is_retry:
                return []
            raise AppError(errors.NOT_FOUND) from None
        if error.kind is errors.NOT_FOUND and request.is_retry:
            conversation_id = request.body["conversation_id"]
            if request.user_id == SERVER:
                return []
            require_member(await self._conversations.membership(conversation_id, request.user_id))
            return []
        raise error

    async def _publish_changes(
        self, conversation_id: str, changes: list[MemberChange], user_ids: list[int]
    ) -> None:
        self._publisher.publish_member_changes(conversation_id, changes)
        if not changes:
            positions = await self._conversations.last_positions([conversation_id])
            self._publisher.publish_position(conversation_id, positions[conversation_id], user_ids)

    async def _page(self, conversation_id: str, caller: int, after: int, limit: int) -> dict[str, Any]:
        items = await self._participants.page(conversation_id, caller, after, limit + 1)
        answer = cursors.page(items, limit, "user_id", "participants")
        members = [(conversation_id, member["user_id"]) for member in answer["items"]]
        return await with_users(self._users, caller, answer, members)
