"""Handles the operations on conversations."""

from __future__ import annotations

from typing import Any, Final

from chat_api.event_ports import ChangeStore
from chat_api.handlers.users import named_by, with_users
from chat_api.model import ConversationData
from chat_api.ports import ConversationStore, UserStore
from chat_api.publisher import Publisher
from chat_api.rules.access import require_member
from chat_api.rules.conversations import new_conversation
from chat_api.search.matching import Words
from chat_api.search.store import TitleStore
from messenger_shared.contract import cursors, errors
from messenger_shared.contract.errors import AppError
from messenger_shared.rpc.messages import Request

MAX_VIEW_MEMBERS: Final = 1_000


class ConversationHandlers:
    """Creating, renaming and reading conversations."""

    def __init__(
        self,
        conversations: ConversationStore,
        changes: ChangeStore,
        users: UserStore,
        publisher: Publisher,
        titles: TitleStore,
    ) -> None:
        self._conversations = conversations
        self._titles = titles
        self._changes = changes
        self._users = users
        self._publisher = publisher

    async def create(self, request: Request) -> Any:
        """Creates a conversation, or returns the direct one that the two users already have."""
        body = request.body
        new = new_conversation(
            body["conversation_id"], body["type"], body["title"], request.user_id, body["participant_ids"]
        )
        id_, created = await self._conversations.create(new)
        conversation = await describe(self._conversations, id_, request.user_id)
        if created:
            self._publisher.publish_new_conversation(conversation, new.members)
        return {"conversation": await self._with_users(conversation, request.user_id), "created": created}

    async def get(self, request: Request) -> Any:
        """Returns one of the caller's conversations."""
        conversation_id = request.body["conversation_id"]
        require_member(await self._conversations.membership(conversation_id, request.user_id))
        return await self._with_users(
            await describe(self._conversations, conversation_id, request.user_id), request.user_id
        )

    async def update(self, request: Request) -> Any:
        """Renames a conversation and returns it."""
        conversation_id = request.body["conversation_id"]
        pos = await self._conversations.rename(conversation_id, request.user_id, request.body["title"])
        conversation = await describe(self._conversations, conversation_id, request.user_id)
        if pos is not None:
            self._publisher.publish_new_title(conversation, pos)
        else:
            self._publisher.publish_position(conversation_id, conversation["last_pos"], ())
        return await self._with_users(conversation, request.user_id)

    async def list_for(self, request: Request) -> Any:
        """Returns a page of the caller's conversations."""
        body, limit = request.body, request.body["limit"]
        before = None
        if body["cursor"] is not None:
            activity, id_ = cursors.decode(body["cursor"], "conversations", int, str)
            before = (int(activity), str(id_))
        # An older gateway doesn't know `q`.
        if body.get("q") is not None:
            items, last = await self._titled(request.user_id, Words(body["q"]), before, limit)
        else:
            items, last = await self._newest(request.user_id, before, limit)
        next_cursor = cursors.encode("conversations", *last) if last is not None else None
        answer = {"items": items, "next_cursor": next_cursor}
        return await with_users(self._users, request.user_id, answer, named_in(items))

    async def _newest(
        self, user_id: int, before: tuple[int, str] | None, limit: int
    ) -> tuple[list[ConversationData], tuple[int, str] | None]:
        """A page, and where the next one starts if there is one."""
        rows = await self._conversations.list_for(user_id, before, limit + 1)
        items = [conversation for _, conversation in rows[:limit]]
        return items, (rows[limit - 1][0], items[-1]["id"]) if len(rows) > limit else None

    async def _titled(
        self, user_id: int, words: Words, before: tuple[int, str] | None, limit: int
    ) -> tuple[list[ConversationData], tuple[int, str] | None]:
        """The same of the conversations whose title has these words."""
        found = await self._titles.find(user_id, words, before, limit + 1)
        ids = [id_ for _, id_ in found[:limit]]
        rows = await self._conversations.list_for(user_id, None, limit, ids) if ids else []
        return [conversation for _, conversation in rows], found[limit - 1] if len(found) > limit else None

    async def sync(self, request: Request) -> Any:
        """Returns a page of the counters of the caller's conversations."""
        body, limit = request.body, request.body["limit"]
        cursor = body["cursor"]
        after = str(cursors.decode(cursor, "sync", str)[0]) if cursor is not None else None
        items = await self._conversations.counters(request.user_id, after, limit + 1)
        return cursors.page(items, limit, "conversation_id", "sync")

    async def memberships(self, request: Request) -> Any:
        """Returns {user id: [[conversation id, last pos, pos at which the user rejoined or 0]]}."""
        found = await self._conversations.memberships(request.body["user_ids"])
        return {str(user_id): rows for user_id, rows in found.items()}

    async def last_positions(self, request: Request) -> Any:
        """Returns {conversation id: last pos}."""
        return await self._conversations.last_positions(request.body["conversation_ids"])

    async def view(self, request: Request) -> Any:
        """Returns the positions of a conversation, the caller's read position, and the first members' ids."""
        conversation_id = request.body["conversation_id"]
        membership = require_member(await self._conversations.membership(conversation_id, request.user_id))
        return {
            "last_seq": membership.last_seq,
            "last_pos": membership.last_pos,
            "read_seq": membership.read_seq,
            "member_ids": await self._conversations.member_ids(
                conversation_id, request.user_id, MAX_VIEW_MEMBERS
            ),
        }

    async def changes(self, request: Request) -> Any:
        """Returns the parts of the events after a pos, and the pos up to which they are complete.

        They are for one caller, or without a caller for all members who never left. Each changed row comes
        once, in its latest state. Pos 1, the creation, is left out: members get it on their own channels.
        """
        conversation_id, caller = request.body["conversation_id"], request.user_id
        after_pos = max(request.body["after_pos"], 1)
        if caller:
            require_member(await self._conversations.membership(conversation_id, caller))
        changes = await self._changes.after(conversation_id, caller, after_pos)
        if changes is None:
            raise AppError(errors.NOT_FOUND)
        return {
            "to": changes.to,
            "events": [
                [e.type, e.conversation_id, e.pos, e.user_id, e.frame.decode()] for e in changes.events
            ],
        }

    async def _with_users(self, conversation: ConversationData, caller: int) -> Any:
        return await with_users(self._users, caller, {**conversation}, named_in([conversation]))


async def describe(conversations: ConversationStore, conversation_id: str, caller: int) -> ConversationData:
    """The conversation as the caller sees it. Raises AppError(not_found)."""
    conversation = await conversations.describe(conversation_id, caller)
    if conversation is None:
        raise AppError(errors.NOT_FOUND)
    return conversation


def named_in(conversations: list[ConversationData]) -> set[tuple[str, int]]:
    """The users that a list of conversations names: creators, members, and those of the last messages."""
    named = named_by(
        conversation["last_message"]
        for conversation in conversations
        if conversation.get("last_message") is not None
    )
    for conversation in conversations:
        users = [conversation["created_by"], *(conversation.get("participant_ids") or ())]
        users += [member["user_id"] for member in conversation.get("participants", ())]
        named |= {(conversation["id"], user_id) for user_id in users}
    return named
