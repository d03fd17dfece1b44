"""Owns the handlers of the operations on conversations."""

from __future__ import annotations

from typing import Any, Final

from chat_api.model import ConversationData
from chat_api.ports import ChangeStore, ConversationStore
from chat_api.publish import Publisher, member_event, message_event, updated_event
from chat_api.rules.access import require_member
from chat_api.rules.conversations import new_conversation
from messenger_shared import cursors, errors
from messenger_shared.errors import AppError
from messenger_shared.rpc import Request

VIEWED_MEMBERS: Final = 1_000
CHANGES_MAX: Final = 500


class ConversationHandlers:
    """Creating and looking."""

    def __init__(self, conversations: ConversationStore, changes: ChangeStore, publisher: Publisher) -> None:
        self._conversations = conversations
        self._changes = changes
        self._publisher = publisher

    async def create(self, request: Request) -> Any:
        """A new conversation, or the direct one that the two have already."""
        body = request.body
        new = new_conversation(
            body["conversation_id"], body["type"], body["title"], request.user_id, body["participant_ids"]
        )
        id_, created = await self._conversations.create(new)
        conversation = await self._describe(id_, request.user_id)
        if created:
            self._publisher.created(conversation, new.members)
        return {"conversation": conversation, "created": created}

    async def get(self, request: Request) -> Any:
        """One conversation of the caller's."""
        conversation_id = request.body["conversation_id"]
        require_member(await self._conversations.membership(conversation_id, request.user_id))
        return await self._describe(conversation_id, request.user_id)

    async def update(self, request: Request) -> Any:
        """The conversation with its new title."""
        conversation_id = request.body["conversation_id"]
        pos = await self._conversations.rename(conversation_id, request.user_id, request.body["title"])
        conversation = await self._describe(conversation_id, request.user_id)
        if pos is not None:
            self._publisher.renamed(conversation, pos)
        else:
            self._publisher.stands(conversation_id, conversation["last_pos"], ())
        return conversation

    async def list_for(self, request: Request) -> Any:
        """A page of the caller's conversations."""
        body, limit = request.body, request.body["limit"]
        before = None
        if body["cursor"] is not None:
            activity, id_ = cursors.decode(body["cursor"], "conversations", int, str)
            before = (int(activity), str(id_))
        rows = await self._conversations.list_for(request.user_id, before, limit + 1)
        has_more = len(rows) > limit
        del rows[limit:]
        items = [conversation for _, conversation in rows]
        next_cursor = cursors.encode("conversations", rows[-1][0], items[-1]["id"]) if has_more else None
        return {"items": items, "next_cursor": next_cursor}

    async def sync(self, request: Request) -> Any:
        """A page of where the caller's conversations stand."""
        body, limit = request.body, request.body["limit"]
        cursor = body["cursor"]
        after = str(cursors.decode(cursor, "sync", str)[0]) if cursor is not None else None
        items = await self._conversations.standings(request.user_id, after, limit + 1)
        return cursors.page(items, limit, "conversation_id", "sync")

    async def memberships(self, request: Request) -> Any:
        """What a gateway listens to for some users: {user: [[conversation id, last pos, pos of return]]}."""
        found = await self._conversations.memberships(request.body["user_ids"])
        return {str(user_id): rows for user_id, rows in found.items()}

    async def heads(self, request: Request) -> Any:
        """Where conversations stand: {id: last pos}."""
        return await self._conversations.heads(request.body["conversation_ids"])

    async def view(self, request: Request) -> Any:
        """What a member sees first of a conversation, and who else is in it."""
        conversation_id = request.body["conversation_id"]
        membership = require_member(await self._conversations.membership(conversation_id, request.user_id))
        return {
            "last_seq": membership.last_seq,
            "last_pos": membership.last_pos,
            "read_seq": membership.read_seq,
            "member_ids": await self._conversations.member_ids(
                conversation_id, request.user_id, VIEWED_MEMBERS
            ),
        }

    async def changes(self, request: Request) -> Any:
        """What a gateway missed after a pos: the events' parts, and the pos up to which that is all.

        For all its members who were never away, or for the caller alone, when there is one.
        Each changed thing once, in its latest state. The creation, at 1, is told to its members otherwise.
        """
        conversation_id, caller = request.body["conversation_id"], request.user_id
        after_pos = max(request.body["after_pos"], 1)
        if caller:
            require_member(await self._conversations.membership(conversation_id, caller))
        missed = await self._changes.missed(conversation_id, caller, after_pos, CHANGES_MAX)
        if missed is None:
            raise AppError(errors.NOT_FOUND)
        events = [message_event(message, is_new=is_new) for message, is_new in missed.messages]
        # Where one of the lists was cut, the other may know of later changes only.
        cut = [rows[-1].pos for rows in (events, missed.members) if len(rows) == CHANGES_MAX]
        events += [member_event(conversation_id, change) for change in missed.members]
        if missed.title is not None:
            pos, conversation = missed.title
            events.append(updated_event(conversation, pos))
        upto = min([missed.head, *cut])
        events = sorted((event for event in events if event.pos <= upto), key=lambda event: event.pos)
        return {
            "to": upto,
            "events": [[e.type, e.conversation_id, e.pos, e.user_id, e.frame.decode()] for e in events],
        }

    async def _describe(self, conversation_id: str, caller: int) -> ConversationData:
        conversation = await self._conversations.describe(conversation_id, caller)
        if conversation is None:
            raise AppError(errors.NOT_FOUND)
        return conversation
