"""The seed's scenario of errors: its texts byte for byte, and what PROTOCOL 2 adds to them."""

from __future__ import annotations

import json
from typing import Any, NamedTuple

import pytest

from tests.client import Frame, Socket, User
from tests.e2e.crowd import Crowd

INVALID_JSON = {"type": "error", "message": "Invalid JSON format", "code": "invalid_json", "retryable": False}
INVALID_ID = {
    "type": "error",
    "message": "Invalid conversation_id format",
    "code": "invalid_conversation_id",
    "retryable": False,
}


class Place(NamedTuple):
    """A member's socket and their conversation."""

    user: User
    socket: Socket
    room: str


@pytest.fixture
async def place(crowd: Crowd) -> Place:
    """The place where tests cause errors."""
    user = crowd.newcomer()
    room = await user.create_group()
    return Place(user, await user.connect(), room)


async def answer_to(place: Place, text: str) -> Frame:
    """Returns the answer to the raw frame `text`; checks that there is only one."""
    before = len(place.socket.frames)
    await place.socket.send_text(text)
    pong = await place.socket.request("ping")
    answer, last = place.socket.frames[before:]
    assert last is pong
    return answer


@pytest.mark.parametrize(
    "text",
    [
        "nope",
        "",
        "{",
        '{"type":"ping",}',
        "{'type':'ping'}",
        '{"type":"ping"} {}',
        '{"type":"ping","ts":NaN}',
        '{"type":"ping","ts":Infinity}',
        '{"type":"ping","ts":-Infinity}',
        '{"type":"ping","ts":01}',
        '{"type":"ping","ref":"a\tb"}',
        '{"type":"ping","ref":"r"',
    ],
)
async def test_what_is_no_json_gets_the_seeds_text(place: Place, text: str) -> None:
    assert await answer_to(place, text) == INVALID_JSON


COMMANDS = ("subscribe", "unsubscribe", "message.send", "typing.start", "typing", "typing.stop")


@pytest.mark.parametrize("command", COMMANDS)
async def test_a_bad_conversation_id_gets_the_seeds_text(place: Place, command: str) -> None:
    room = place.room
    bad_ids: list[Any] = ["", "abc", "1", 7, 1.5, True, None, [], {}, room[:-1], room + "0", f" {room}"]
    for bad in bad_ids:
        frame = {"type": command, "conversation_id": bad, "content": "x"}
        assert await answer_to(place, json.dumps(frame)) == INVALID_ID, bad
        assert await answer_to(place, json.dumps({**frame, "ref": "q"})) == {**INVALID_ID, "ref": "q"}
    assert await answer_to(place, json.dumps({"type": command, "content": "x"})) == INVALID_ID


async def test_an_unknown_type_is_silent_without_a_ref_and_an_error_with_one(place: Place) -> None:
    for type_ in ("no.such", "", "connected", "message.new", "error"):
        await place.socket.send(type_)
        answer = await place.socket.request(type_)
        assert (answer["type"], answer["code"], answer["retryable"]) == ("error", "unknown_type", False)
    assert len(place.socket.collected("error")) == 5


@pytest.mark.parametrize(
    "text",
    [
        "[]",
        "5",
        "null",
        '"ping"',
        "{}",
        '{"a":1}',
        '{"type":5}',
        '{"type":null}',
        '{"type":"ping","ref":""}',
        '{"type":"ping","ref":5}',
        '{"type":"ping","ref":null}',
        '{"type":"ping","ref":["r"]}',
        json.dumps({"type": "ping", "ref": "x" * 65}),
        '{"type":"ping","ts":"a\\u0000b"}',
        '{"type":"ping","ts":{"a":["\\ud800"]}}',
        '{"type":"ping","\\udc00":1}',
        '{"type":"ping","ts":"\\ude00\\ud83d"}',
        '{"type":"pi\\u0000ng"}',
    ],
)
async def test_what_is_no_frame_is_an_invalid_frame_without_ref(place: Place, text: str) -> None:
    answer = await answer_to(place, text)
    assert (answer["type"], answer["code"], answer["retryable"]) == ("error", "invalid_frame", False)
    assert "ref" not in answer


