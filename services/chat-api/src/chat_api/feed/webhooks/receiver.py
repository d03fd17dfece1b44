"""The receiver of one webhook, to which this process posts while it has the webhook's lease."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from typing import Any, Final

from chat_api.feed.webhooks import metrics
from chat_api.feed.webhooks.model import Attempt, Outcome
from chat_api.feed.webhooks.postman import Postman
from chat_api.feed.webhooks.store import PgDeliveries
from chat_api.webhooks.schedule import Verdict
from chat_api.webhooks.store import Webhook
from messenger_shared.contract import errors
from messenger_shared.contract.errors import AppError

log = logging.getLogger(__name__)

ATTEMPTS_MAX: Final = 2_000


class Receiver:
    """Makes the attempts of one webhook, and keeps them for the host to look at."""

    def __init__(self, webhook: Webhook, store: PgDeliveries, postman: Postman) -> None:
        self.webhook = webhook
        # Until then, on the loop's clock, nobody else delivers.
        self.leased_until = 0.0
        # Nothing more is posted: this process ends the deliveries, or the receiver wants no more.
        self.is_over = False
        self._store, self._postman = store, postman
        self._attempts: list[Attempt] = []
        self._loop = asyncio.get_running_loop()

    async def post(self, id_: str, body: Mapping[str, Any], number: int, *, is_kept: bool = True) -> Outcome:
        """Makes the attempt with this number. A receiver that is gone disables its webhook.

        Raises AppError if nothing can be said now: unavailable without the lease, or overloaded.
        """
        if self.is_over or self._loop.time() >= self.leased_until:
            raise AppError(errors.UNAVAILABLE)
        outcome, attempt = await self._postman.post(self.webhook, id_, body, number)
        if is_kept and len(self._attempts) < ATTEMPTS_MAX:
            self._attempts.append(attempt)
        if outcome.verdict is Verdict.GONE:
            self.is_over = True
            metrics.DISABLED.labels(self.webhook.name).inc()
            log.error("webhook %s is disabled: its receiver answered 410", self.webhook.name)
            await self._store.disable(self.webhook.id)
        return outcome

    async def record(self) -> None:
        """Writes down what was tried since the last time. Raises AppError."""
        attempts, self._attempts = self._attempts, []
        if not attempts:
            return
        try:
            await self._store.record(self.webhook.id, attempts)
        except AppError:
            self._attempts = (attempts + self._attempts)[:ATTEMPTS_MAX]
            raise
