"""Handles the operations on webhooks that a host application asks for with a server key."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from chat_api.outgoing.signatures import new_secret
from chat_api.outgoing.urls import BadUrl
from chat_api.webhooks.store import NewSecret, WebhookRow, WebhookStore
from messenger_shared.contract import cursors, errors
from messenger_shared.contract.errors import AppError
from messenger_shared.contract.schemas.webhooks import WEBHOOKS_MAX
from messenger_shared.rpc.messages import Request

# Both secrets sign for so long after a rotation.
ROTATION_S: Final = 86_400.0
_ATTEMPTS: Final = "webhook attempts"
_ABOVE_ALL: Final = 2**63 - 1


class WebhookHandlers:
    """Making, reading and deleting webhooks, and what becomes of deliveries.

    `check_url` raises BadUrl for a URL that nothing may be posted to.
    """

    def __init__(self, webhooks: WebhookStore, check_url: Callable[[str], object]) -> None:
        self._webhooks = webhooks
        self._check_url = check_url

    async def put(self, request: Request) -> Any:
        """Makes a webhook, and returns it with its secret, or changes one. Raises AppError(bad_endpoint)."""
        body = request.body
        try:
            self._check_url(body["url"])
        except BadUrl as error:
            raise AppError(errors.BAD_ENDPOINT, details={"url": [str(error)]}) from None
        types = list(dict.fromkeys(body["types"]))
        new = NewSecret(body["secret_id"], new_secret())
        secret = await self._webhooks.put(
            body["name"], body["url"], types, disabled=body["disabled"], new=new, at_most=WEBHOOKS_MAX
        )
        return await self._shown(body["name"], secret)

    async def list_all(self, request: Request) -> Any:
        """Returns all webhooks."""
        return {"items": [_wire(row) for row in await self._webhooks.all()]}

    async def get(self, request: Request) -> Any:
        """Returns one webhook."""
        return await self._shown(request.body["name"])

    async def delete(self, request: Request) -> Any:
        """Deletes a webhook. What waits for it is never delivered."""
        await self._webhooks.delete(request.body["name"])

    async def rotate(self, request: Request) -> Any:
        """Gives a webhook a new secret and returns it; the old one signs too for ROTATION_S."""
        name, new = request.body["name"], NewSecret(request.body["secret_id"], new_secret())
        return await self._shown(name, await self._webhooks.rotate(name, new, ROTATION_S))

    async def attempts(self, request: Request) -> Any:
        """Returns a page of attempts, the newest first."""
        body = request.body
        before = cursors.decode_integer(body["cursor"], _ATTEMPTS) or _ABOVE_ALL
        items = await self._webhooks.attempts(body["name"], before, body["limit"] + 1)
        return cursors.page([dict(item) for item in items], body["limit"], "id", _ATTEMPTS)

    async def redeliver(self, request: Request) -> Any:
        """Has conversations delivered again that wait or are parked, or one from a pos on."""
        body = request.body
        count = await self._webhooks.redeliver(body["name"], body["conversation_id"], body["from_pos"])
        return {"conversations": count}

    async def _shown(self, name: str, secret: str | None = None) -> dict[str, Any]:
        [row] = await self._webhooks.all(name)
        return _wire(row) | ({} if secret is None else {"secret": secret})


def _wire(row: WebhookRow) -> dict[str, Any]:
    return {**row._asdict(), "disabled": row.disabled_reason is not None}
