"""Finds the words of a query in texts, with the rules of folding and of Korean initial consonants."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Final

from chat_api.search.grams import is_initial, query_grams
from chat_api.search.positions import folded_places
from messenger_shared.contract.text.fold import fold, words

Span = tuple[int, int]
# A long message of one letter again and again has thousands.
HIGHLIGHTS_MAX: Final = 1_000
_FIRST_INITIAL, _FIRST_SYLLABLE, _WITH_ONE_INITIAL = 0x1100, 0xAC00, 588


class Words:
    """The words of a query, all of which a text must have.

    Each matches as a part of a word. An initial consonant also matches any syllable that begins with it.
    """

    def __init__(self, query: str) -> None:
        self._words = words(query)
        self._plain = [word for word in self._words if not any(map(is_initial, word))]
        self._patterns = [_pattern(word) for word in self._words if any(map(is_initial, word))]

    @property
    def grams(self) -> set[int]:
        """What the index has of every text with these words. None for words of one character."""
        return query_grams(self._words)

    def are_in(self, texts: Sequence[str]) -> bool:
        """Whether each word is in one of these folded texts."""
        for word in self._plain:
            for text in texts:
                if word in text:
                    break
            else:
                return False
        return all(any(map(pattern.search, texts)) for pattern in self._patterns)

    def places_in(self, content: str) -> list[list[int]]:
        """Where the words are in an unfolded text: [offset, length] in UTF-16 units, sorted and merged."""
        folded = fold(content)
        spans = sorted(span for word in self._words for span in _spans(word, folded))
        merged = list(_merged(folded_places(content, folded, _merged(spans))))
        return [[start, end - start] for start, end in merged[:HIGHLIGHTS_MAX]]


def _pattern(word: str) -> re.Pattern[str]:
    """Matches the word in a folded text, initial consonants in it also as the begin of a syllable."""
    return re.compile("".join(map(_one, word)))


def _one(character: str) -> str:
    if not is_initial(character):
        return re.escape(character)
    first = _FIRST_SYLLABLE + (ord(character) - _FIRST_INITIAL) * _WITH_ONE_INITIAL
    return f"[{character}{chr(first)}-{chr(first + _WITH_ONE_INITIAL - 1)}]"


def _spans(word: str, folded: str) -> Iterable[Span]:
    # Looks ahead, because places of a word may overlap.
    for match in re.finditer(f"(?={_pattern(word).pattern})", folded):
        yield match.start(), match.start() + len(word)


def _merged(spans: Iterable[Span]) -> list[Span]:
    """The sorted spans, with those that overlap as one."""
    merged: list[Span] = []
    for start, end in spans:
        if merged and start < merged[-1][1]:
            merged[-1] = merged[-1][0], max(end, merged[-1][1])
        else:
            merged.append((start, end))
    return merged
