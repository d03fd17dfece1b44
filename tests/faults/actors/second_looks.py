"""Searches again for what was stored before a fault, as its sender, as another member and as a stranger."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from random import Random

from tests.faults.actors.population import Actors
from tests.faults.actors.searching import search, word_of
from tests.faults.actors.user import User
from tests.faults.record.history import History, Send

AT_ONCE = 8


class SecondLooks:
    """Logs searches for texts of all users. What they must find and must not is the checker's business."""

    def __init__(self, actors: Actors, random: Random) -> None:
        self._history: History = actors.history
        self._users = {user.user_id: user for user in actors.all_users}
        self._random = random
        self._slots = asyncio.Semaphore(AT_ONCE)

    async def look(self, count: int, timeout_s: float) -> None:
        """Searches for so many texts that were acknowledged, or ends after `timeout_s`."""
        sends = [send for send in self._history.sends.values() if send.acks]
        chosen = self._random.sample(sends, min(count, len(sends)))
        # The newest are the easiest to miss.
        chosen += sends[-(count // 2) :]
        with suppress(TimeoutError):
            async with asyncio.timeout(timeout_s):
                await asyncio.gather(*map(self._look, chosen))

    async def _look(self, send: Send) -> None:
        texts = [send.content]
        message_id = send.acks[0].stored.id
        texts += [
            change.content
            for change in self._history.changes
            if change.message_id == message_id and change.content is not None
        ]
        word = word_of(self._random.choice(texts))
        for user in self._who(send):
            async with self._slots:
                found = await search(self._random.choice(user.devices), word)
            self._history.searches.append(found)

    def _who(self, send: Send) -> list[User]:
        """Returns the sender, or another member, and now and then somebody else."""
        members = self._history.members[send.room]
        who = [self._users[self._random.choice((send.key.sender_id, *members))]]
        others = [user for user_id, user in self._users.items() if user_id not in members]
        if others and self._random.random() < STRANGERS:
            who.append(self._random.choice(others))
        return who


# How often somebody else searches for it too.
STRANGERS = 0.3
