"""Delivers the changes of one conversation to one webhook, one after the other."""

from __future__ import annotations

import asyncio
from typing import Final, NamedTuple

from chat_api.event_ports import ChangeStore
from chat_api.feed.webhooks.model import Outcome, Work
from chat_api.feed.webhooks.receiver import Receiver
from chat_api.webhooks.bodies import body_of, event_id
from chat_api.webhooks.schedule import Verdict

# Changes of each kind that are read at once, for one conversation.
CHANGES: Final = 20
# What was read longer ago is read anew before it is told: it may have changed, or be deleted.
FRESH_S: Final = 2.0


class Arrival(NamedTuple):
    """How far a conversation was delivered. With a `failure`, the next change was tried `attempts` times."""

    pos: int
    attempts: int = 0
    failure: Outcome | None = None


async def deliver(work: Work, start: int, changes: ChangeStore, receiver: Receiver) -> Arrival:
    """Delivers from the pos `start` on, until what `work` asks for is delivered, or something fails.

    Raises AppError if that can't be said now.
    """
    loop = asyncio.get_running_loop()
    pos, attempts = start, work.attempts
    known, read_at = work.changes, work.read_at
    if start != work.after or loop.time() - read_at > FRESH_S:
        known = None
    while pos < work.upto:
        if known is None:
            # Before the request, or a change during it would be told as it was.
            read_at = loop.time()
            known = (await changes.after_each({work.conversation_id: pos}, CHANGES)).get(work.conversation_id)
            if known is None:
                return Arrival(work.upto)
        begun = pos
        for event in known.events:
            # The first one in any case, however slow reading is.
            if pos > begun and loop.time() - read_at > FRESH_S:
                break
            if event.type in receiver.webhook.types:
                attempts += 1
                outcome = await receiver.post(event_id(event), body_of(event, work.at), attempts)
                if outcome.verdict is not Verdict.DELIVERED:
                    return Arrival(pos, attempts, outcome)
            pos, attempts = event.pos, 0
        else:
            if not known.events and known.to <= pos:
                break
            pos = max(pos, known.to)
        known = None
    return Arrival(pos)
