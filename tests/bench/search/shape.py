"""The conversations of a filled database, and those who search: users in 10, 100 and 1,000 of them."""

from __future__ import annotations

import random
import uuid
from dataclasses import dataclass
from typing import Final

from tests.bench.history.shape import Conversation

# In how many conversations those who search are, and how many users of each kind there are: each of them may
# search five times a second.
IN: Final = (10, 100, 1_000)
SEARCHERS: Final = 20
_FIRST_SEARCHER: Final = 1
_FIRST_ORDINARY: Final = 10_001
_MESSAGES_EACH: Final = 250
_FEWEST: Final = 2_000
# Many small conversations and a few large ones: the largest has some per cent of all messages.
_SIZE_SIGMA: Final = 1.4
_MEMBERS: Final = range(3, 13)
_DIRECT_EVERY: Final = 4


@dataclass(frozen=True, slots=True)
class Searcher:
    """A user who searches."""

    user_id: int
    conversations: int


def searchers() -> list[Searcher]:
    """All who search, SEARCHERS in each number of conversations."""
    counts = [count for count in IN for _ in range(SEARCHERS)]
    return [Searcher(_FIRST_SEARCHER + number, count) for number, count in enumerate(counts)]


def conversations(messages: int, seed: int) -> list[Conversation]:
    """The conversations of a database with so many messages."""
    chance = random.Random(f"shape {seed}")
    count = max(_FEWEST, messages // _MESSAGES_EACH)
    sizes = _sizes(messages, count, chance)
    extra = _members_who_search(count, chance)
    ordinary = range(_FIRST_ORDINARY, _FIRST_ORDINARY + count)
    pairs: set[tuple[int, ...]] = set()
    made = []
    for index, size in enumerate(sizes):
        is_direct = index % _DIRECT_EVERY == 0 and index not in extra
        members = tuple(sorted(chance.sample(ordinary, 2 if is_direct else chance.choice(_MEMBERS))))
        kind = "direct" if is_direct and members not in pairs else "group"
        pairs.add(members)
        id_ = str(uuid.UUID(int=chance.getrandbits(128), version=4))
        made.append(Conversation(id_, kind, (*members, *extra.get(index, ())), size))
    return made


def _sizes(messages: int, count: int, chance: random.Random) -> list[int]:
    weights = [chance.lognormvariate(0, _SIZE_SIGMA) for _ in range(count)]
    scale = (messages - count) / sum(weights)
    # At least one message each.
    sizes = [1 + int(weight * scale) for weight in weights]
    for index in range(messages - sum(sizes)):
        sizes[index % count] += 1
    return sizes


def _members_who_search(count: int, chance: random.Random) -> dict[int, list[int]]:
    """Index of a conversation → its members who search."""
    found: dict[int, list[int]] = {}
    for searcher in searchers():
        for index in chance.sample(range(count), searcher.conversations):
            found.setdefault(index, []).append(searcher.user_id)
    return found
