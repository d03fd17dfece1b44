"""Writes messages that look like real ones: Korean, English and both, with Zipf's frequencies."""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import Final

from tests.bench.search import english, korean
from tests.bench.search.zipf import Weighted, listed

_CHUNK: Final = 10_000
# Words of a message: the median is five; one message in a hundred has more than thirty.
_WORDS_MU, _WORDS_SIGMA, _WORDS_MAX = 1.6, 0.75, 200
_KOREAN, _ENGLISH, _BOTH = "Korean", "English", "both"
_LANGUAGES: Final = Weighted([_KOREAN, _ENGLISH, _BOTH], [62, 30, 8])
# Of messages in both, the share of English words.
_ENGLISH_SHARE: Final = 0.25
_PLAIN: Final = "plain"
_ADDITIONS: Final = Weighted(
    [_PLAIN, "emoji", "laughing", "digits", "link"],
    [72, 8, 9, 7, 4],
)
_EMOJI: Final = Weighted.zipf(listed("emoji.txt"))
_LAUGHING: Final = Weighted.zipf(
    ["ㅋㅋ", "ㅋㅋㅋ", "ㅎㅎ", "ㅠㅠ", "ㅋㅋㅋㅋㅋ", "ㅎㅎㅎ", "ㅇㅇ", "ㄱㅅ", "ㅜㅜ", "lol", "haha"]
)
_HOSTS: Final = Weighted.zipf(
    ["docs.example.com", "github.example.org", "drive.example.com", "news.example.kr", "map.example.kr"]
)


def texts(seed: int) -> Iterator[str]:
    """Endless texts of messages, the same for the same seed."""
    chance = random.Random(f"texts {seed}")
    words = {_KOREAN: korean.words(seed), _ENGLISH: english.words(seed)}
    while True:
        yield from _chunk(chance, words)


def _chunk(chance: random.Random, words: dict[str, Weighted[str]]) -> Iterator[str]:
    counts = [
        min(_WORDS_MAX, max(1, round(chance.lognormvariate(_WORDS_MU, _WORDS_SIGMA)))) for _ in range(_CHUNK)
    ]
    languages = _LANGUAGES.picks(chance, _CHUNK)
    additions = _ADDITIONS.picks(chance, _CHUNK)
    pools = {language: iter(found.picks(chance, sum(counts))) for language, found in words.items()}
    for count, language, addition in zip(counts, languages, additions, strict=True):
        if language == _BOTH:
            picked = [
                next(pools[_ENGLISH if chance.random() < _ENGLISH_SHARE else _KOREAN]) for _ in range(count)
            ]
        else:
            pool = pools[language]
            picked = [next(pool) for _ in range(count)]
        if addition != _PLAIN:
            picked.insert(chance.randint(0, count), _addition(addition, chance))
        yield " ".join(picked)


def _addition(kind: str, chance: random.Random) -> str:
    if kind == "emoji":
        return _EMOJI.pick(chance) * chance.choice((1, 1, 1, 2, 3))
    if kind == "laughing":
        return _LAUGHING.pick(chance)
    if kind == "digits":
        return chance.choice(_DIGITS)(chance)
    return f"https://{_HOSTS.pick(chance)}/{chance.getrandbits(40):x}?page={chance.randint(1, 99)}"


_DIGITS: Final = (
    lambda chance: f"{chance.randint(1, 12)}시",
    lambda chance: f"{chance.randint(0, 23)}:{chance.randint(0, 59):02}",
    lambda chance: f"{chance.randint(1, 900) * 100:,}원",
    lambda chance: f"010-{chance.randint(1000, 9999)}-{chance.randint(1000, 9999)}",
    lambda chance: f"v{chance.randint(0, 9)}.{chance.randint(0, 30)}",
    lambda chance: f"#{chance.randint(1, 9999)}",
    lambda chance: f"{chance.randint(1, 12)}/{chance.randint(1, 28)}",
)
