"""Handles the operations on users that a host application asks for with a server key."""

from __future__ import annotations

from typing import Any

from prometheus_client import Counter

from chat_api.handlers.users import publish_changes
from chat_api.model import Profile
from chat_api.ports import UserStore
from chat_api.publisher import Publisher
from messenger_shared.contract import cursors, errors
from messenger_shared.contract.errors import AppError
from messenger_shared.contract.identifiers import SERVER
from messenger_shared.rpc.messages import Request

USERS_UPSERTED = Counter("messenger_users_upserted", "Users in the accepted requests of host applications")


class ServerUserHandlers:
    """Storing, reading and deactivating users."""

    def __init__(self, users: UserStore, publisher: Publisher) -> None:
        self._users = users
        self._publisher = publisher

    async def upsert(self, request: Request) -> Any:
        """Stores profiles and returns them, in the order of the request."""
        profiles = _merged([_given(profile) for profile in request.body["users"]])
        stored = await self._users.upsert(list(profiles.values()))
        USERS_UPSERTED.inc(len(stored))
        await publish_changes(self._users, self._publisher, [user.id for user in stored if user.changed])
        ids = dict(zip(profiles, (user.id for user in stored), strict=True))
        found = await self._users.profiles(SERVER, list(ids.values()))
        return {"items": [found[ids[_name(item)]]._asdict() for item in request.body["users"]]}

    async def get(self, request: Request) -> Any:
        """Returns one user."""
        return (await self._one(request.body["user_id"]))._asdict()

    async def list_users(self, request: Request) -> Any:
        """Returns the users with the host's own ids, or a page of all users."""
        body = request.body
        if body["external_ids"] is not None:
            return {"items": await self._by_external_ids(body["external_ids"]), "next_cursor": None}
        after = cursors.decode_integer(body["cursor"], "server users")
        page = await self._users.page(after, body["limit"] + 1)
        return cursors.page([user._asdict() for user in page], body["limit"], "id", "server users")

    async def deactivate(self, request: Request) -> Any:
        """Deactivates a user. The gateway closes their sockets afterwards."""
        await self._set_deactivated(request.body["user_id"], deactivated=True)

    async def reactivate(self, request: Request) -> Any:
        """Reactivates a user."""
        await self._set_deactivated(request.body["user_id"], deactivated=False)

    async def _by_external_ids(self, ids: list[str]) -> list[dict[str, Any]]:
        found = {user.external_id: user for user in await self._users.by_external_ids(ids)}
        return [found[id_]._asdict() for id_ in dict.fromkeys(ids) if id_ in found]

    async def _set_deactivated(self, user_id: int, *, deactivated: bool) -> None:
        if (await self._one(user_id)).deactivated is not deactivated:
            await self._users.set_deactivated(user_id, deactivated=deactivated)
            await publish_changes(self._users, self._publisher, [user_id])

    async def _one(self, user_id: int) -> Profile:
        found = await self._users.profiles(SERVER, [user_id])
        if user_id not in found:
            raise AppError(errors.NOT_FOUND)
        return found[user_id]


def _given(profile: dict[str, Any]) -> dict[str, Any]:
    """The fields that the host gave. Null removes a value, except for the two ids."""
    return {
        name: value
        for name, value in profile.items()
        if value is not None or name not in ("id", "external_id")
    }


def _name(profile: dict[str, Any]) -> tuple[str, Any]:
    """What names the user: the id if it is given, else the host's own id."""
    if profile.get("id") is not None:
        return "id", profile["id"]
    return "external_id", profile["external_id"]


def _merged(profiles: list[dict[str, Any]]) -> dict[tuple[str, Any], dict[str, Any]]:
    """One profile for each user. Later fields of the same user replace earlier ones."""
    merged: dict[tuple[str, Any], dict[str, Any]] = {}
    for profile in profiles:
        merged.setdefault(_name(profile), {}).update(profile)
    return merged
