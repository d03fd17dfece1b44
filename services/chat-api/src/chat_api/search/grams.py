"""Makes the numbers by which the search index finds blocks of messages.

A gram stands for two or three neighbouring characters of a folded word, or for something else that a query
asks for: a conversation, a sender, a file, a link. Different things may have the same gram, so whoever finds
a block by its grams still checks its messages.

Two characters are in the index as they are, and with the initial consonants of Korean syllables. Their gram
is their two UTF-16 units as one number. So a text's bytes are already its grams, at the even places and at
the odd ones, and nothing is computed for a character.

Latin letters and initial consonants are so few that nearly every block has nearly all pairs of them. So three
of them have a gram too: each is a byte, and the gram is three bytes of the text as one number.
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
# The byte that stands for each unit: ASCII for itself, from 0x80 on initial consonants, a space for others.
_FIRST_BYTE: Final = 0x80
_SPACE: Final = ord(" ")
_BYTES: Final = [*range(_FIRST_BYTE), *[_SPACE] * (2**16 - _FIRST_BYTE)]
for _unit in (
    *range(_FIRST_INITIAL, _FIRST_INITIAL + 19),
    *range(_FIRST_SYLLABLE, _FIRST_SYLLABLE + _SYLLABLES),
):
    _BYTES[_unit] = _FIRST_BYTE + _INITIALS[_unit] - _FIRST_INITIAL
# What tells the grams of three bytes from those of two units, none of which begin so.
_OF_THREE: Final = (0xDC << 24) - 2**32
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
    threes = _threes(text)
    if not text.isascii():
        text = f"{text} {initials(text)}"
    return threes | {pair for pair in _pairs(text) if pair & 0xFFFF != _SPACE and pair >> 16 != _SPACE}


def query_grams(words: Iterable[str]) -> set[int]:
    """The grams that a block with all these folded words has. None for words of one UTF-16 unit."""
    grams: set[int] = set()
    for word in words:
        threes = {at: word[at : at + 3] for at in range(len(word) - 2) if _is_vague(word[at : at + 3])}
        grams.update(*map(_threes, threes.values()))
        for at, pair in enumerate(map("".join, pairwise(word))):
            if _is_vague(pair):
                # Three say more than the two that they have.
                if at not in threes and at - 1 not in threes:
                    grams |= _pairs(initials(pair))
            else:
                grams |= _pairs(pair)
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


def _threes(text: str) -> set[int]:
    """The grams of each three neighbouring characters that have a byte."""
    data = text.translate(_BYTES).encode("latin-1", "replace") + b" "
    # Four bytes are a number; the fourth is then left out.
    windows = chain.from_iterable(array("I", data[at : len(data) - (len(data) - at) % 4]) for at in range(4))
    return {
        three + _OF_THREE
        for three in {window & 0xFFFFFF for window in windows}
        if three & 0xFF != _SPACE and three >> 8 & 0xFF != _SPACE and three >> 16 != _SPACE
    }


def _is_vague(text: str) -> bool:
    """Whether nearly every block has the pairs of a text: of ASCII, or with initial consonants.

    Not if it has characters without a byte.
    """
    return (text.isascii() or any(map(is_initial, text))) and " " not in text.translate(_BYTES)
