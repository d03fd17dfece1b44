"""Choices with weights, and Zipf's law: the n-th most frequent word comes about 1/n as often as the first."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Sequence
from itertools import accumulate
from pathlib import Path
from typing import Final, Generic, TypeVar

T = TypeVar("T")

# Mandelbrot's constant: the first words of a language are a little less frequent than Zipf says.
_OFFSET: Final = 2.7
_WORDS: Final = Path(__file__).with_name("words")


class Weighted(Generic[T]):
    """Things with weights, from which to choose."""

    def __init__(self, things: Sequence[T], weights: Sequence[float]) -> None:
        self.things = things
        self._total = sum(weights)
        self._weights = weights
        self._sums = list(accumulate(weights))

    @classmethod
    def of(cls, pairs: Iterable[tuple[T, float]]) -> Weighted[T]:
        """Takes pairs of thing and weight."""
        things, weights = zip(*pairs, strict=True)
        return cls(things, weights)

    @classmethod
    def zipf(cls, things: Sequence[T]) -> Weighted[T]:
        """Takes things of which the first is the most frequent."""
        return cls(things, [1 / (rank + _OFFSET) for rank in range(1, len(things) + 1)])

    def shares(self) -> list[tuple[T, float]]:
        """Each thing with its share of all weights."""
        return [
            (thing, weight / self._total) for thing, weight in zip(self.things, self._weights, strict=True)
        ]

    def pick(self, chance: random.Random) -> T:
        """One of them."""
        return chance.choices(self.things, cum_weights=self._sums)[0]

    def picks(self, chance: random.Random, count: int) -> list[T]:
        """Many of them, which costs less than one by one."""
        return chance.choices(self.things, cum_weights=self._sums, k=count)


def made_once(count: int, make: Callable[[], str], known: set[str]) -> list[str]:
    """Makes words, none of them twice and none of the known ones."""
    made: dict[str, None] = {}
    while len(made) < count:
        word = make()
        if word not in known:
            made[word] = None
    return list(made)


def listed(name: str) -> list[str]:
    """The words of a file beside this one, the most frequent first."""
    return (_WORDS / name).read_text(encoding="utf-8").split()
