"""Whom a request mentions: places in UTF-16 code units, the effective list, and what an edit adds."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chat_api.model import MentionsData, MessageFacts
from chat_api.rules.mentions import added_mentions, check_mention_all, wanted_mentions
from messenger_shared.contract.errors import AppError
from messenger_shared.contract.operations import messages
from messenger_shared.contract.operations.operation import Operation
from messenger_shared.contract.schemas.mentions import MENTIONS_MAX

ID = "01a20ac3-5727-772d-ad3e-fd6faf3624ac"
# A family of four joined characters, a flag of two, and one letter with an accent of its own.
TEXT = "👨‍👩‍👧‍👦@a 🇰🇷@b e\u0301@c"


def load(operation: Operation, content: str, **fields: Any) -> dict[str, Any]:
    return operation.load({"conversation_id": ID, "message_id": ID, "content": content, **fields})


def entity(offset: int, length: int, user_id: int = 5) -> dict[str, Any]:
    return {"type": "mention", "user_id": user_id, "offset": offset, "length": length}


def units(text: str) -> int:
    return len(text.encode("utf-16-le")) // 2


@pytest.mark.parametrize("operation", [messages.SEND, messages.EDIT], ids=["send", "edit"])
@pytest.mark.parametrize("name", ["@a", "@b", "@c"])
def test_places_are_counted_in_utf_16(operation: Operation, name: str) -> None:
    place = entity(units(TEXT[: TEXT.index(name)]), 2)
    assert load(operation, TEXT, entities=[place])["entities"] == [place]
    assert TEXT.encode("utf-16-le")[2 * place["offset"] :].decode("utf-16-le").startswith(name)


@pytest.mark.parametrize("operation", [messages.SEND, messages.EDIT], ids=["send", "edit"])
@pytest.mark.parametrize(
    ("places", "problem"),
    [
        ([(0, 1)], "0: Begins or ends inside a character."),
        ([(1, 3)], "0: Begins or ends inside a character."),
        ([(2, 9)], "0: Outside the text."),
        ([(7, 1)], "0: Outside the text."),
        ([(2**31, 1)], "0: Outside the text."),
        ([(4, 2), (2, 3)], "0: Overlaps another entity."),
        ([(2, 2), (2, 2)], "1: Overlaps another entity."),
        ([(2, 4), (3, 1), (4, 1)], "1: Overlaps another entity."),
    ],
)
def test_a_place_that_does_not_fit_is_named(
    operation: Operation, places: list[tuple[int, int]], problem: str
) -> None:
    with pytest.raises(AppError) as caught:
        load(operation, "😀@two.", entities=[entity(*place) for place in places])
    assert (caught.value.kind.code, caught.value.details) == ("invalid_frame", {"entities": [problem]})


@given(text=st.text(max_size=30).filter(lambda text: text.strip()), data=st.data())
def test_every_piece_of_a_text_may_be_mentioned(text: str, data: st.DataObject) -> None:
    cuts = sorted(data.draw(st.sets(st.integers(0, len(text)), min_size=2)))
    places = [entity(1 + units(text[:start]), units(text[start:end])) for start, end in pairwise(cuts)]
    assert load(messages.SEND, "x" + text, entities=places)["entities"] == places


def test_each_user_is_mentioned_once_and_fifty_are_the_most() -> None:
    many = list(range(1, MENTIONS_MAX + 1))
    body = load(
        messages.SEND, "abc", mentions={"user_ids": [7, 3, 7]}, entities=[entity(0, 1), entity(1, 1, 3)]
    )
    wanted = wanted_mentions(body)
    assert wanted == {"mentions": {"user_ids": [7, 3, 5], "all": False}, "entities": body["entities"]}
    load(messages.SEND, "abc", mentions={"user_ids": many}, entities=[entity(0, 1)])
    with pytest.raises(AppError) as caught:
        load(messages.SEND, "abc", mentions={"user_ids": many}, entities=[entity(0, 1, MENTIONS_MAX + 1)])
    assert list(caught.value.details or ()) == ["mentions"]


@pytest.mark.parametrize(
    "fields", [{}, {"mentions": None}, {"mentions": {}, "entities": []}, {"mentions": {"all": False}}]
)
def test_a_request_may_mention_nobody(fields: dict[str, Any]) -> None:
    assert wanted_mentions(load(messages.SEND, "abc", **fields)) is None


def mentions(*user_ids: int, all_: bool = False) -> MentionsData:
    return {"mentions": {"user_ids": list(user_ids), "all": all_}}


@pytest.mark.parametrize(
    ("before", "after", "added"),
    [
        (None, None, []),
        (None, mentions(5, 1, 6), [5, 6]),
        (mentions(5), mentions(6, 5), [6]),
        (mentions(5), None, []),
        (mentions(all_=True), mentions(5), []),
    ],
)
def test_an_edit_adds_whom_it_newly_names_but_not_the_sender(
    before: MentionsData | None, after: MentionsData | None, added: list[int]
) -> None:
    assert added_mentions(before, after, sender_id=1) == added


@pytest.mark.parametrize(
    ("type_", "role", "is_crowd", "allowed"),
    [
        ("group", "admin", False, True),
        ("group", "admin", True, False),
        ("group", "member", False, False),
        ("announcement", "admin", False, True),
        ("direct", "member", False, True),
    ],
)
def test_who_may_mention_all(type_: str, role: str, is_crowd: bool, allowed: bool) -> None:
    facts = MessageFacts("c", 1, 1, 1, "a", False, False, type_, role, False)
    if allowed:
        check_mention_all(facts, is_crowd=is_crowd)
        return
    with pytest.raises(AppError) as caught:
        check_mention_all(facts, is_crowd=is_crowd)
    assert caught.value.kind.code == "mention_all_refused"
