"""Repeats a request, over sockets or REST and without a limit, until its result is certain."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from random import Random
from typing import NamedTuple

from tests.faults.actors.device import Backoff
from tests.faults.actors.gateway_client import GONE, Reply
from tests.faults.record.events import Frame

# A client repeats a request after these codes. `internal` is also a fault that no client should see.
# `upload_conflict`: an earlier attempt still writes. `file_not_ready`: the upload is being completed.
_AGAIN = frozenset(
    ("rate_limited", "overloaded", "unavailable", "timeout", "internal", "upload_conflict", "file_not_ready")
)
# Refusals that are no fault: others change the same conversation at the same time.
EXPECTED_REFUSALS = frozenset(("not_member", "not_found"))


class Outcome(NamedTuple):
    """The result of one attempt: what is stored, or the code of the refusal."""

    data: Frame | None
    code: str = ""
    wait_s: float = 0.0

    @property
    def is_certain(self) -> bool:
        """Whether another attempt can't change the result."""
        return self.data is not None or self.code not in _AGAIN

    @classmethod
    def of_frame(cls, frame: Frame) -> Outcome:
        """Reads an answer on a socket."""
        if frame["type"] == "error":
            return cls(None, frame["code"], frame.get("retry_after_ms", 0) / 1000)
        return cls(frame.get("data", frame))

    @classmethod
    def of_reply(cls, reply: Reply) -> Outcome:
        """Reads an answer over REST."""
        if reply.status < 300:
            return cls(reply.body or {})
        code = reply.body.get("code", "") if isinstance(reply.body, dict) else ""
        return cls(None, code or f"status {reply.status}")


UNANSWERED = Outcome(None, "timeout")


async def attempt_once(ask: Callable[[], Awaitable[Outcome]]) -> Outcome:
    """Makes one attempt; a lost connection gives an unknown outcome."""
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
    """Asks until the outcome is certain; calls `on_unknown` for each attempt before that."""
    attempt = 0
    while not (outcome := await attempt_once(ask)).is_certain:
        on_unknown(outcome)
        attempt += 1
        pause_s = (backoff or Backoff()).pause(random, attempt)
        await asyncio.sleep(max(outcome.wait_s, pause_s))
    return outcome
