"""Makes the numbers by which the search index finds blocks of messages.

A gram stands for two neighbouring characters of a folded word, for the initial consonants of two neighbouring
characters, or for something else that a query asks for: a conversation, a sender, a file, a link. Different
things may have the same gram, so whoever finds a block by its grams still checks its messages.
"""

from __future__ import annotations

import itertools
import zlib
from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import Final

HAS_FILE: Final = "file"
HAS_LINK: Final = "link"
# Korean syllables: 19 initial consonants, each with 588 syllables.
_FIRST_SYLLABLE: Final = 0xAC00
_SYLLABLES: Final = 19 * 588
_FIRST_INITIAL: Final = 0x1100
_INITIALS: Final = {_FIRST_SYLLABLE + number: _FIRST_INITIAL + number // 588 for number in range(_SYLLABLES)}
_CACHED: Final = 100_000


def initials(text: str) -> str:
    """The folded text with each Korean syllable replaced by its initial consonant."""
    return text if text.isascii() else text.translate(_INITIALS)


def is_initial(character: str) -> bool:
    """Whether a character of a folded text is an initial consonant."""
    return 0 <= ord(character) - _FIRST_INITIAL < _SYLLABLES // 588


def text_grams(folded: Iterable[str]) -> set[int]:
    """The grams of folded texts."""
    pairs: set[str] = set()
    for text in folded:
        for word in text.split():
            pairs.update(_pairs(word))
            if not word.isascii():
                pairs.update(_pairs(initials(word)))
    return {gram(pair) for pair in pairs}


def query_grams(words: Iterable[str]) -> set[int]:
    """The grams that a block with all these folded words has. None for words of one character."""
    grams: set[int] = set()
    for word in words:
        for pair in _pairs(word):
            grams.add(gram(initials(pair) if any(map(is_initial, pair)) else pair))
    return grams


def conversation_gram(conversation_id: str) -> int:
    """The gram of all blocks of a conversation."""
    return gram(f"in {conversation_id}")


def sender_gram(user_id: int) -> int:
    """The gram of blocks with a message of this sender."""
    return gram(f"from {user_id}")


@lru_cache(_CACHED)
def gram(text: str) -> int:
    """The gram that stands for `text`: a signed number of 32 bits."""
    return zlib.crc32(text.encode()) - 2**31


def _pairs(word: str) -> Iterator[str]:
    return map("".join, itertools.pairwise(word))
