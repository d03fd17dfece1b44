"""The consumer of the feed that queues what may have to be pushed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from chat_api.feed.consumer import Claim, Lease
from chat_api.feed.push.queue import PgPushQueue

CONSUMER: Final = "push"


class Planner:
    """Queues and advances in one transaction, and so queues each message exactly once."""

    name = CONSUMER
    # A message must be in the queue before it is due.
    gather_s = 0.0

    def __init__(self, queue: PgPushQueue) -> None:
        self._queue = queue

    async def handle(self, claims: Sequence[Claim], lease: Lease) -> Mapping[str, int]:
        return await self._queue.plan(claims, lease.token)
