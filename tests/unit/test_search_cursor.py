"""The cursors of searches: what they carry, and that no others pass."""

from __future__ import annotations

import base64
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chat_api.search.cursor import KEPT_MAX, Position, Round, decode, encode
from chat_api.search.query import Query
from messenger_shared.contract import cursors
from messenger_shared.contract.errors import AppError
from messenger_shared.contract.identifiers import new_id
from messenger_shared.contract.operations.search import CURSOR_CHARS

ME = 1


def query(text: str = "회의", **filters: Any) -> Query:
    nothing = {"conversation_id": None, "from": None, "has": None, "after": None, "before": None}
    return Query.of({"q": text, **nothing, **filters})


ids = st.uuids().map(str)
rounds = st.builds(
    Round,
    ids,
    st.integers(1, 60_000),
    st.none() | st.tuples(ids, st.integers(1, 2**53)),
    st.lists(ids, max_size=KEPT_MAX).map(tuple),
    st.booleans(),
)
positions = st.builds(Position, st.tuples(st.integers(0, 10**17), ids), st.none() | rounds)


@given(positions)
def test_a_cursor_comes_back_as_it_was_and_is_short(position: Position) -> None:
    cursor = encode(position, query(), ME)
    assert decode(cursor, query(), ME) == position
    assert len(cursor) <= CURSOR_CHARS


@pytest.mark.parametrize(
    ("other", "caller"),
    [
        (query("회 의"), ME),
        (query(conversation_id=new_id()), ME),
        (query(**{"from": 2}), ME),
        (query(has="file"), ME),
        (query(after="2025-01-01T00:00:00+00:00"), ME),
        (query(), 2),
    ],
    ids=["words", "conversation", "sender", "file", "time", "caller"],
)
def test_a_cursor_of_another_search_is_refused(other: Query, caller: int) -> None:
    cursor = encode(Position((1, new_id()), Round()), query(), ME)
    with pytest.raises(AppError) as refused:
        decode(cursor, other, caller)
    assert refused.value.kind.code == "invalid_frame"


@given(
    st.text(max_size=40) | st.binary(max_size=200).map(lambda data: base64.urlsafe_b64encode(data).decode())
)
def test_garbage_is_refused(cursor: str) -> None:
    with pytest.raises(AppError):
        decode(cursor, query(), ME)


@given(positions, st.data())
def test_a_changed_cursor_is_refused_or_stays_within_bounds(position: Position, data: st.DataObject) -> None:
    raw = bytearray(base64.urlsafe_b64decode(encode(position, query(), ME) + "=="))
    raw[data.draw(st.integers(0, len(raw) - 1))] ^= data.draw(st.integers(1, 255))
    cut = data.draw(st.integers(0, len(raw)))
    for changed in (bytes(raw), bytes(raw[:cut])):
        try:
            found = decode(base64.urlsafe_b64encode(changed).rstrip(b"=").decode(), query(), ME)
        except AppError:
            continue
        assert abs(found.below[0]) < 10**18
        assert found.round is None or found.round.size > 0


def test_a_cursor_of_another_list_is_refused() -> None:
    with pytest.raises(AppError):
        decode(cursors.encode("messages", 5, 0), query(), ME)
