"""An error names the frame's `ref` if it can be read, whatever else is wrong with the frame."""

from __future__ import annotations

import json

import pytest

from tests.client import Socket
from tests.e2e.crowd import Crowd
from tests.e2e.requesting import FRAME_TYPES

# As JSON, in place of any field.
SPOILS = {
    "NUL": r'"a\u0000b"',
    "a high surrogate": r'"\ud800"',
    "a low surrogate": r'"x\udfff"',
    "surrogates in the wrong order": r'"\ude00\ud83d"',
    "101 lists": "[" * 101 + "]" * 101,
    "1,100 lists": "[" * 1_100 + "]" * 1_100,
    "lists up to the limit": "[" * 65_000 + "]" * 65_000,
    "objects up to the limit": '{"a":' * 21_000 + "1" + "}" * 21_000,
    "a surrogate very deep": "[" * 2_000 + r'"\ud800"' + "]" * 2_000,
    "a number of 5,000 digits": "9" * 5_000,
    "a power too large": "1e999",
}

# Too large for a float: a decoder makes Infinity of it.
NUMBERS = ("a number of 5,000 digits", "a power too large")


@pytest.fixture
async def socket(crowd: Crowd) -> Socket:
    return await crowd.newcomer().connect()


@pytest.mark.parametrize("name", SPOILS)
async def test_what_else_is_wrong_is_told_with_the_ref(socket: Socket, name: str) -> None:
    for number, form in enumerate(('{{"type":"ping","ref":"{0}","ts":{1}}}', '{{"x":{1},"ref":"{0}"}}')):
        await socket.send_text(form.format(number, SPOILS[name]))
        answer = await socket.expect("error", ref=str(number))
        code = "invalid_json" if name in NUMBERS else "invalid_frame"
        assert (answer["code"], answer["retryable"]) == (code, False)
    assert (await socket.request("ping"))["type"] == "pong"


@pytest.mark.parametrize("bad", ["a\0b", "\ud800"])
async def test_every_command_is_answered_with_its_ref(socket: Socket, bad: str) -> None:
    for type_ in (*FRAME_TYPES, "no.such", bad):
        await socket.send_text(json.dumps({"type": type_, "x": bad, "ref": f"of {type_!r}"}))
        answer = await socket.expect("error", ref=f"of {type_!r}")
        assert answer["code"] == "invalid_frame"


@pytest.mark.parametrize("ref", [r'"\u0000"', r'"\ud800"', r'"r\udc00"', '""', "[" * 2_000 + "]" * 2_000])
async def test_a_ref_that_can_not_be_read_is_not_echoed(socket: Socket, ref: str) -> None:
    await socket.send_text(f'{{"type":"ping","ref":{ref}}}')
    answer = await socket.expect("error")
    assert answer["code"] == "invalid_frame"
    assert "ref" not in answer


async def test_what_is_no_json_has_no_ref(socket: Socket) -> None:
    for rest in ("", "NaN}", "[" * 2_000 + "]" * 1_999 + "}", "[" * 2_000 + "]" * 2_000, r'"\ud800"'):
        await socket.send_text(f'{{"type":"ping","ref":"r","ts":{rest}')
        answer = await socket.expect("error")
        assert answer["code"] == "invalid_json"
        assert "ref" not in answer


async def test_what_comes_too_fast_is_told_with_the_ref_too(socket: Socket) -> None:
    """Twice as many as are allowed at once, each one spoilt."""
    for number in range(400):
        await socket.send_text(f'{{"type":"ping","ref":"{number}","ts":{SPOILS["NUL"]}}}')
    codes = [(await socket.expect("error", ref=str(number)))["code"] for number in range(400)]
    assert set(codes) == {"invalid_frame", "rate_limited"}
