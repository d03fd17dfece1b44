"""Tests the texts, conversations and queries of the search benchmark."""

from __future__ import annotations

import re
import statistics
from collections import Counter
from itertools import islice

import pytest

from tests.bench.search.shape import IN, SEARCHERS, conversations, searchers
from tests.bench.search.texts import texts

COUNT = 20_000


@pytest.fixture(scope="module")
def written() -> list[str]:
    return list(islice(texts(1), COUNT))


def test_a_seed_gives_the_same_texts_and_another_one_others(written: list[str]) -> None:
    assert list(islice(texts(1), 100)) == written[:100]
    assert list(islice(texts(2), 100)) != written[:100]


def test_words_are_as_frequent_as_in_a_language(written: list[str]) -> None:
    counts = Counter(word for text in written for word in text.split())
    assert len(counts) > COUNT / 2
    ranked = [count for _, count in counts.most_common()]
    # Zipf: ten times the rank, about a tenth of the frequency.
    assert 3 < ranked[9] / ranked[99] < 20
    assert 3 < ranked[99] / ranked[999] < 30
    # No word is in most messages, and many are in one only.
    assert ranked[0] < COUNT / 4
    assert ranked.count(1) > len(ranked) / 3


def test_messages_are_short_in_the_middle_and_long_at_the_end(written: list[str]) -> None:
    lengths = sorted(len(text) for text in written)
    assert 15 < statistics.median(lengths) < 40
    assert lengths[COUNT * 99 // 100] > 4 * statistics.median(lengths)


def test_they_are_korean_and_english_with_what_people_add(written: list[str]) -> None:
    shares = {
        name: sum(bool(re.search(pattern, text)) for text in written) / COUNT
        for name, pattern in {
            "korean": "[가-힣]",
            "english": "[a-z]",
            "link": "https://",
            "digit": "[0-9]",
            "laughing": "[ㄱ-ㅎㅏ-ㅣ]",
            "emoji": "[\U0001f300-\U0001faff]",
        }.items()
    }
    assert 0.6 < shares["korean"] < 0.8
    assert 0.3 < shares["english"] < 0.5
    assert all(0.01 < shares[name] < 0.2 for name in ("link", "digit", "laughing", "emoji"))
    # COPY would take them for the end of a value.
    assert not re.search(r"[\t\n\\]", "".join(written))


def test_everybody_who_searches_is_in_as_many_conversations_as_said() -> None:
    planned = conversations(100_000, seed=1)
    assert sum(conversation.messages for conversation in planned) == 100_000
    memberships = Counter(user for conversation in planned for user in conversation.members)
    assert Counter(memberships[searcher.user_id] for searcher in searchers()) == dict.fromkeys(IN, SEARCHERS)
