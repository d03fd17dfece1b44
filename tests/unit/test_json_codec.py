"""Decoding: any input gives an object or an AppError."""

import contextlib
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from messenger_shared.contract.errors import AppError
from messenger_shared.contract.json_codec import RejectedObject, decode_object


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
        ('{"a":' + "[" * 5_000 + "]" * 5_000 + "}", "invalid_frame"),
        ('{"a":' + "[" * 5_000 + "]" * 4_999 + "}", "invalid_json"),
        ('{"a":' + "[" * 5_000 + "]" * 5_001 + "}", "invalid_json"),
        ('{"a":' + "[" * 5_000 + '"' + "]" * 5_000 + "}", "invalid_json"),
        ('{"a":' + "[" * 5_000 + "]" * 5_000 + ",}", "invalid_json"),
        ("[" * 5_000 + "]" * 5_000, "invalid_frame"),
        ('{"a":1e400}', "invalid_json"),
        ("[1e400]", "invalid_json"),
        ('{"a":' + "9" * 5_000 + "}", "invalid_json"),
        ('{"a":' + "9" * 5_000 + ",}", "invalid_json"),
        ('{"a":"\x01","b":"\\ud800"}', "invalid_json"),
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


# What makes an object invalid though it is JSON.
SPOILS = {
    "NUL": r'"\u0000"',
    "a high surrogate": r'"a\ud800b"',
    "a low surrogate": r'"\udfff"',
    "surrogates in the wrong order": r'"\ude00\ud83d"',
    "a surrogate behind a pair": r'"\ud83d\ude00\ud83d"',
    "a surrogate behind a backslash": r'"\\\ud800"',
    "100 levels and more": "[" * 101 + "]" * 101,
    "600 levels and a surrogate": "[" * 600 + r'"\ud800"' + "]" * 600,
    "thousands of lists": "[" * 9_000 + "]" * 9_000,
    "thousands of objects": '{"a":' * 9_000 + "1" + "}" * 9_000,
    "thousands of both, with brackets in texts": '[{"]}":"[{",  "a" :' * 3_000 + '"}"' + "}]" * 3_000,
    "a number without end": "9" * 5_000,
    "a fraction without end": "0." + "9" * 5_000 + "e999",
    "a power too large": "-1e400",
    "a number without end, very deep": "[" * 5_000 + "9" * 5_000 + "]" * 5_000,
}


@pytest.mark.parametrize("name", SPOILS)
@pytest.mark.parametrize("form", ['{{"x":{0},"ref":"a\\\\\\"[é"}}', '{{"ref":"a\\\\\\"[é" , "x" : {0} }}'])
def test_what_is_refused_for_one_field_can_be_named_by_another(name: str, form: str) -> None:
    with pytest.raises(RejectedObject) as caught:
        decode_object(form.format(SPOILS[name]))
    large = name in ("a number without end", "a fraction without end", "a power too large")
    assert caught.value.kind.code == ("invalid_json" if large else "invalid_frame")
    assert caught.value.fields["ref"] == 'a\\"[é'


def test_a_pair_of_surrogates_is_no_lone_one_also_beside_one() -> None:
    with pytest.raises(RejectedObject) as caught:
        decode_object(r'{"x":"\ud800","ref":"\ud83d\ude00 \\ud800 \\"}')
    assert caught.value.fields["ref"] == "😀 \\ud800 \\"


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(st.characters(exclude_categories=())),
    lambda children: st.lists(children, max_size=4) | st.dictionaries(st.text(), children, max_size=4),
)


@given(JSON, st.integers(0, 2_000), st.booleans())
def test_every_object_is_decoded_or_refused_with_its_ref(value: object, depth: int, escaped: bool) -> None:
    text = json.dumps({"ref": "r"})[:-1] + f', "x": {"[" * depth}{json.dumps(value)}{"]" * depth}}}'
    if not escaped:
        text = text.replace("\\ud83d", "x")
    try:
        fields = decode_object(text)
    except RejectedObject as error:
        fields = error.fields
    assert fields["ref"] == "r"
