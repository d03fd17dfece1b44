"""Decoding: whatever comes in, an object or an AppError comes out."""

import contextlib
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from messenger_shared.errors import AppError
from messenger_shared.json_codec import decode_object


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("not json", "invalid_json"),
        ("", "invalid_json"),
        ('{"a":NaN}', "invalid_json"),
        ('{"a":Infinity}', "invalid_json"),
        ('{"a":-Infinity}', "invalid_json"),
        ("[" * 100_000, "invalid_json"),
        ("null", "invalid_frame"),
        ("[]", "invalid_frame"),
        ('"x"', "invalid_frame"),
        ("1", "invalid_frame"),
        (r'{"a":"\u0000"}', "invalid_frame"),
        (r'{"a":{"b":["\u0000"]}}', "invalid_frame"),
        (r'{"\u0000":1}', "invalid_frame"),
        (r'{"a":"\ud800"}', "invalid_frame"),
        (r'{"a":"\udfff x"}', "invalid_frame"),
        (r'{"a":"\ud800", "b":NaN}', "invalid_json"),
    ],
)
def test_what_is_no_object_of_text_is_refused_by_its_code(text: str, code: str) -> None:
    with pytest.raises(AppError) as caught:
        decode_object(text)
    assert caught.value.kind.code == code


@pytest.mark.parametrize(
    "value", ["\\u0000", "😀", "a\\ud800b", "\u202e\u200d", "\ue000", "é", "e\u0301", "\u2028"]
)
def test_all_other_text_comes_back_verbatim(value: str) -> None:
    assert decode_object(json.dumps({"a": value})) == {"a": value}
    assert decode_object(json.dumps({"a": value}, ensure_ascii=False)) == {"a": value}


@given(st.one_of(st.text(), st.binary().map(lambda data: data.decode(errors="replace"))))
def test_no_text_raises_anything_else(text: str) -> None:
    with contextlib.suppress(AppError):
        decode_object(text.encode(errors="replace").decode())


@given(st.binary())
def test_no_bytes_raise_anything_else(data: bytes) -> None:
    with contextlib.suppress(AppError):
        decode_object(data)
