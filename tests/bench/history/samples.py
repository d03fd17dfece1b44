"""Chooses where a measurement looks: which user, which conversation, how deep."""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import Final

from tests.bench.history.loader import Loaded
from tests.bench.history.shape import Conversation

LIMIT: Final = 50


@dataclass(frozen=True, slots=True)
class Sample:
    """One look: `conversation` is one of the user's that fills a page, `middle` a seq deep in the largest."""

    user: int
    conversation: Conversation
    largest: Conversation
    middle: int


class Samples:
    """The places of one filled database; the n-th look has the same shape in every database."""

    def __init__(self, loaded: Loaded) -> None:
        self.largest = loaded.conversations[0]
        self.users = range(1, loaded.shape.busy_users + 1)
        filling = [c for c in loaded.conversations if c.messages > LIMIT]
        self._of = {user: [c for c in filling if user in c.members] for user in self.users}

    def sample(self, number: int) -> Sample:
        """Returns the place of the n-th look."""
        chance = random.Random(number)
        user = chance.choice(self.users)
        conversation = chance.choice(self._of[user])
        middle = int(self.largest.messages * chance.uniform(0.25, 0.75))
        return Sample(user, conversation, self.largest, middle)
