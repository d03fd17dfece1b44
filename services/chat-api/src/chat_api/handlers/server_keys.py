"""Handles the operations on server keys, and records every use of one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from chat_api.ports import ServerKeyStore
from chat_api.publisher import Publisher
from messenger_shared.contract import errors
from messenger_shared.contract.errors import AppError
from messenger_shared.contract.operations.operation import KEY_FIELD
from messenger_shared.rpc.messages import Request
from messenger_shared.rpc.server import RequestHandler

# The first of these fields in a request names what it is about.
_TARGETS: Final = ("message_id", "user_id", "sender_id", "conversation_id", "external_key")


class ServerKeyHandlers:
    """Creating, listing, checking and revoking keys."""

    def __init__(self, keys: ServerKeyStore, publisher: Publisher) -> None:
        self._keys = keys
        self._publisher = publisher

    async def create(self, request: Request) -> Any:
        """Stores a new key."""
        body = request.body
        await self._keys.add(body["key_id"], body["name"], body["digest"], body["scopes"])
        return {"key_id": body["key_id"]}

    async def list_keys(self, request: Request) -> Any:
        """Returns all keys."""
        return {"items": [key._asdict() for key in await self._keys.all()]}

    async def verify(self, request: Request) -> Any:
        """Returns {"scopes"} of a valid key. Raises AppError(unauthorized)."""
        scopes = await self._keys.use(request.body["key_id"], request.body["digest"])
        if scopes is None:
            raise AppError(errors.UNAUTHORIZED)
        return {"scopes": scopes}

    async def revoke(self, request: Request) -> Any:
        """Revokes a key and tells every gateway."""
        key_id = request.body["key_id"]
        if not await self._keys.revoke(key_id):
            raise AppError(errors.NOT_FOUND)
        self._publisher.publish_key_revoked(key_id)
        return {"key_id": key_id}


def audited(handlers: Mapping[str, RequestHandler], keys: ServerKeyStore) -> dict[str, RequestHandler]:
    """The handlers, which record a request with a server key before they carry it out."""

    def recording(handler: RequestHandler) -> RequestHandler:
        async def handle(request: Request) -> Any:
            key_id, operation = request.body.pop(KEY_FIELD)
            await keys.record(key_id, operation, _target(request.body))
            return await handler(request)

        def choose(request: Request) -> Any:
            return handle(request) if KEY_FIELD in request.body else handler(request)

        return choose

    return {name: recording(handler) for name, handler in handlers.items()}


def _target(body: Mapping[str, Any]) -> str | None:
    return next((str(body[name]) for name in _TARGETS if body.get(name) is not None), None)
