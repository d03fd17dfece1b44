"""One request's work: for whom it searches, until when, and how it looks into messages."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from chat_api.search.query import Message, Moment, Query
from chat_api.search.store import SearchStore
from chat_api.search.walks.turns import Turns

# Times of messages may fall by so much while their seq rises: senders wait for each other's locks.
DISORDER_US: Final = 10_000_000
# With more unindexed changes than this, a conversation is read as if it had no index.
MAX_LAG: Final = 10_000
# So many messages are read at once, and so many of one conversation without the index.
STEP, SCANNED = 1_024, 128


@dataclass(frozen=True, slots=True)
class Work:
    """What the parts of a search share."""

    store: SearchStore
    turns: Turns
    query: Query
    caller: int
    ends_at: float
    # A statement gets so much time at least, so that each request does something.
    least_s: float

    @property
    def is_over(self) -> bool:
        """Whether the time has ended."""
        return time.monotonic() >= self.ends_at

    @property
    def seconds(self) -> float:
        """The time for a statement."""
        return max(self.least_s, self.ends_at - time.monotonic())

    async def find(self, messages: Sequence[Message], is_wanted: Callable[[Moment], bool]) -> list[Moment]:
        """Those of the messages that are wanted and that the query finds, looked at in short slices."""
        found: list[Moment] = []
        todo = iter(messages)
        is_done = False
        while not is_done:
            with self.turns.slice() as slice_:
                is_done = True
                for message in todo:
                    if is_wanted(message.moment) and self.query.finds(message.content, message.file_names):
                        found.append(message.moment)
                    if slice_.is_over:
                        is_done = False
                        break
            await self.turns.rest()
        return found
