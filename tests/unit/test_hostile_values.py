"""Values that only a hostile or broken client sends: times, long lists, deep nesting, made-up cursors."""

from __future__ import annotations

import json
from contextlib import suppress
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st
from marshmallow import ValidationError

from messenger_shared.contract import cursors
from messenger_shared.contract.errors import AppError
from messenger_shared.contract.json_codec import decode_object
from messenger_shared.contract.json_salvage import MAX_DEPTH
from messenger_shared.contract.schemas.fields import MomentField, ShortDict, ShortList, UuidField, user_id

OFFSETS = st.integers(-1_439, 1_439).map(lambda minutes: timezone(timedelta(minutes=minutes)))


@given(st.datetimes(timezones=OFFSETS))
def test_a_moment_stays_the_same_moment_or_is_refused(moment: datetime) -> None:
    with suppress(ValidationError, OverflowError):
        kept = MomentField().deserialize(moment.isoformat())
        assert datetime.fromisoformat(kept) == moment
        assert datetime.fromisoformat(kept).utcoffset() == UTC.utcoffset(None)


@given(st.text())
def test_no_text_breaks_a_moment(text: str) -> None:
    with suppress(ValidationError):
        MomentField().deserialize(text)


def test_what_is_too_long_is_not_looked_into() -> None:
    with pytest.raises(ValidationError) as caught:
        ShortList(user_id(), 0, 3).deserialize([0] * 1_000)
    assert caught.value.messages == ["More than 3 items."]
    with pytest.raises(ValidationError) as caught:
        ShortDict(UuidField(), user_id(), 3).deserialize(dict.fromkeys("abcdef"))
    assert caught.value.messages == ["More than 3 keys."]
    assert ShortList(user_id(), 0, 3).deserialize([1, 2, 3]) == [1, 2, 3]


@given(st.integers(1, 300), st.booleans())
def test_what_was_decoded_can_be_encoded_again(depth: int, objects: bool) -> None:
    nested: Any = 1
    for _ in range(depth):
        nested = {"a": nested} if objects else {"a": [nested]}
    if (depth if objects else 2 * depth) <= MAX_DEPTH:
        assert orjson.dumps({"data": decode_object(json.dumps(nested))})
        return
    with pytest.raises(AppError):
        decode_object(json.dumps(nested))


def test_many_brackets_are_no_depth() -> None:
    text = json.dumps({"a": [[[]] * 5_000, "[" * 5_000]})
    assert decode_object(text) == json.loads(text)


@given(st.text(max_size=200))
def test_a_made_up_cursor_is_refused(text: str) -> None:
    with pytest.raises(AppError):
        cursors.decode(text, "messages", int, int)


@given(st.lists(st.one_of(st.integers(), st.text(), st.booleans(), st.none(), st.floats()), max_size=4))
def test_a_cursor_of_other_parts_is_refused_or_taken_apart(parts: list[Any]) -> None:
    with suppress(AppError, TypeError):
        cursor = cursors.encode("messages", *parts)
        seq, forward = cursors.decode(cursor, "messages", int, int)
        assert [type(seq), type(forward)] == [int, int]
        assert [seq, forward] == parts
    with suppress(AppError, TypeError):
        cursors.decode(cursors.encode("participants", *parts), "messages", int, int)
        pytest.fail("another list's cursor was taken")
