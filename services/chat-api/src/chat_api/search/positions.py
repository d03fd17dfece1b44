"""Finds the place in a text that a place in its folded form came from.

Folding changes lengths: `ß` becomes two characters, a letter with a combining mark one, an invisible
character none. So a text is cut into pieces whose folded forms, one after the other, are that of the whole.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import Final

from messenger_shared.contract.text.fold import fold, is_plain

_CACHED: Final = 20_000
_FIRST_VOWEL, _LAST_FINAL = 0x1160, 0x11FF


def folded_places(text: str, folded: str, spans: Iterable[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    """The spans of `folded`, which is `text` folded, as spans of `text`: whole pieces, in UTF-16 units."""
    if is_plain(text):
        yield from spans
        return
    starts, ends = _piece_borders(text, folded)
    for start, end in spans:
        yield starts[start], ends[end - 1]


def pieces(text: str) -> list[tuple[str, str]]:
    """The text in pieces, each with its folded form. What folds to nothing belongs to the piece before."""
    found: list[tuple[str, str]] = []
    for character in text:
        folded = _fold_one(character)
        if found and _belongs_to(found[-1][1], folded):
            whole = found[-1][0] + character
            found[-1] = whole, fold(whole)
        else:
            found.append((character, folded))
    return found


def _belongs_to(before: str, folded: str) -> bool:
    """Whether a folded character may change together with what is before it, or is nothing by itself."""
    if not folded or not before:
        return True
    if unicodedata.category(folded[0])[0] == "M":
        return True
    # Vowels and finals of Korean syllables become one with what they complete.
    is_part = _FIRST_VOWEL <= ord(folded[0]) <= _LAST_FINAL
    return is_part and len(unicodedata.normalize("NFC", before[-1] + folded[0])) == 1


def _piece_borders(text: str, folded: str) -> tuple[list[int], list[int]]:
    """For each character of the folded form, where its piece starts and ends in UTF-16 units."""
    starts: list[int] = []
    ends: list[int] = []
    at = 0
    for piece, folded_piece in pieces(text):
        end = at + len(piece.encode("utf-16-le")) // 2
        starts += [at] * len(folded_piece)
        ends += [end] * len(folded_piece)
        at = end
    if len(starts) != len(folded):
        # Only if Unicode gets characters that change together and aren't known here: marks the whole text.
        return [0] * len(folded), [at] * len(folded)
    return starts, ends


@lru_cache(_CACHED)
def _fold_one(character: str) -> str:
    return fold(character)
