"""Owns asking until it is certain what came of it: the same again, through any door, as long as it takes."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from random import Random
from typing import NamedTuple

from tests.faults.device import Backoff
from tests.faults.door import GONE, Reply
from tests.faults.told import Frame

# Of these a client asks again. `internal` is one of them too, but tells of a fault that no client should see.
_AGAIN = frozenset(("rate_limited", "overloaded", "unavailable", "timeout", "internal"))
# Refusals that are nobody's fault: others change things at the same time.
FAIR = frozenset(("not_member", "not_found"))


class Outcome(NamedTuple):
    """What one attempt told: what is stored, or why not."""

    data: Frame | None
    code: str = ""
    wait_s: float = 0.0

    @property
    def certain(self) -> bool:
        """Whether another attempt would tell nothing new."""
        return self.data is not None or self.code not in _AGAIN

    @classmethod
    def of_frame(cls, frame: Frame) -> Outcome:
        """What an answer on a socket tells."""
        if frame["type"] == "error":
            return cls(None, frame["code"], frame.get("retry_after_ms", 0) / 1000)
        return cls(frame.get("data", frame))

    @classmethod
    def of_reply(cls, reply: Reply) -> Outcome:
        """What an answer over REST tells."""
        if reply.status < 300:
            return cls(reply.body or {})
        code = reply.body.get("code", "") if isinstance(reply.body, dict) else ""
        return cls(None, code or f"status {reply.status}")


UNANSWERED = Outcome(None, "timeout")


async def attempted(ask: Callable[[], Awaitable[Outcome]]) -> Outcome:
    """One attempt, whatever happens to it."""
    try:
        return await ask()
    except GONE:
        return UNANSWERED


async def until_certain(
    ask: Callable[[], Awaitable[Outcome]],
    random: Random,
    on_unknown: Callable[[Outcome], None] = lambda _: None,
    backoff: Backoff | None = None,
) -> Outcome:
    """Asks until it is certain; `on_unknown` hears of every attempt that wasn't."""
    attempt = 0
    while not (outcome := await attempted(ask)).certain:
        on_unknown(outcome)
        attempt += 1
        pause_s = (backoff or Backoff()).pause(random, attempt)
        await asyncio.sleep(max(outcome.wait_s, pause_s))
    return outcome
