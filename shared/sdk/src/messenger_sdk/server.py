"""A host application's requests, one method for each operation below `/server`."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator, Iterable
from types import TracebackType
from typing import Any

from messenger_sdk.models import (
    ConversationAnswer,
    HostEvent,
    Message,
    NotificationTrace,
    Participant,
    ParticipantPage,
    Profile,
    ServerConversation,
    ServerUser,
    UserToken,
    Webhook,
    WebhookAttempt,
    WebhookTest,
    WebhookWithSecret,
)
from messenger_sdk.rest import TIMEOUT_S, Rest, path_of

USERS_PER_REQUEST = 100
# How long the messenger waits for events before it answers. An attempt may take a little longer.
EVENTS_WAIT_S = 8


class Server:
    """The messenger, for a host application with a server key.

    Every request is repeated with back-off while its failure may pass, for at most `timeout_s` seconds in
    all. That is safe, since none of them has a second effect. All methods raise MessengerError.
    """

    def __init__(self, url: str, key: str, timeout_s: float = TIMEOUT_S) -> None:
        self._rest = Rest(url, _Key(key), timeout_s)

    async def __aenter__(self) -> Server:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Closes all connections."""
        await self._rest.close()

    async def put_users(self, users: Iterable[Profile]) -> list[ServerUser]:
        """Makes users or changes them. Returns them in the same order.

        Each has `id`, `external_id` or both. Fields that are left out stay as they are, and None removes.
        """
        wanted = list(users)
        stored: list[ServerUser] = []
        for start in range(0, len(wanted), USERS_PER_REQUEST):
            body = {"users": wanted[start : start + USERS_PER_REQUEST]}
            stored += (await self._rest.request("PUT", "/server/users", body))["items"]
        return stored

    async def get_user(self, user_id: int) -> ServerUser:
        """Returns one user."""
        user: ServerUser = await self._rest.request("GET", path_of("server", "users", user_id))
        return user

    async def find_users(self, external_ids: Iterable[str]) -> list[ServerUser]:
        """Returns the users with these ids of the host. Unknown ones are left out. An id has no comma."""
        wanted = list(external_ids)
        found: list[ServerUser] = []
        for start in range(0, len(wanted), USERS_PER_REQUEST):
            query = {"external_ids": ",".join(wanted[start : start + USERS_PER_REQUEST])}
            found += (await self._rest.request("GET", "/server/users", query=query))["items"]
        return found

    async def list_users(self) -> AsyncIterator[ServerUser]:
        """Yields all users."""
        async for user in self._rest.items("/server/users"):
            yield user

    async def deactivate_user(self, user_id: int) -> None:
        """Closes the user's sockets and refuses their tokens, until `reactivate_user`."""
        await self._rest.request("POST", path_of("server", "users", user_id, "deactivate"))

    async def reactivate_user(self, user_id: int) -> None:
        """Lets a deactivated user in again."""
        await self._rest.request("POST", path_of("server", "users", user_id, "reactivate"))

    async def revoke_sessions(self, user_id: int) -> None:
        """Closes the user's sockets, and refuses all tokens that were issued so far."""
        await self._rest.request("POST", path_of("server", "users", user_id, "sessions", "revoke"))

    async def create_token(self, user_id: int, ttl_s: int = 3_600) -> UserToken:
        """Returns a token for the user, valid for `ttl_s` seconds."""
        path = path_of("server", "users", user_id, "token")
        token: UserToken = await self._rest.request("POST", path, {"ttl_s": ttl_s})
        return token

    async def ensure_conversation(
        self,
        external_key: str,
        type: str,
        participant_ids: Iterable[int],
        title: str | None = None,
        custom: dict[str, Any] | None = None,
    ) -> ServerConversation:
        """Returns the conversation with this key of the host, after it created it or added missing members.

        `type` is `direct`, `group` or `announcement`. A direct has no title. The first participant of a new
        group becomes its admin.
        """
        body: dict[str, Any] = {"type": type, "participant_ids": list(participant_ids)}
        body |= {"title": title} if title is not None else {}
        body |= {"custom": custom} if custom is not None else {}
        path = path_of("server", "conversations", "by-key", external_key)
        conversation: ServerConversation = await self._rest.request("PUT", path, body)
        return conversation

    async def get_conversation(self, conversation_id: str) -> ServerConversation:
        """Returns a conversation."""
        path = path_of("server", "conversations", conversation_id)
        conversation: ServerConversation = await self._rest.request("GET", path)
        return conversation

    async def get_conversation_by_key(self, external_key: str) -> ServerConversation:
        """Returns the conversation with this key of the host."""
        path = path_of("server", "conversations", "by-key", external_key)
        conversation: ServerConversation = await self._rest.request("GET", path)
        return conversation

    async def rename_conversation(self, conversation_id: str, title: str) -> ConversationAnswer:
        """Gives a group or an announcement another title."""
        path = path_of("server", "conversations", conversation_id)
        conversation: ConversationAnswer = await self._rest.request("PATCH", path, {"title": title})
        return conversation

    async def close_conversation(self, conversation_id: str) -> None:
        """Removes all members, and frees the conversation's keys."""
        await self._rest.request("DELETE", path_of("server", "conversations", conversation_id))

    async def add_participants(
        self, conversation_id: str, user_ids: Iterable[int], role: str = "member"
    ) -> ParticipantPage:
        """Adds users. Returns the first page of the members. Present members keep their role."""
        path = path_of("server", "conversations", conversation_id, "participants")
        page: ParticipantPage = await self._rest.request(
            "POST", path, {"user_ids": list(user_ids), "role": role}
        )
        return page

    async def remove_participant(self, conversation_id: str, user_id: int) -> None:
        """Removes a member."""
        path = path_of("server", "conversations", conversation_id, "participants", user_id)
        await self._rest.request("DELETE", path)

    async def change_role(self, conversation_id: str, user_id: int, role: str) -> Participant:
        """Gives a member the role `admin`, `member` or `observer`."""
        path = path_of("server", "conversations", conversation_id, "participants", user_id)
        participant: Participant = await self._rest.request("PATCH", path, {"role": role})
        return participant

    async def send_message(
        self,
        conversation_id: str,
        sender_id: int | None,
        content: str | None = None,
        *,
        idempotency_key: str | None = None,
        **fields: Any,
    ) -> Message:
        """Sends a message as a member of the conversation. `fields` are the other fields of a message.

        With `message_type="system"`, `sender_id` may be None. The same `idempotency_key` never stores a
        second message; without one, each call stores its own.
        """
        path = path_of("server", "conversations", conversation_id, "messages")
        body = {"sender_id": sender_id, "content": content, **fields}
        headers = {"Idempotency-Key": idempotency_key or uuid.uuid4().hex}
        message: Message = await self._rest.request("POST", path, body, headers=headers)
        return message

    async def delete_message(self, message_id: str) -> None:
        """Deletes a message. Members see that there was one."""
        await self._rest.request("DELETE", path_of("server", "messages", message_id))

    async def put_webhook(
        self, name: str, url: str, types: Iterable[str], disabled: bool = False
    ) -> WebhookWithSecret:
        """Makes a webhook, or changes the one of this name. A disabled one keeps its place and goes on later.

        Only the answer to the request that made it has its `secret`, for `verify_webhook`.
        """
        body = {"url": url, "types": list(types), "disabled": disabled}
        webhook: WebhookWithSecret = await self._rest.request(
            "PUT", path_of("server", "webhooks", name), body
        )
        return webhook

    async def list_webhooks(self) -> list[Webhook]:
        """Returns all webhooks."""
        webhooks: list[Webhook] = (await self._rest.request("GET", "/server/webhooks"))["items"]
        return webhooks

    async def get_webhook(self, name: str) -> Webhook:
        """Returns a webhook, and how many conversations wait for its receiver."""
        webhook: Webhook = await self._rest.request("GET", path_of("server", "webhooks", name))
        return webhook

    async def delete_webhook(self, name: str) -> None:
        """Deletes a webhook. What waits for it is never delivered."""
        await self._rest.request("DELETE", path_of("server", "webhooks", name))

    async def rotate_webhook(self, name: str) -> WebhookWithSecret:
        """Gives a webhook a new secret, and returns it. For a day, the old one signs too."""
        path = path_of("server", "webhooks", name, "rotate")
        webhook: WebhookWithSecret = await self._rest.request("POST", path)
        return webhook

    async def test_webhook(self, name: str) -> WebhookTest:
        """Posts a test to the receiver, and returns what became of it."""
        test: WebhookTest = await self._rest.request("POST", path_of("server", "webhooks", name, "test"))
        return test

    async def list_webhook_attempts(self, name: str) -> AsyncIterator[WebhookAttempt]:
        """Yields the attempts that are kept (usually 30 days), the newest first."""
        async for attempt in self._rest.items(path_of("server", "webhooks", name, "attempts")):
            yield attempt

    async def redeliver_webhook(
        self, name: str, conversation_id: str | None = None, from_pos: int | None = None
    ) -> int:
        """Has what failed tried again now, also what is parked. Returns how many conversations that are.

        With `conversation_id` only that one; with `from_pos` also what was delivered, from there on.
        """
        fields = {"conversation_id": conversation_id, "from_pos": from_pos}
        body = {name: value for name, value in fields.items() if value is not None}
        path = path_of("server", "webhooks", name, "redeliver")
        count: int = (await self._rest.request("POST", path, body))["conversations"]
        return count

    async def events(self, cursor: str | None = None) -> AsyncIterator[tuple[HostEvent, str | None]]:
        """Yields the events of all conversations, and waits for more. Never ends by itself.

        Each comes with the cursor to go on from when it is handled: keep that one. Without a cursor it begins
        with the oldest event that is kept. What was handled since that cursor comes again.
        """
        while True:
            query = {"limit": "100", "wait_s": str(EVENTS_WAIT_S)}
            if cursor is not None:
                query["cursor"] = cursor
            page = await self._rest.request("GET", "/server/events", query=query)
            for event in page["items"][:-1]:
                yield event, cursor
            cursor = page["next_cursor"]
            for event in page["items"][-1:]:
                yield event, cursor

    async def notification_trace(self, message_id: str, user_id: int) -> NotificationTrace:
        """Why a user was pushed a message, or wasn't: what each rule said."""
        path = path_of("server", "messages", message_id, "notification-trace")
        trace: NotificationTrace = await self._rest.request("GET", path, query={"user_id": str(user_id)})
        return trace


class _Key:
    """The key of all requests. There is no other one to try."""

    def __init__(self, key: str) -> None:
        self._key = key

    async def token(self) -> str:
        return self._key

    def refused(self) -> bool:
        return False
