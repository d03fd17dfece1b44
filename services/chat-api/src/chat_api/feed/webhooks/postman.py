"""Makes one attempt: signs a body, posts it, and says what became of it."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any, Final, Protocol

import orjson

from chat_api.feed.webhooks import metrics
from chat_api.feed.webhooks.model import Attempt, Outcome
from chat_api.outgoing.client import Answer, OutgoingError
from chat_api.outgoing.signatures import signed_headers
from chat_api.webhooks.schedule import Verdict, asked_s, verdict_of
from chat_api.webhooks.store import Webhook
from messenger_shared.contract import errors
from messenger_shared.contract.errors import AppError

TIMEOUT_S: Final = 15.0
_TOO_BUSY: Final = "too_busy"
_JSON: Final = {"content-type": "application/json"}


class Outgoing(Protocol):
    """What posts."""

    async def post(self, url: str, body: bytes, headers: Mapping[str, str], *, timeout_s: float) -> Answer:
        """The answer. Raises OutgoingError if there is none, BadUrl if requests can't go there."""


class Postman:
    """Posts bodies to receivers."""

    def __init__(self, outgoing: Outgoing, timeout_s: float = TIMEOUT_S) -> None:
        self._outgoing = outgoing
        self._timeout_s = timeout_s

    async def post(
        self, webhook: Webhook, id_: str, body: Mapping[str, Any], number: int
    ) -> tuple[Outcome, Attempt]:
        """Makes the attempt with this number. Raises AppError(overloaded) if there are too many at once."""
        content, now = orjson.dumps(body), time.time()
        headers = {**_JSON, **signed_headers(id_, int(now), content, webhook.secrets)}
        begun = time.monotonic()
        status, failure = None, None
        try:
            answer = await self._outgoing.post(webhook.url, content, headers, timeout_s=self._timeout_s)
        except OutgoingError as error:
            if error.failure == _TOO_BUSY:
                raise AppError(errors.OVERLOADED) from None
            failure = error.failure
            outcome = Outcome(Verdict.FAILED, failure)
        else:
            status = answer.status
            outcome = Outcome(verdict_of(status), str(status), asked_s(status, answer.headers))
        took_s = time.monotonic() - begun
        delivered = outcome.verdict is Verdict.DELIVERED
        metrics.ATTEMPTS.labels(webhook.name, outcome.verdict.value if delivered else outcome.reason).inc()
        metrics.ATTEMPT_TIME.labels(webhook.name).observe(took_s)
        return outcome, Attempt(now, id_, body["type"], number, status, failure, int(took_s * 1_000))
