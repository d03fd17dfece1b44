"""English words as people type them: function words, frequent words, and made ones with usual endings."""

from __future__ import annotations

import random
from typing import Final

from tests.bench.search.zipf import Weighted, listed, made_once

_FUNCTION_WORDS: Final = listed("english-function-words.txt")
_CONTENT_WORDS: Final = listed("english-words.txt")
_ONSETS: Final = "b c d f g h l m n p r s t v w br cl cr dr fl gr pl pr sc sl sp st str tr ch sh th"
_NUCLEI: Final = "a e i o u a e i o ai ea ee ou oo er or ar"
_CODAS: Final = "n r t s l m d ck st nt ng ll rd x"
_SYLLABLES: Final = Weighted([1, 2, 3, 4], [10, 45, 35, 10])
_MADE: Final = 4_000
_ENDINGS: Final = (("", 70.0), ("s", 12.0), ("ed", 7.0), ("ing", 8.0), ("er", 3.0))
_FUNCTION_SHARE: Final = 0.5


def words(seed: int) -> Weighted[str]:
    """English words with their frequencies."""
    chance = random.Random(f"english {seed}")
    content = [*_CONTENT_WORDS, *made_once(_MADE, lambda: _word(chance), set(_CONTENT_WORDS))]
    forms = [(form, _FUNCTION_SHARE * weight) for form, weight in Weighted.zipf(_FUNCTION_WORDS).shares()]
    endings = Weighted.of(_ENDINGS).shares()
    for word, weight in Weighted.zipf(content).shares():
        forms += [(word + ending, (1 - _FUNCTION_SHARE) * weight * share) for ending, share in endings]
    return Weighted.of(forms)


def _word(chance: random.Random) -> str:
    # A third of the syllables are open.
    onsets, nuclei, codas = _ONSETS.split(), _NUCLEI.split(), [*_CODAS.split(), *[""] * 6]
    return "".join(
        chance.choice(onsets) + chance.choice(nuclei) + chance.choice(codas)
        for _ in range(_SYLLABLES.pick(chance))
    )
