"""The grams of a text include those of each query that finds it."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chat_api.search.grams import initials, query_grams, text_grams
from messenger_shared.contract.text.fold import fold

CHARACTERS = st.sampled_from("회의록가나 abc?🙂👍日本กา\n\u3000")
TEXTS = st.text(CHARACTERS | st.characters(exclude_categories=["Cs"]), max_size=40)


@given(TEXTS, TEXTS, st.data())
def test_a_query_for_a_part_of_a_word_has_no_other_grams(one: str, other: str, data: st.DataObject) -> None:
    folded = [fold(one), fold(other)]
    words = [word for text in folded for word in text.split()]
    if not words:
        assert text_grams(folded) == set()
        return
    word = data.draw(st.sampled_from(words))
    first = data.draw(st.integers(0, len(word) - 1))
    part = word[first : data.draw(st.integers(first, len(word)))]
    assert query_grams([part, initials(part)]) <= text_grams(folded)


def by_pairs(text: str) -> int:
    """Returns how many pairs and threes of neighbours the words and their initial consonants have."""
    initial_words = initials(text).split()
    pairs = {pair for word in (*text.split(), *initial_words) for pair in itertools.pairwise(word)}
    return len(pairs) + len({word[at : at + 3] for word in initial_words for at in range(len(word) - 2)})


@pytest.mark.parametrize(
    "text", ["a", "ab", "ab cd", "abcab", "회의", "회의 시간에 봐요", "ab회의", "ab ab", "  ", "가\n나다"]
)
def test_a_text_has_a_gram_for_each_two_and_each_three_neighbours_within_a_word(text: str) -> None:
    assert len(text_grams([fold(text)])) == by_pairs(text)


def test_grams_are_what_the_index_was_made_with() -> None:
    """Other numbers would need a new index, or nothing is found any more."""
    assert text_grams(["회의"]) == {-950_479_220, 285_937_938}


@pytest.mark.parametrize(
    ("word", "found", "not_found"),
    [("abcd", "abcde", "abc bcx xcd"), ("ㅎㅇㄹ", "회의록", "회의 의록"), ("회ㅇㄹ", "회의록", "회원 우리")],
)
def test_words_with_the_same_pairs_are_told_apart(word: str, found: str, not_found: str) -> None:
    grams = query_grams([fold(word)])
    assert grams <= text_grams([fold(found)])
    assert not grams <= text_grams([fold(not_found)])


def test_texts_of_a_message_are_no_neighbours() -> None:
    assert text_grams(["가나", "다라"]) == text_grams(["가나"]) | text_grams(["다라"])
