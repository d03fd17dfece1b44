"""Which texts have the words of a query, and where."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chat_api.search.grams import initials, is_initial, text_grams
from chat_api.search.matching import Words
from chat_api.search.positions import pieces
from messenger_shared.contract.text.fold import fold

# What changes when it is folded, by itself or together with its neighbours.
ODD = (
    "ßﬁǰİıIiΣςſKÅ㎏ﷺｶﾞﾟㅎㅏㄱㅠ회의힣각가하ᅡᆨᄀกำिकি aZ\u0301\u0307\u0323\u0327\u3099"
    "\u200b\u200d\u00ad\ufe0f\U0001f600\U0001d400"
)
texts = st.text(st.one_of(st.sampled_from(ODD), st.characters(exclude_categories=["Cs"])), max_size=20)


def units(text: str, offset: int, length: int) -> str:
    """The part of a text at a place in UTF-16 units."""
    return text.encode("utf-16-le")[2 * offset : 2 * (offset + length)].decode("utf-16-le")


@pytest.mark.parametrize(
    ("query", "text", "places"),
    [
        ("회의", "오늘 회의합니다", ["회의"]),
        ("ㅎㅇ", "오늘 회의합니다", ["회의"]),
        ("회ㅇ", "x회의", ["회의"]),
        ("ㅎㅇ", "ㅎㅇ 하이", ["ㅎㅇ", "하이"]),
        ("ㅎㅎ", "힝ㅎㅎㅎ", ["힝ㅎㅎㅎ"]),
        ("ㅠㅠ", "힝ㅠㅠㅠ", ["ㅠㅠㅠ"]),
        ("회의", unicodedata.normalize("NFD", "오늘 회의"), [unicodedata.normalize("NFD", "회의")]),
        (unicodedata.normalize("NFD", "회의"), "회의", ["회의"]),
        ("STRASSE", "Straße", ["Straße"]),
        ("ss", "Straße", ["ß"]),
        ("fi", "eﬁn", ["ﬁ"]),
        ("istanbul", "İSTANBUL", ["İSTANBUL"]),
        ("ガ", "ｶﾞﾀ", ["ｶﾞ"]),
        ("abc", "ＡＢＣ", ["ＡＢＣ"]),
        ("ab", "a\u200bb", ["a\u200bb"]),
        ("é!", "cafe\u0301!", ["e\u0301!"]),
        ("bb", "😀bb😀bb", ["bb", "bb"]),
        ("😀", "a😀b", ["😀"]),
        ("aba", "ababa", ["ababa"]),
        ("ab cd", "cd abcd", ["cd", "ab", "cd"]),
        ("日本", "日本語", ["日本"]),
        ("สวั", "สวัสดี", ["สวั"]),
        ("سلام", "والسلام", ["سلام"]),
        ("a.b", "axb a.b", ["a.b"]),
    ],
)
def test_words_are_found_where_they_are(query: str, text: str, places: list[str]) -> None:
    words = Words(query)
    assert words.are_in([fold(text)])
    assert [units(text, *place) for place in words.places_in(text)] == places


@pytest.mark.parametrize(
    ("query", "text"),
    [("회의", "회 의"), ("ㅎㅇ", "회이힐"[2:]), ("회의", "ㅎㅇ"), ("a b", "ac"), ("가", "각"), ("x", "")],
)
def test_what_is_not_there_is_not_found(query: str, text: str) -> None:
    words = Words(query)
    assert not words.are_in([fold(text)])


def test_the_words_may_be_in_different_texts_and_only_those_of_the_content_are_marked() -> None:
    words = Words("plan 회의")
    assert words.are_in([fold("회의"), fold("PLAN.pdf")])
    assert not words.are_in([fold("회의")])
    assert words.places_in("회의") == [[0, 2]]


def test_a_long_message_has_a_bounded_number_of_marks() -> None:
    assert len(Words("a b").places_in("a " * 5_000)) == 1_000


@given(texts)
def test_the_pieces_are_the_text_and_their_folded_forms_are_its_folded_form(text: str) -> None:
    found = pieces(text)
    assert "".join(piece for piece, _ in found) == text
    assert "".join(folded for _, folded in found) == fold(text)
    assert all(fold(piece) == folded for piece, folded in found)


@given(texts, st.data())
def test_every_part_of_a_word_is_found_and_marked(text: str, data: st.DataObject) -> None:
    words = fold(text).split()
    if not words:
        return
    word = data.draw(st.sampled_from(words))
    start = data.draw(st.integers(0, len(word) - 1))
    part = word[start : data.draw(st.integers(start + 1, len(word)))]
    if data.draw(st.booleans()):
        part = initials(part)
    if fold(part) != part or not part.split():
        return
    query = Words(part)
    assert query.are_in([fold(text)])
    assert query.grams <= text_grams([fold(text)])
    places = query.places_in(text)
    assert places
    ends = [0]
    for offset, length in places:
        # In order, and without overlaps.
        assert offset >= ends[-1]
        assert length > 0
        ends.append(offset + length)
        assert has_part(fold(units(text, offset, length)), part)
    assert ends[-1] <= len(text.encode("utf-16-le")) // 2


def has_part(folded: str, part: str) -> bool:
    """Whether the part is in the folded text, compared character by character."""
    return any(
        all(
            character == wanted or (is_initial(wanted) and initials(character) == wanted)
            for character, wanted in zip(folded[start:], part, strict=False)
        )
        for start in range(len(folded) - len(part) + 1)
    )


@given(st.text("가힣회의ㅎ日ひカabZ ㎏\u0301\u3099ßｶﾞﾟ", max_size=12))
def test_plain_texts_fold_as_all_others(text: str) -> None:
    """Texts without anything odd take a short cut."""
    assert fold(text + "ß").removesuffix("ss") == fold(text)
