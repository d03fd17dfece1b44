"""Makes the numbers by which the search index finds blocks of messages.

A gram stands for two neighbouring characters of a folded word, for the initial consonants of two neighbouring
characters, or for something else that a query asks for: a conversation, a sender, a file, a link. Different
things may have the same gram, so whoever finds a block by its grams still checks its messages.

The gram of two characters is their two UTF-16 units as one number. So a text's bytes are already its grams,
at the even places and at the odd ones, and nothing is computed for a character.
"""

from __future__ import annotations

import zlib
from array import array
from collections.abc import Iterable
from functools import lru_cache
from itertools import chain, pairwise
from typing import Final

HAS_FILE: Final = "file"
HAS_LINK: Final = "link"
# Korean syllables: 19 initial consonants, each with 588 syllables.
_FIRST_SYLLABLE: Final = 0xAC00
_SYLLABLES: Final = 19 * 588
_FIRST_INITIAL: Final = 0x1100
# What becomes of each UTF-16 unit. A list, since a dictionary takes longer, most of all for what it lacks.
_INITIALS: Final = list(range(2**16))
_INITIALS[_FIRST_SYLLABLE : _FIRST_SYLLABLE + _SYLLABLES] = [
    _FIRST_INITIAL + number // 588 for number in range(_SYLLABLES)
]
_SPACE: Final = ord(" ")
_CACHED: Final = 10_000


def initials(text: str) -> str:
    """The folded text with each Korean syllable replaced by its initial consonant."""
    return text if text.isascii() else text.translate(_INITIALS)


def is_initial(character: str) -> bool:
    """Whether a character of a folded text is an initial consonant."""
    return 0 <= ord(character) - _FIRST_INITIAL < _SYLLABLES // 588


def text_grams(folded: Iterable[str]) -> set[int]:
    """The grams of folded texts."""
    text = " ".join(set(chain.from_iterable(map(str.split, folded))))
    if not text.isascii():
        text = f"{text} {initials(text)}"
    return {pair for pair in _pairs(text) if pair & 0xFFFF != _SPACE and pair >> 16 != _SPACE}


def query_grams(words: Iterable[str]) -> set[int]:
    """The grams that a block with all these folded words has. None for words of one UTF-16 unit."""
    grams: set[int] = set()
    for word in words:
        for pair in map("".join, pairwise(word)):
            grams |= _pairs(initials(pair) if any(map(is_initial, pair)) else pair)
    return grams


def conversation_gram(conversation_id: str) -> int:
    """The gram of all blocks of a conversation."""
    return gram(f"in {conversation_id}")


def sender_gram(user_id: int) -> int:
    """The gram of blocks with a message of this sender."""
    return gram(f"from {user_id}")


@lru_cache(_CACHED)
def gram(name: str) -> int:
    """The gram of something that has a name: a signed number of 32 bits."""
    return zlib.crc32(name.encode()) - 2**31


def _pairs(text: str) -> set[int]:
    """Each two neighbouring units of the text as a signed number of 32 bits."""
    units = text.encode("utf-16-le", "surrogatepass")
    if len(units) & 2:
        return {*array("i", units[:-2]), *array("i", units[2:])}
    return {*array("i", units), *array("i", units[2:-2])}
