"""Adds the demo's people and conversations to a running stack, through the server's door as any host does."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from http import HTTPStatus
from typing import Any, Final

import aiohttp

from gateway.admin.commands import Ask, asking
from gateway.edge.rest import BASE_PATH
from messenger_local.demo import CONVERSATIONS, PEOPLE, Conversation
from messenger_local.failure import StackError
from messenger_shared.contract import errors
from messenger_shared.contract.errors import AppError
from messenger_shared.contract.operations.operation import SERVER_PREFIX
from messenger_shared.contract.operations.server import keys, users
from messenger_shared.contract.server_keys import new_key, parse_key
from messenger_shared.settings.environment import SettingsError

_KEY_NAME: Final = "demo"
_SCOPES: Final = ("users", "conversations", "messages")
_LIMIT_S: Final = 20.0


async def seed(url: str, redis_url: str) -> None:
    """Adds what is missing of the demo. Raises StackError, also after 20 s."""
    try:
        async with asyncio.timeout(_LIMIT_S), _server_key(redis_url) as key:
            headers = {"Authorization": f"Bearer {key}"}
            async with aiohttp.ClientSession(url, headers=headers) as http:
                await _Seeder(http).run()
    except TimeoutError:
        raise StackError(f"the demo was not complete within {_LIMIT_S:.0f} s") from None
    except AppError as error:
        raise StackError(f"the demo is not complete: {error.kind.message}") from None
    except (aiohttp.ClientError, SettingsError) as error:
        raise StackError(f"the demo is not complete: {error}") from error


async def is_empty(redis_url: str) -> bool:
    """Whether the stack has no user, and so no conversation: each member of one is a user.

    It asks over the bus as the owner of the machine, since the door would take a new key at every start.
    """
    async with asking(redis_url.split(",")) as ask:
        return not (await ask(users.LIST, {"limit": 1}))["items"]


@contextlib.asynccontextmanager
async def _server_key(redis_url: str) -> AsyncIterator[str]:
    """A server key that is revoked at the end."""
    text = new_key()
    key = parse_key(text)
    assert key is not None
    async with asking(redis_url.split(",")) as ask:
        try:
            fields = {"key_id": key.id, "digest": key.digest, "name": _KEY_NAME, "scopes": list(_SCOPES)}
            await ask(keys.CREATE, fields)
            yield text
        finally:
            await _revoke(ask, key.id)


async def _revoke(ask: Ask, key_id: str) -> None:
    try:
        await ask(keys.REVOKE, {"key_id": key_id})
    except AppError as error:
        # It was never stored.
        if error.kind is not errors.NOT_FOUND:
            raise


class _NotFound(StackError):
    """What a request asks for isn't there."""


class _Seeder:
    """Gets or creates each part. What exists stays as it is, so that a second run changes nothing."""

    def __init__(self, http: aiohttp.ClientSession) -> None:
        self._http = http
        self._ids: dict[str, int] = {}

    async def run(self) -> None:
        """Adds the people, then the conversations one after the other, so that the last one is the newest."""
        self._ids = await self._people()
        for conversation in CONVERSATIONS:
            await self._add(conversation)

    async def _people(self) -> dict[str, int]:
        """The id of each person, by external id."""
        names = ",".join(person.external_id for person in PEOPLE)
        found = (await self._ask("GET", f"/users?external_ids={names}"))["items"]
        known = {user["external_id"] for user in found}
        if missing := [person._asdict() for person in PEOPLE if person.external_id not in known]:
            found += (await self._ask("PUT", "/users", {"users": missing}))["items"]
        return {user["external_id"]: user["id"] for user in found}

    async def _add(self, conversation: Conversation) -> None:
        stored = await self._stored(conversation)
        # A conversation that has all of them, or in which people went on to write, is complete.
        if stored["last_seq"] >= len(conversation.messages):
            return
        for number, (sender, text) in enumerate(conversation.messages):
            await self._ask(
                "POST",
                f"/conversations/{stored['id']}/messages",
                {"sender_id": self._ids[sender], "content": text},
                {"Idempotency-Key": f"demo-{stored['id']}-{number}"},
            )

    async def _stored(self, conversation: Conversation) -> dict[str, Any]:
        """The conversation with the key. It is created if there is none: a PUT would add who has left."""
        path = f"/conversations/by-key/{conversation.external_key}"
        with contextlib.suppress(_NotFound):
            return await self._ask("GET", path)
        fields = {
            "type": "direct" if conversation.title is None else "group",
            "title": conversation.title,
            "participant_ids": [self._ids[member] for member in conversation.members],
        }
        return await self._ask("PUT", path, fields)

    async def _ask(
        self, method: str, path: str, fields: Any = None, headers: dict[str, str] | None = None
    ) -> dict[str, Any]:
        """The body of the answer. Raises StackError if the door refuses."""
        url = f"{BASE_PATH}{SERVER_PREFIX}{path}"
        async with self._http.request(method, url, json=fields, headers=headers) as response:
            body: dict[str, Any] = await response.json()
            if response.ok:
                return body
            kind = _NotFound if response.status == HTTPStatus.NOT_FOUND else StackError
            raise kind(f"the demo is not complete: {method} {path} was refused ({body['code']})")
