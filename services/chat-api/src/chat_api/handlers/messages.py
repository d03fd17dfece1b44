"""Handles the operations on messages."""

from __future__ import annotations

import asyncio
from typing import Any, Final

from chat_api.before_send.checks import BeforeSend
from chat_api.handlers.users import named_by, with_users
from chat_api.model import Draft, Edit, MessageData
from chat_api.ports import ConversationStore, MessageStore, ReceiptStore, UserStore
from chat_api.publisher import Publisher
from chat_api.rules.access import require_member
from chat_api.rules.mentions import wanted_mentions
from chat_api.rules.messages import require_allowed
from chat_api.send_batcher import SendBatcher
from messenger_shared.contract import cursors, errors
from messenger_shared.contract.errors import AppError
from messenger_shared.rpc.messages import Request

NEWEST: Final = 2**63 - 1


class MessageHandlers:
    """Sending, reading, editing and deleting messages."""

    def __init__(
        self,
        messages: MessageStore,
        conversations: ConversationStore,
        receipts: ReceiptStore,
        users: UserStore,
        batcher: SendBatcher,
        publisher: Publisher,
        before_send: BeforeSend | None = None,
    ) -> None:
        self._messages = messages
        self._conversations = conversations
        self._receipts = receipts
        self._users = users
        self._batcher = batcher
        self._publisher = publisher
        self._before_send = before_send

    def send(self, request: Request) -> asyncio.Future[Any]:
        """Stores a user's message. See SendBatcher.send, and BeforeSend.send."""
        draft = _draft(request)
        return self._batcher.send(draft) if self._before_send is None else self._before_send.send(draft)

    def send_for_host(self, request: Request) -> asyncio.Future[Any]:
        """Stores a message that the host sends as a user. The host isn't asked about it."""
        return self._batcher.send(_draft(request))

    async def history(self, request: Request) -> Any:
        """Returns a page of messages: newest first, or oldest first after a seq."""
        body, conversation_id = request.body, request.body["conversation_id"]
        require_member(await self._conversations.membership(conversation_id, request.user_id))
        # An older gateway doesn't know `around`.
        if body.get("around") is not None:
            items, has_more = await self._around(body, request.user_id)
            forward = False
        else:
            start, forward = await self._start_of_page(body, request.user_id)
            limit = body["limit"]
            items = await self._messages.page(conversation_id, request.user_id, start, limit + 1, forward)
            has_more = len(items) > limit
            del items[limit:]
        next_cursor = cursors.encode("messages", items[-1]["seq"], int(forward)) if has_more else None
        answer = {"items": items, "has_more": has_more, "next_cursor": next_cursor}
        return await with_users(self._users, request.user_id, answer, named_by(items))

    async def mentioning(self, request: Request) -> Any:
        """Returns a page of the messages that mention the caller, the newest mention first."""
        body, caller = request.body, request.user_id
        before = cursors.decode_integer(body["cursor"], "mentions") if body["cursor"] else NEWEST
        rows = await self._messages.mentioning(caller, before, body["limit"] + 1)
        answer = cursors.numbered_page(rows, body["limit"], "mentions")
        return await with_users(self._users, caller, answer, named_by(answer["items"]))

    async def edit(self, request: Request) -> Any:
        """Replaces a message's text and mentions, and returns the message.

        Members whom it mentions now, and didn't before, get their unread counts.
        """
        body, caller = request.body, request.user_id
        edit = Edit(body["content"], wanted_mentions(body), body["expected_version"])
        if self._before_send is not None:
            edit = await self._before_send.edit(body["message_id"], caller, edit)
        message, mentioned = await self._messages.edit(body["message_id"], caller, edit)
        self._publisher.publish_changed_message(message)
        if mentioned:
            for user_id, counts in await self._receipts.unread_of(
                message["conversation_id"], caller, mentioned
            ):
                self._publisher.publish_unread(user_id, counts)
        return message

    async def delete(self, request: Request) -> Any:
        """Deletes a message and returns its tombstone."""
        message = await self._messages.delete(request.body["message_id"], request.user_id)
        self._publisher.publish_changed_message(message)
        return message

    async def versions(self, request: Request) -> Any:
        """Returns a page of a message's earlier texts. Raises AppError(not_found) for a deleted message."""
        body = request.body
        facts = await self._messages.facts(body["message_id"], request.user_id)
        if require_allowed(facts, request.user_id, "see_versions").deleted:
            raise AppError(errors.NOT_FOUND)
        after = cursors.decode_integer(body["cursor"], "versions")
        items = await self._messages.versions(body["message_id"], request.user_id, after, body["limit"] + 1)
        return cursors.page(items, body["limit"], "version", "versions")

    async def _start_of_page(self, body: dict[str, Any], caller: int) -> tuple[int, bool]:
        if body["cursor"] is not None:
            seq, forward = cursors.decode(body["cursor"], "messages", int, int)
            return int(seq), bool(forward)
        if body["after_seq"] is not None:
            return body["after_seq"], True
        if body["before"] is not None:
            return await self._seq(body, body["before"], caller), False
        return (NEWEST if body["before_seq"] is None else body["before_seq"]), False

    async def _around(self, body: dict[str, Any], caller: int) -> tuple[list[MessageData], bool]:
        """The messages around one, the newest first, and whether there are older ones.

        Half of them are older. What one side lacks, the other side has.
        """
        conversation_id, limit = body["conversation_id"], body["limit"]
        seq = await self._seq(body, body["around"], caller)
        newer = await self._messages.page(conversation_id, caller, seq, limit - 1, True) if limit > 1 else []
        # From the message itself on.
        older = await self._messages.page(conversation_id, caller, seq + 1, limit + 1, False)
        newer = newer[: max(limit - 1 - limit // 2, limit - len(older))]
        has_more = len(older) > limit - len(newer)
        return newer[::-1] + older[: limit - len(newer)], has_more

    async def _seq(self, body: dict[str, Any], message_id: str, caller: int) -> int:
        """The seq of a message in the conversation. Raises AppError(not_found)."""
        facts = await self._messages.facts(message_id, caller)
        if facts is None or facts.conversation_id != body["conversation_id"]:
            raise AppError(errors.NOT_FOUND)
        return facts.seq


def _draft(request: Request) -> Draft:
    body = request.body
    return Draft(
        body["message_id"],
        body["conversation_id"],
        request.user_id,
        body["client_message_id"],
        body["message_type"],
        body["content"],
        body["file_url"],
        body["file_name"],
        body["file_size"],
        body["reply_to"],
        wanted_mentions(body),
        body.get("attachments") or None,
    )
