"""The contents of a filled database: conversations of skewed sizes and their members, from one seed."""

from __future__ import annotations

import random
import uuid
from array import array
from dataclasses import dataclass
from typing import Final

FIRST_ORDINARY: Final = 1_001
_LARGEST_MEMBERS: Final = 200
_MEMBERS: Final = range(3, 13)
# Conversations 1 to 20 have ten times the average, so that they fill a page at every size.
_LIVELY: Final = 20
_LIVELY_WEIGHT: Final = 10.0


@dataclass(frozen=True, slots=True)
class Shape:
    """The amounts; the busy users are 1, 2, … and are in the largest and the lively conversations."""

    messages: int
    conversations: int
    largest: int
    busy_users: int = 5
    busy_in: int = 500
    seed: int = 1

    @property
    def ordinary_users(self) -> int:
        """Returns the number of other users, so that each is in about as many conversations at every size."""
        return max(_LARGEST_MEMBERS, self.conversations // 3)


@dataclass(frozen=True, slots=True)
class Conversation:
    """One conversation; its first member created it, and `writers` may send."""

    id: str
    type: str
    members: tuple[int, ...]
    messages: int

    @property
    def writers(self) -> tuple[int, ...]:
        """Returns who may send; in an announcement only its admin."""
        return self.members[:1] if self.type == "announcement" else self.members

    @property
    def direct_key(self) -> str | None:
        """Returns the key that makes a direct conversation unique per pair; None for other types."""
        return f"{min(self.members)}:{max(self.members)}" if self.type == "direct" else None


def conversations(shape: Shape) -> list[Conversation]:
    """Returns all conversations of the shape, the largest first."""
    chance = random.Random(shape.seed)
    busy = _busy_members(shape, chance)
    pairs: set[tuple[int, int]] = set()
    made = []
    for index, size in enumerate(_sizes(shape, chance)):
        type_ = _type(index)
        members = _pair(shape, chance, pairs) if type_ == "direct" else _crowd(shape, chance, index)
        members = (*members, *busy.get(index, ())) if type_ != "direct" else members
        id_ = str(uuid.UUID(int=chance.getrandbits(128), version=4))
        made.append(Conversation(id_, type_, members, size))
    return made


def order(planned: list[Conversation], seed: int) -> array[int]:
    """Returns the conversation of each message, interleaved as in real use.

    So the neighbouring rows of a conversation lie far apart in the table.
    """
    turns = array("I")
    for index, conversation in enumerate(planned):
        turns.extend(array("I", [index]) * conversation.messages)
    random.Random(seed).shuffle(turns)
    return turns


def _type(index: int) -> str:
    if index > _LIVELY and index % 5 == 4:
        return "direct"
    return "announcement" if index % 50 == 1 else "group"


def _sizes(shape: Shape, chance: random.Random) -> list[int]:
    """Returns sizes that are mostly about the average and a few far above it; their sum is exact."""
    weights = [_LIVELY_WEIGHT] * _LIVELY
    weights += [chance.lognormvariate(0, 0.5) for _ in range(shape.conversations - 1 - _LIVELY)]
    rest = shape.messages - shape.largest
    scale = rest / sum(weights)
    sizes = [int(weight * scale) for weight in weights]
    for index in range(rest - sum(sizes)):
        sizes[index % len(sizes)] += 1
    return [shape.largest, *sizes]


def _busy_members(shape: Shape, chance: random.Random) -> dict[int, list[int]]:
    """Returns conversation → the busy users in it."""
    always = range(_LIVELY + 1)
    open_to_all = [index for index in range(len(always), shape.conversations) if _type(index) != "direct"]
    found: dict[int, list[int]] = {}
    for user in range(1, shape.busy_users + 1):
        for index in [*always, *chance.sample(open_to_all, shape.busy_in - len(always))]:
            found.setdefault(index, []).append(user)
    return found


def _crowd(shape: Shape, chance: random.Random, index: int) -> tuple[int, ...]:
    count = _LARGEST_MEMBERS - shape.busy_users if index == 0 else chance.choice(_MEMBERS)
    return tuple(chance.sample(_ordinary(shape), count))


def _pair(shape: Shape, chance: random.Random, taken: set[tuple[int, int]]) -> tuple[int, ...]:
    while True:
        one, other = sorted(chance.sample(_ordinary(shape), 2))
        if (one, other) not in taken:
            taken.add((one, other))
            return one, other


def _ordinary(shape: Shape) -> range:
    return range(FIRST_ORDINARY, FIRST_ORDINARY + shape.ordinary_users)
