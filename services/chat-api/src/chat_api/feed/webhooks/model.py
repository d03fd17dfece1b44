"""Defines what the parts of the delivery hand to each other."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

from chat_api.model import ConversationChanges
from chat_api.webhooks.schedule import Verdict
from chat_api.webhooks.store import Webhook


class Leased(NamedTuple):
    """A webhook that is this process's for now, and the number of the log up to which it is served.

    `share` is how many webhooks are to be this process's, of all.
    """

    webhook: Webhook
    number: int
    share: int


class Due(NamedTuple):
    """A conversation whose next change is to be tried again. `pos` was delivered last."""

    conversation_id: str
    pos: int
    attempts: int


class Outcome(NamedTuple):
    """What became of an attempt. `reason` says why it failed: a status, or why there was no answer."""

    verdict: Verdict
    reason: str = ""
    retry_after_s: float = 0.0


class Attempt(NamedTuple):
    """An attempt, to be kept for the host to look at. `at` is a Unix time."""

    at: float
    event_id: str
    type: str
    attempt: int
    status: int | None
    failure: str | None
    took_ms: int


class Figures(NamedTuple):
    """Conversations of a webhook that wait or are parked, and how long the oldest change has waited."""

    waiting: int
    parked: int
    oldest_s: float


@dataclass(slots=True)
class Work:
    """Changes of a conversation above `after` that are to be delivered, up to `upto` at least."""

    conversation_id: str
    after: int
    upto: int
    # When the feed noticed them.
    at: str
    # The rows of the log that are done with it.
    numbers: list[int] = field(default_factory=list)
    # Read ahead of time, from `after` on, and when that was on the loop's clock.
    changes: ConversationChanges | None = None
    read_at: float = 0.0
    # Of one in the backlog: the pos that it has there, and how often its next change has failed.
    was: int | None = None
    attempts: int = 0
