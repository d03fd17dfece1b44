"""Korean words as people type them: fixed phrases, nouns with particles, nouns that became verbs."""

from __future__ import annotations

import random
from typing import Final

from tests.bench.search.zipf import Weighted, listed, made_once

_FIXED: Final = listed("korean-phrases.txt")
_NOUNS: Final = listed("korean-nouns.txt")
# Frequent syllables, for nouns that these lists lack.
_SYLLABLES: Final = (
    "이사기지리시인자대수정주전일장상제보소안성원구신국여우미회서경무조비유진동중선계관공영과세모위당생교학문"
    "식물화방발용실체의어나라마바가하고도로연현형호환활황효후훈희히간감강개거건검결고광금급길김남내노"
)
_LENGTHS: Final = Weighted([2, 3, 4], [60, 32, 8])
_MADE_NOUNS: Final = 3_000
# (after a vowel, after a consonant, weight)
_PARTICLES: Final = (
    ("", "", 40),
    ("는", "은", 12),
    ("가", "이", 12),
    ("를", "을", 14),
    ("에", "에", 7),
    ("도", "도", 4),
    ("로", "으로", 4),
    ("에서", "에서", 3),
    ("의", "의", 2),
    ("만", "만", 1),
    ("까지", "까지", 1),
)
_ENDINGS: Final = (
    *(("했어요", 8), ("해요", 7), ("합니다", 6), ("했습니다", 6), ("해주세요", 6), ("하고", 5), ("하면", 4)),
    *(
        ("할게요", 4),
        ("하는", 4),
        ("할", 3),
        ("하려고요", 2),
        ("하셨나요", 2),
        ("하겠습니다", 2),
        ("해서", 2),
    ),
)
# The share of nouns that are used as verbs.
_VERBS: Final = 0.25
_FIXED_SHARE: Final = 0.3


def words(seed: int) -> Weighted[str]:
    """Korean words with their frequencies."""
    chance = random.Random(f"korean {seed}")
    nouns = [*_NOUNS, *made_once(_MADE_NOUNS, lambda: _noun(chance), set(_NOUNS))]
    forms = [(form, _FIXED_SHARE * weight) for form, weight in Weighted.zipf(_FIXED).shares()]
    for noun, weight in Weighted.zipf(nouns).shares():
        forms += [(form, (1 - _FIXED_SHARE) * weight * share) for form, share in _forms(noun)]
    return Weighted.of(forms)


def _noun(chance: random.Random) -> str:
    # Earlier syllables are more frequent.
    return "".join(
        _SYLLABLES[int(len(_SYLLABLES) * chance.random() ** 2)] for _ in range(_LENGTHS.pick(chance))
    )


def _forms(noun: str) -> list[tuple[str, float]]:
    is_open = (ord(noun[-1]) - 0xAC00) % 28 == 0
    particles = Weighted.of((noun + (short if is_open else long), n) for short, long, n in _PARTICLES)
    endings = Weighted.of((noun + ending, weight) for ending, weight in _ENDINGS)
    found = [(form, share * (1 - _VERBS)) for form, share in particles.shares()]
    return found + [(form, share * _VERBS) for form, share in endings.shares()]
