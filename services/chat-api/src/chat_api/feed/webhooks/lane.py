"""Delivers the changes of one conversation to one webhook, one after the other."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Final, NamedTuple, Protocol

from chat_api.feed.webhooks.model import Outcome, Work
from chat_api.model import ConversationChanges
from chat_api.webhooks.schedule import Verdict
from messenger_shared.contract.events import Event

# Changes of each kind that are read at once, for one conversation.
CHANGES: Final = 20


class Changes(Protocol):
    """Where the changes of conversations are read, in their latest state."""

    async def after_each(self, positions: Mapping[str, int], limit: int) -> dict[str, ConversationChanges]:
        """The changes of each conversation after its pos."""


class Arrival(NamedTuple):
    """How far a conversation was delivered. With a `failure`, the next change was tried `attempts` times."""

    pos: int
    attempts: int = 0
    failure: Outcome | None = None


# Makes the attempt with a number to deliver an event, with the time at which the feed noticed it.
Attempting = Callable[[Event, str, int], Awaitable[Outcome]]


async def deliver(
    work: Work, start: int, changes: Changes, attempt: Attempting, types: frozenset[str]
) -> Arrival:
    """Delivers from the pos `start` on, until what `work` asks for is delivered, or something fails.

    Raises AppError if that can't be said now.
    """
    pos, attempts = start, work.attempts
    known = work.changes if start == work.after else None
    while pos < work.upto:
        if known is None:
            found = await changes.after_each({work.conversation_id: pos}, CHANGES)
            known = found.get(work.conversation_id)
            if known is None:
                return Arrival(work.upto)
        for event in known.events:
            if event.type in types:
                attempts += 1
                outcome = await attempt(event, work.at, attempts)
                if outcome.verdict is not Verdict.DELIVERED:
                    return Arrival(pos, attempts, outcome)
            pos, attempts = event.pos, 0
        if not known.events and known.to <= pos:
            break
        pos, known = max(pos, known.to), None
    return Arrival(pos)
