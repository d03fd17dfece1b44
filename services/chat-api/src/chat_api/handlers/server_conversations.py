"""Handles the operations on conversations that a host application asks for with a server key."""

from __future__ import annotations

import uuid
from typing import Any, Final

from chat_api.handlers.conversations import describe, named_in
from chat_api.handlers.messages import MessageHandlers
from chat_api.handlers.operators import OperatorHandlers
from chat_api.handlers.users import with_users
from chat_api.model import ConversationData
from chat_api.ports import ConversationStore, ServerConversationStore, UserStore
from chat_api.publisher import Publisher
from chat_api.rules.conversations import new_conversation
from messenger_shared.contract import errors
from messenger_shared.contract.errors import AppError
from messenger_shared.contract.identifiers import SERVER
from messenger_shared.rpc.messages import Request

# A system message with an idempotency key gets its id from the key, so that a repeat finds it.
_NAMESPACE: Final = uuid.UUID("5b5ac1f0-4c0c-4c43-9c0e-6f1f6a1d3b1c")


class ServerConversationHandlers:
    """Getting or creating conversations by the host's keys, and posting in them."""

    def __init__(
        self,
        conversations: ConversationStore,
        server_conversations: ServerConversationStore,
        users: UserStore,
        messages: MessageHandlers,
        operators: OperatorHandlers,
        publisher: Publisher,
    ) -> None:
        self._conversations = conversations
        self._server_conversations = server_conversations
        self._users = users
        self._messages = messages
        self._operators = operators
        self._publisher = publisher

    async def ensure(self, request: Request) -> Any:
        """Returns the conversation with a key, after adding missing members, or creates it."""
        body, participants = request.body, request.body["participant_ids"]
        # The first participant stands as the creator: a new group needs an admin.
        new = new_conversation(
            body["conversation_id"], body["type"], body["title"], participants[0], participants
        )
        id_, created, changes = await self._server_conversations.ensure(
            body["external_key"], new, body.get("custom")
        )
        conversation = await describe(self._conversations, id_, SERVER)
        if created:
            self._publisher.publish_new_conversation(conversation, new.members)
        elif changes:
            self._publisher.publish_member_changes(id_, changes)
        else:
            self._publisher.publish_position(id_, conversation["last_pos"], new.members)
        return {"conversation": await self._with_extras(conversation), "created": created}

    async def by_key(self, request: Request) -> Any:
        """Returns the conversation with a key."""
        id_ = await self._server_conversations.by_key(request.body["external_key"])
        if id_ is None:
            raise AppError(errors.NOT_FOUND)
        return await self._answer(id_)

    async def get(self, request: Request) -> Any:
        """Returns any conversation."""
        return await self._answer(request.body["conversation_id"])

    async def send_as(self, request: Request) -> Any:
        """Stores a message of a user, or of the system. Returns the answer's JSON."""
        body, sender_id = request.body, request.body["sender_id"]
        if sender_id is None:
            return await self._post(request)
        profile = (await self._users.profiles(SERVER, [sender_id])).get(sender_id)
        if profile is not None and profile.deactivated:
            raise AppError(errors.USER_DEACTIVATED)
        return await self._messages.send_for_host(request._replace(user_id=sender_id, body=body))

    async def _post(self, request: Request) -> Any:
        body = request.body
        if body["client_message_id"] is not None:
            name = f"{body['conversation_id']} {body['client_message_id']}"
            body["message_id"] = str(uuid.uuid5(_NAMESPACE, name))
        message, is_new = await self._operators.post_once(request)
        return {"data": message, "duplicate": not is_new}

    async def _answer(self, conversation_id: str) -> Any:
        return await self._with_extras(await describe(self._conversations, conversation_id, SERVER))

    async def _with_extras(self, conversation: ConversationData) -> Any:
        extras = await self._server_conversations.extras(conversation["id"])
        if extras is None:
            raise AppError(errors.NOT_FOUND)
        custom, keys = extras
        answer = {**conversation, "custom": custom, "external_keys": keys}
        return await with_users(self._users, SERVER, answer, named_in([conversation]))
