"""Handles the operations on users that clients and gateways ask for."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from chat_api.model import MessageData, Profile, UserData, user_data
from chat_api.ports import UserStore
from chat_api.publisher import Publisher
from chat_api.settings import EVERYONE, OFF
from messenger_shared.contract import cursors, errors
from messenger_shared.contract.errors import AppError
from messenger_shared.contract.identifiers import SERVER
from messenger_shared.rpc.messages import Request


class UserHandlers:
    """Reading users, and admitting those who come with a token."""

    def __init__(self, users: UserStore, publisher: Publisher, directory: str) -> None:
        self._users = users
        self._publisher = publisher
        self._directory = directory

    async def list_users(self, request: Request) -> Any:
        """Returns users by id, or finds them by name. Leaves out those whom the caller may not see."""
        body = request.body
        if body["ids"] is not None:
            return {"items": await self._by_ids(request.user_id, body["ids"]), "next_cursor": None}
        if self._directory == OFF:
            raise AppError(errors.FORBIDDEN)
        items = await self._users.find(
            request.user_id,
            body["q"],
            cursors.decode_integer(body["cursor"], "users"),
            body["limit"] + 1,
            of_everyone=self._directory == EVERYONE,
        )
        return cursors.page(items, body["limit"], "id", "users")

    async def me(self, request: Request) -> Any:
        """Returns the caller's own profile."""
        found = await self._users.profiles(request.user_id, [request.user_id])
        profile = found.get(request.user_id) or unknown(request.user_id)
        return {**as_others_see(profile), "external_id": profile.external_id}

    async def admit(self, request: Request) -> Any:
        """Returns [[user id, whether the user is deactivated]], in the order of the request."""
        admitted = await self._users.admit(request.body["users"])
        await publish_changes(self._users, self._publisher, [user.id for user in admitted if user.changed])
        return [[user.id, user.deactivated] for user in admitted]

    async def _by_ids(self, caller: int, ids: Sequence[int]) -> list[UserData]:
        found = await self._users.contacts(caller, [user_id for user_id in ids if user_id != caller])
        if caller in ids:
            own = await self._users.profiles(caller, [caller])
            found[caller] = as_others_see(own.get(caller) or unknown(caller))
        return [found[user_id] for user_id in dict.fromkeys(ids) if user_id in found]


async def publish_changes(users: UserStore, publisher: Publisher, changed: Iterable[int]) -> None:
    """Publishes the profiles that changed, each with the conversations whose members see it."""
    for user_id, profile in (await users.profiles(SERVER, list(changed))).items():
        publisher.publish_user(as_others_see(profile), await users.conversations(user_id))


async def with_users(
    users: UserStore, caller: int, answer: dict[str, Any], pairs: Iterable[tuple[str, int]]
) -> dict[str, Any]:
    """Adds the users that the answer names, {id as text: user}. `pairs`: conversation and user."""
    named = await users.named(caller, list(pairs))
    answer["users"] = {str(user_id): user for user_id, user in named.items()}
    return answer


def named_by(messages: Iterable[MessageData]) -> set[tuple[str, int]]:
    """The users whom messages name: senders and mentioned users, each with the conversation."""
    return {
        (message["conversation_id"], user_id)
        for message in messages
        for user_id in (message["sender_id"], *message.get("mentions", {}).get("user_ids", ()))
    }


def as_others_see(profile: Profile) -> UserData:
    """The part of a profile that other users see."""
    return user_data(profile.id, profile.name, profile.avatar_url, profile.version, profile.deactivated)


def unknown(user_id: int) -> Profile:
    """The profile of a user who has no row yet."""
    return Profile(user_id, None, None, None, 1, False, None, None, {}, "")