async def test_a_ref_of_64_characters_is_echoed(place: Place) -> None:
    for ref in ("x", "é" * 64, "😀" * 64):
        await place.socket.send("ping", ref=ref)
        await place.socket.expect("pong", ref=ref)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("content", ""),
        ("content", " \t\n\u3000"),
        ("content", None),
        ("content", 5),
        ("content", ["x"]),
        ("message_type", "system"),
        ("message_type", "poem"),
        ("message_type", 1),
        ("client_message_id", ""),
        ("client_message_id", "x" * 65),
        ("client_message_id", 5),
        ("reply_to", "abc"),
        ("reply_to", 5),
        ("file_url", "ftp://example.org/a"),
        ("file_url", "javascript:alert(1)"),
        ("file_url", "http://example.org/" + "a" * 2_048),
        ("file_name", "x" * 256),
        ("file_size", -1),
        ("file_size", "12"),
        ("file_size", True),
    ],
)
async def test_a_bad_field_of_a_message_is_told_in_details(place: Place, field: str, value: Any) -> None:
    body = {"conversation_id": place.room, "content": "x", field: value}
    answer = await place.socket.request("message.send", **body)
    assert (answer["type"], answer.get("code")) == ("error", "invalid_frame")
    assert list(answer["details"]) == [field]
    assert all(isinstance(text, str) for text in answer["details"][field])


async def test_a_message_without_content_is_told_in_details(place: Place) -> None:
    answer = await place.socket.request("message.send", conversation_id=place.room)
    assert (answer["code"], list(answer["details"])) == ("invalid_frame", ["content"])


@pytest.mark.parametrize("letter", ["x", "é", "字", "😀"])
async def test_ten_thousand_code_points_pass_and_one_more_is_too_long(place: Place, letter: str) -> None:
    sent = await place.socket.request("message.send", conversation_id=place.room, content=letter * 10_000)
    assert sent["data"]["content"] == letter * 10_000
    answer = await place.socket.request("message.send", conversation_id=place.room, content=letter * 10_001)
    assert (answer["type"], answer["code"], answer["retryable"]) == ("error", "message_too_long", False)
    history = await place.user.get(f"/conversations/{place.room}/messages")
    assert [message["seq"] for message in history.body["items"]] == [1]


@pytest.mark.parametrize("letter", ["x", "한", "😀"])
async def test_ten_thousand_code_points_fit_however_they_are_escaped(place: Place, letter: str) -> None:
    """A client's JSON may write each character as an escape, an emoji as two."""
    units = letter.encode("utf-16-be")
    escaped = "".join(f"\\u{units[at : at + 2].hex()}" for at in range(0, len(units), 2))
    path, texts = f"/conversations/{place.room}/messages", (letter * 10_000, letter * 10_001)
    for text, code in zip(texts, (None, "message_too_long"), strict=True):
        body = json.dumps({"content": "-", "client_message_id": str(len(text))})
        body = body.replace("-", escaped * len(text), 1)
        frame = f'{{"type":"message.send","ref":"{len(text)}","conversation_id":"{place.room}",{body[1:]}'
        await place.socket.send_text(frame)
        ref = str(len(text))
        answer = await place.socket.wait(lambda found, ref=ref: found.get("ref") == ref)
        reply = await place.user.call("POST", path, body=body.encode())
        if code is None:
            assert answer["data"]["content"] == reply.body["content"] == text
            assert reply.body["id"] == answer["message_id"]
        else:
            assert answer["code"] == reply.body["code"] == code


async def test_odd_text_comes_back_as_it_was(place: Place) -> None:
    for text in (
        "a\u0301" * 50,
        "\u202eabc\u200f",
        "  x  ",
        "<b>&amp;",
        "\ufeffx",
        "e\r\n\tf",
        "\x7f\x1b[31m",
        "'; --",
    ):
        sent = await place.socket.request("message.send", conversation_id=place.room, content=text)
        assert sent["data"]["content"] == text
    history = await place.user.get(f"/conversations/{place.room}/messages", after_seq=0)
    assert "".join(m["content"] for m in history.body["items"]).startswith("a\u0301a\u0301")


def padded(size: int) -> str:
    """Returns a ping of exactly `size` bytes."""
    frame = json.dumps({"type": "ping", "ts": ""})
    return frame.replace('""', f'"{"x" * (size - len(frame))}"')


async def test_a_frame_of_131072_bytes_passes_and_one_more_closes_with_1009(place: Place) -> None:
    await place.socket.send_text(padded(131_072))
    pong = await place.socket.expect("pong")
    assert len(pong["ts"]) > 131_000
    await place.socket.send_text(padded(131_073))
    assert (await place.socket.wait_end()).code == 1009


async def test_a_binary_frame_closes_with_4501_and_a_reason(place: Place) -> None:
    await place.socket.ws.send_bytes(b'{"type":"ping"}')
    ended = await place.socket.wait_end()
    assert ended.code == 4501
    assert isinstance(json.loads(ended.reason)["code"], str)


async def test_a_deeply_nested_frame_is_refused_and_the_socket_lives_on(place: Place) -> None:
    for text in ("[" * 20_000 + "]" * 20_000, '{"type":"ping","ts":' + "[" * 9_000 + "]" * 9_000 + "}"):
        answer = await answer_to(place, text)
        assert answer.get("code") in ("invalid_json", "invalid_frame"), answer["type"]
