"""Handles tests of webhooks, here because no other process makes requests to the outside."""

from __future__ import annotations

from typing import Any, Final

from chat_api.feed.webhooks.postman import Postman
from chat_api.webhooks.bodies import test_body
from chat_api.webhooks.schedule import Verdict
from chat_api.webhooks.store import WebhookStore
from messenger_shared.contract import timestamps
from messenger_shared.rpc.messages import Request

# Less than callers wait.
TIMEOUT_S: Final = 4.0


class WebhookTests:
    """Posts tests to receivers."""

    def __init__(self, webhooks: WebhookStore, postman: Postman) -> None:
        self._webhooks = webhooks
        self._postman = postman

    async def test(self, request: Request) -> Any:
        """Posts a signed test once, also if the webhook is disabled, and returns what became of it."""
        name = request.body["name"]
        webhook = await self._webhooks.find(name)
        body = test_body(name, timestamps.now_text())
        outcome, attempt = await self._postman.post(webhook, f"evt_test_{request.body['test_id']}", body, 1)
        return {
            "delivered": outcome.verdict is Verdict.DELIVERED,
            "status": attempt.status,
            "failure": attempt.failure,
            "took_ms": attempt.took_ms,
        }
