"""`Server` without asyncio. Made by `make contract`; changes here are lost."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from messenger_sdk.blocking_calls import BlockingCalls
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


class BlockingServer(BlockingCalls):
    """The messenger, for a host application with a server key: `Server` without asyncio.

    All methods raise MessengerError.
    """

    def put_users(self, users: Iterable[Profile]) -> list[ServerUser]:
        """Makes users or changes them. Returns them in the same order.

        Each has `id`, `external_id` or both. Fields that are left out stay as they are, and None removes.
        """
        return self._run(lambda server: server.put_users(users))

    def get_user(self, user_id: int) -> ServerUser:
        """Returns one user."""
        return self._run(lambda server: server.get_user(user_id))

    def find_users(self, external_ids: Iterable[str]) -> list[ServerUser]:
        """Returns the users with these ids of the host. Unknown ones are left out. An id has no comma."""
        return self._run(lambda server: server.find_users(external_ids))

    def list_users(self) -> Iterator[ServerUser]:
        """Yields all users."""
        return self._iterate(lambda server: server.list_users())

    def deactivate_user(self, user_id: int) -> None:
        """Closes the user's sockets and refuses their tokens, until `reactivate_user`."""
        return self._run(lambda server: server.deactivate_user(user_id))

    def reactivate_user(self, user_id: int) -> None:
        """Lets a deactivated user in again."""
        return self._run(lambda server: server.reactivate_user(user_id))

    def revoke_sessions(self, user_id: int) -> None:
        """Closes the user's sockets, and refuses all tokens that were issued so far."""
        return self._run(lambda server: server.revoke_sessions(user_id))

    def create_token(self, user_id: int, ttl_s: int = 3600) -> UserToken:
        """Returns a token for the user, valid for `ttl_s` seconds."""
        return self._run(lambda server: server.create_token(user_id, ttl_s))

    def ensure_conversation(
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
        return self._run(
            lambda server: server.ensure_conversation(external_key, type, participant_ids, title, custom)
        )

    def get_conversation(self, conversation_id: str) -> ServerConversation:
        """Returns a conversation."""
        return self._run(lambda server: server.get_conversation(conversation_id))

    def get_conversation_by_key(self, external_key: str) -> ServerConversation:
        """Returns the conversation with this key of the host."""
        return self._run(lambda server: server.get_conversation_by_key(external_key))

    def rename_conversation(self, conversation_id: str, title: str) -> ConversationAnswer:
        """Gives a group or an announcement another title."""
        return self._run(lambda server: server.rename_conversation(conversation_id, title))

    def close_conversation(self, conversation_id: str) -> None:
        """Removes all members, and frees the conversation's keys."""
        return self._run(lambda server: server.close_conversation(conversation_id))

    def add_participants(
        self, conversation_id: str, user_ids: Iterable[int], role: str = "member"
    ) -> ParticipantPage:
        """Adds users. Returns the first page of the members. Present members keep their role."""
        return self._run(lambda server: server.add_participants(conversation_id, user_ids, role))

    def remove_participant(self, conversation_id: str, user_id: int) -> None:
        """Removes a member."""
        return self._run(lambda server: server.remove_participant(conversation_id, user_id))

    def change_role(self, conversation_id: str, user_id: int, role: str) -> Participant:
        """Gives a member the role `admin`, `member` or `observer`."""
        return self._run(lambda server: server.change_role(conversation_id, user_id, role))

    def send_message(
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
        return self._run(
            lambda server: server.send_message(
                conversation_id, sender_id, content, idempotency_key=idempotency_key, **fields
            )
        )

    def delete_message(self, message_id: str) -> None:
        """Deletes a message. Members see that there was one."""
        return self._run(lambda server: server.delete_message(message_id))

    def put_webhook(
        self, name: str, url: str, types: Iterable[str], disabled: bool = False
    ) -> WebhookWithSecret:
        """Makes a webhook, or changes the one of this name. A disabled one keeps its place and goes on later.

        Only the answer to the request that made it has its `secret`, for `verify_webhook`.
        """
        return self._run(lambda server: server.put_webhook(name, url, types, disabled))

    def list_webhooks(self) -> list[Webhook]:
        """Returns all webhooks."""
        return self._run(lambda server: server.list_webhooks())

    def get_webhook(self, name: str) -> Webhook:
        """Returns a webhook, and how many conversations wait for its receiver."""
        return self._run(lambda server: server.get_webhook(name))

    def delete_webhook(self, name: str) -> None:
        """Deletes a webhook. What waits for it is never delivered."""
        return self._run(lambda server: server.delete_webhook(name))

    def rotate_webhook(self, name: str) -> WebhookWithSecret:
        """Gives a webhook a new secret, and returns it. For a day, the old one signs too."""
        return self._run(lambda server: server.rotate_webhook(name))

    def test_webhook(self, name: str) -> WebhookTest:
        """Posts a test to the receiver, and returns what became of it."""
        return self._run(lambda server: server.test_webhook(name))

    def list_webhook_attempts(self, name: str) -> Iterator[WebhookAttempt]:
        """Yields the attempts that are kept (usually 30 days), the newest first."""
        return self._iterate(lambda server: server.list_webhook_attempts(name))

    def redeliver_webhook(
        self, name: str, conversation_id: str | None = None, from_pos: int | None = None
    ) -> int:
        """Has what failed tried again now, also what is parked. Returns how many conversations that are.

        With `conversation_id` only that one; with `from_pos` also what was delivered, from there on.
        """
        return self._run(lambda server: server.redeliver_webhook(name, conversation_id, from_pos))

    def events(self, cursor: str | None = None) -> Iterator[tuple[HostEvent, str | None]]:
        """Yields the events of all conversations, and waits for more. Never ends by itself.

        Each comes with the cursor to go on from when it is handled: keep that one. Without a cursor it begins
        with the oldest event that is kept. What was handled since that cursor comes again.
        """
        return self._iterate(lambda server: server.events(cursor))

    def notification_trace(self, message_id: str, user_id: int) -> NotificationTrace:
        """Why a user was pushed a message, or wasn't: what each rule said."""
        return self._run(lambda server: server.notification_trace(message_id, user_id))
