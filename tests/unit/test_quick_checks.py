"""The fast path of validation accepts nothing that the schema refuses, and returns the same for the rest."""

from __future__ import annotations

import uuid
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from marshmallow import ValidationError

from messenger_shared.contract.operations import messages
from messenger_shared.contract.operations.operation import Operation
from messenger_shared.contract.operations.table import TABLE
from messenger_shared.contract.schemas.fields import CONTENT_CHARS, QueryText
from messenger_shared.contract.schemas.quick_checks import quick_check

OPERATIONS = [pytest.param(operation, id=name) for name, operation in sorted(TABLE.items())]
IDS = st.uuids().map(str)
TEXTS = st.text(st.characters(exclude_categories=()), max_size=80) | st.sampled_from(
    ["", " ", "\t\n", "\x00"]
)
VALUES: st.SearchStrategy[Any] = (
    IDS
    | IDS.map(str.upper)
    | TEXTS
    | TEXTS.map(QueryText)
    | st.sampled_from(["text", "file", "system", "admin", "direct", "x" * CONTENT_CHARS, "x" * 10_001])
    | st.integers(-(2**64), 2**64)
    | st.sampled_from([0, 1, 100, 101, 2**31, 2**53 - 1, 2**53, 2**63, 1.0, True, False, None])
    | st.lists(st.integers() | IDS, max_size=3)
    | st.dictionaries(IDS | TEXTS, st.integers(), max_size=2)
)


def slowly(operation: Operation, fields: dict[str, Any]) -> Any:
    try:
        return operation.request.load(fields)
    except ValidationError:
        return None


@pytest.mark.parametrize("operation", OPERATIONS)
@settings(max_examples=25)
@given(data=st.data())
def test_both_ways_come_to_the_same(operation: Operation, data: st.DataObject) -> None:
    fast = quick_check(operation.request)
    if fast is None:
        return
    names = st.sampled_from([*operation.request.fields, "unknown"])
    fields = data.draw(st.dictionaries(names, VALUES, max_size=10))
    found = fast.load(fields)
    if found is not None:
        expected = slowly(operation, fields)
        assert found == expected
        assert {name: type(value) for name, value in found.items()} == {
            name: type(value) for name, value in expected.items()
        }


@given(content=st.text(min_size=1, max_size=200), client_id=st.none() | st.text(min_size=1, max_size=64))
def test_a_plain_message_goes_the_fast_way(content: str, client_id: str | None) -> None:
    fast = quick_check(messages.SEND.request)
    assert fast is not None
    fields: dict[str, Any] = {"conversation_id": str(uuid.uuid4()), "content": content, "ref": "r"}
    if client_id is not None:
        fields["client_message_id"] = client_id
    expected = slowly(messages.SEND, fields)
    assert fast.load(fields) == expected


def test_rules_over_several_fields_have_no_fast_way() -> None:
    assert quick_check(messages.READ_UP_TO.request) is None
