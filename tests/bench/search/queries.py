"""Chooses what is searched for: frequent and rare pieces of the texts, by how many messages have them."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Final

from chat_api.search.grams import initials
from messenger_shared.contract.text.fold import fold
from tests.bench.search.texts import texts

_SAMPLE: Final = 50_000
_EACH: Final = 40
# From how many of the most frequent pieces are chosen, and in how few messages a rare one is.
_MOST: Final = 30
_RARE: Final = range(1, 4)
_QUERY_MAX: Final = 64
_CONSONANTS: Final = {"frequent": 2, "rare": 4}


@dataclass(frozen=True, slots=True)
class Kind:
    """Queries of one kind."""

    name: str
    queries: tuple[str, ...]


def kinds(seed: int) -> list[Kind]:
    """All kinds of queries."""
    folded = [fold(text) for text in islice(texts(seed), _SAMPLE)]
    chance = random.Random(f"queries {seed}")
    found = []
    for length in (2, 4, 10):
        counts = _counts(folded, length)
        korean = {piece: n for piece, n in counts.items() if _is_korean(piece)}
        english = {
            piece: n for piece, n in counts.items() if piece.replace(" ", "").isalpha() and piece.isascii()
        }
        for name, choose in (("frequent", _frequent), ("rare", _rare)):
            chosen = [*choose(korean, chance), *choose(english, chance)]
            found.append(_kind(f"{length} characters, {name}", chosen, chance))
    for name, length in _CONSONANTS.items():
        counts = {p: n for p, n in _counts(map(initials, folded), length).items() if _is_consonants(p)}
        chosen = (_frequent if name == "frequent" else _rare)(counts, chance)
        found.append(_kind(f"{length} consonants, {name}", chosen, chance))
    return [*found, *_hostile(folded, chance)]


def _counts(folded: Iterable[str], length: int) -> Counter[str]:
    """Each piece of this length → how many texts have it. A piece neither begins nor ends with a space."""
    counts: Counter[str] = Counter()
    for text in folded:
        counts.update({piece for piece in _pieces(text, length) if piece == piece.strip()})
    return counts


def _pieces(text: str, length: int) -> Iterator[str]:
    return (text[start : start + length] for start in range(len(text) - length + 1))


def _frequent(counts: dict[str, int], chance: random.Random) -> list[str]:
    return sorted(sorted(counts), key=lambda piece: -counts[piece])[:_MOST]


def _rare(counts: dict[str, int], chance: random.Random) -> list[str]:
    rare = sorted(piece for piece, count in counts.items() if count in _RARE)
    return chance.sample(rare, min(_MOST, len(rare)))


def _kind(name: str, chosen: list[str], chance: random.Random) -> Kind:
    return Kind(name, tuple(chance.sample(chosen, min(_EACH, len(chosen)))))


def _hostile(folded: list[str], chance: random.Random) -> list[Kind]:
    """Queries that cost most: every pair of characters is frequent, and hardly any message has all."""
    pairs = _frequent(dict(_counts(folded, 2)), chance)
    words = [" ".join(chance.sample(pairs, len(pairs)))[:_QUERY_MAX].strip() for _ in range(_EACH)]
    pieces = _frequent(dict(_counts((t for text in folded for t in text.split()), 3)), chance)
    joined = ["".join(chance.sample(pieces, len(pieces)))[:_QUERY_MAX] for _ in range(_EACH)]
    return [
        Kind("64 characters, many frequent words", tuple(words)),
        Kind("64 characters, one word of frequent pieces", tuple(joined)),
    ]


def _is_all(text: str, is_one: Callable[[str], bool]) -> bool:
    return all(is_one(character) for character in text if character != " ")


def _is_korean(text: str) -> bool:
    return _is_all(text, lambda character: "가" <= character <= "힣")


def _is_consonants(text: str) -> bool:
    return " " not in text and _is_all(text, lambda character: "\u1100" <= character <= "\u1112")
