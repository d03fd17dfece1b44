"""Tells one webhook who came online and who went offline: at once, or never.

It has lanes of its own, and so takes none from what is told for certain. What is lost stays lost: transitions
while nobody has the webhook's lease, those of a full queue, and those that a receiver didn't take in time.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable
from typing import Final

from chat_api.feed.webhooks import metrics
from chat_api.feed.webhooks.receiver import Receiver
from chat_api.webhooks.bodies import presence_body, presence_id
from chat_api.webhooks.schedule import Verdict
from messenger_shared.contract.errors import AppError
from messenger_shared.contract.presence_states import TYPES, Change

log = logging.getLogger(__name__)

PRESENCE_LANES: Final = 4
WAITING_MAX: Final = 1_000
# How long after each failed attempt the next one comes; then the transition is dropped.
DELAYS_S: Final = (1.0, 5.0)
# Who is online now is told; who was it a minute ago isn't.
KEPT_S: Final = 60.0
FULL: Final = "full"
FAILED: Final = "failed"


class PresencePosts:
    """The transitions that wait for one receiver, and the tasks that post them."""

    def __init__(self, receiver: Receiver) -> None:
        self._receiver = receiver
        # Each with the moment on the loop's clock at which it is dropped.
        self._waiting: asyncio.Queue[tuple[float, Change]] = asyncio.Queue(WAITING_MAX)
        # The receiver asked for peace until then.
        self._quiet_until = 0.0
        self._loop = asyncio.get_running_loop()
        self._tasks: list[asyncio.Task[None]] = []

    def tell(self, changes: Iterable[Change]) -> None:
        """Queues the transitions that the webhook asks for. Drops what there is no room for."""
        for change in changes:
            if TYPES[change.status] not in self._receiver.webhook.types:
                continue
            if self._waiting.full():
                self._drop(FULL)
                continue
            self._waiting.put_nowait((self._loop.time() + KEPT_S, change))
        if not self._tasks and not self._waiting.empty():
            name = f"webhook {self._receiver.webhook.name} presence"
            self._tasks = [asyncio.create_task(self._run(), name=name) for _ in range(PRESENCE_LANES)]

    async def stop(self) -> None:
        """Ends the posts. What waits is forgotten."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _run(self) -> None:
        while True:
            until, change = await self._waiting.get()
            try:
                if not await self._post(change, until):
                    self._drop(FAILED)
            except AppError:
                # The lease is over, or there are too many requests.
                self._drop(FAILED)
            except Exception:
                log.exception("telling webhook %s of a user failed", self._receiver.webhook.name)

    async def _post(self, change: Change, until: float) -> bool:
        """Tries until it is delivered, or not worth it any more. Returns whether it is delivered."""
        id_, body = presence_id(change), presence_body(change)
        for number, delay_s in enumerate((*DELAYS_S, 0.0), start=1):
            if not await self._wait_for_peace(until):
                return False
            outcome = await self._receiver.post(id_, body, number, is_kept=False)
            if outcome.verdict is not Verdict.FAILED:
                return outcome.verdict is Verdict.DELIVERED
            self._quiet_until = max(self._quiet_until, self._loop.time() + outcome.retry_after_s)
            await asyncio.sleep(delay_s)
        return False

    async def _wait_for_peace(self, until: float) -> bool:
        """Waits as long as the receiver asked for. Returns False at once if that is longer than `until`."""
        now = self._loop.time()
        if max(now, self._quiet_until) >= until:
            return False
        await asyncio.sleep(max(self._quiet_until - now, 0.0))
        return True

    def _drop(self, reason: str) -> None:
        metrics.PRESENCE_DROPPED.labels(self._receiver.webhook.name, reason).inc()
