"""RFC 6455 with a client that keeps to it, and with one that doesn't; each case on a separate socket."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable

import pytest

from tests.conftest import SharedStack
from tests.e2e.crowd import Crowd
from tests.security.raw import BINARY, CLOSE, CONTINUATION, PING, PONG, TEXT, frame, line, upgrade, websocket

FRAME_BYTES = 131_072
GOOD = b'{"type":"ping","ref":"r","ts":"\xc3\xa9\xf0\x9f\x8d\xb5"}'
AT_MOST_S = 10.0


def sized(length: int) -> bytes:
    """Returns the text of a valid frame with this many bytes."""
    return GOOD[:-2] + b" " * (length - len(GOOD)) + GOOD[-2:]


def parts(text: bytes, size: int, between: bytes = b"") -> bytes:
    """Returns the text in fragments, joined by `between`."""
    chunks = [text[start : start + size] for start in range(0, len(text), size)] or [b""]
    frames = [
        frame(CONTINUATION if number else TEXT, chunk, fin=number == len(chunks) - 1)
        for number, chunk in enumerate(chunks)
    ]
    return between.join(frames)


TAKEN = {
    "one frame": frame(TEXT, GOOD),
    "two fragments": parts(GOOD, 20),
    "a fragment for each byte": parts(GOOD, 1),
    "a fragment without bytes first": frame(TEXT, fin=False) + frame(CONTINUATION, GOOD),
    "a fragment without bytes last": frame(TEXT, GOOD, fin=False) + frame(CONTINUATION),
    "pings between fragments": parts(GOOD, 20, frame(PING, b"x")),
    "pongs between fragments": parts(GOOD, 20, frame(PONG, b"x")),
    "a pong that nobody asked for": frame(PONG, b"x" * 125) + frame(TEXT, GOOD),
    **{f"{n} bytes": frame(TEXT, sized(n)) for n in (125, 126, 127, 128, 65_535, 65_536, FRAME_BYTES)},
    "131,072 bytes in fragments": parts(sized(FRAME_BYTES), 1_000),
}
_LATIN, _EURO = b'{"type":"ping","ts":"\xe9"}', b'{"type":"ping","ts":"\xe2\x82'
# What has to end the socket, with the code.
REFUSED = {
    **{f"reserved bit {rsv} in text": (frame(TEXT, GOOD, rsv=rsv), 1002) for rsv in (1, 2, 4)},
    **{f"reserved bit {rsv} in a ping": (frame(PING, b"x", rsv=rsv), 1002) for rsv in (1, 2, 4)},
    **{f"reserved bit {rsv} in a close": (frame(CLOSE, b"\x03\xe8", rsv=rsv), 1002) for rsv in (1, 2, 4)},
    "compressed without agreement": (frame(TEXT, b"\xaa\x56\x2a\xa9\x2c\x48\x55\xb2", rsv=4), 1002),
    **{f"opcode {n}": (frame(n, b"x"), 1002) for n in (3, 4, 5, 6, 7, 11, 12, 13, 14, 15)},
    "a continuation of nothing": (frame(CONTINUATION, GOOD), 1002),
    "a continuation after the end": (parts(GOOD, 20) + frame(CONTINUATION, GOOD), 1002),
    "text inside a fragmented text": (frame(TEXT, GOOD, fin=False) + frame(TEXT, GOOD), 1002),
    "binary inside a fragmented text": (frame(TEXT, GOOD, fin=False) + frame(BINARY, GOOD), 1002),
    "unmasked text": (frame(TEXT, GOOD, mask=False), 1002),
    "unmasked ping": (frame(PING, b"x", mask=False), 1002),
    "a ping of 126 bytes": (frame(PING, b"x" * 126), 1002),
    "a ping of 64 KiB": (frame(PING, b"x" * 65_536), 1002),
    "a fragmented ping": (frame(PING, b"x", fin=False), 1002),
    "a close of 126 bytes": (frame(CLOSE, b"\x03\xe8" + b"x" * 124), 1002),
    "a fragmented close": (frame(CLOSE, b"\x03\xe8", fin=False), 1002),
    "binary": (frame(BINARY, GOOD), 4501),
    "binary in fragments": (frame(BINARY, GOOD, fin=False) + frame(CONTINUATION, GOOD), 4501),
    "binary without bytes": (frame(BINARY), 4501),
    "latin-1": (frame(TEXT, _LATIN), 1007),
    "half a letter": (frame(TEXT, _EURO), 1007),
    "latin-1 in the second fragment": (frame(TEXT, fin=False) + frame(CONTINUATION, _LATIN), 1007),
    "an overlong slash": (frame(TEXT, b'"\xc0\xaf"'), 1007),
    "a surrogate": (frame(TEXT, b'"\xed\xa0\x80"'), 1007),
    "above the last letter": (frame(TEXT, b'"\xf4\x90\x80\x80"'), 1007),
    "131,073 bytes": (frame(TEXT, sized(FRAME_BYTES + 1)), 1009),
    "131,073 bytes in fragments": (parts(sized(FRAME_BYTES + 1), 1_000), 1009),
    "4 MiB announced": (frame(TEXT, GOOD, declared=4 * 2**20), 1009),
    "2^62 bytes announced": (frame(TEXT, GOOD, declared=2**62), 1009),
    "2^63 - 1 bytes announced after a fragment": (
        frame(TEXT, b"x", fin=False) + frame(CONTINUATION, GOOD, declared=2**63 - 1),
        1009,
    ),
    "128 KiB announced after 128 KiB": (
        frame(TEXT, b"x" * 131_000, fin=False) + frame(CONTINUATION, b"x", declared=131_000),
        1009,
    ),
    **{
        f"close with {code}": (frame(CLOSE, code.to_bytes(2)), 1002)
        for code in (0, 1, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 65_535)
    },
    "a close of one byte": (frame(CLOSE, b"\x03"), 1002),
    "a close whose reason is no text": (frame(CLOSE, b"\x03\xe8\xff\xfe"), 1007),
}
CODES = (1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 3000, 3999, 4000, 4999)


@pytest.mark.parametrize("name", TAKEN)
async def test_what_keeps_to_the_rules_is_taken(crowd: Crowd, stack: SharedStack, name: str) -> None:
    async with websocket(stack.url, crowd.newcomer().token) as socket:
        socket.send(TAKEN[name])
        answer = (await socket.next(TEXT)).body
        assert (answer["type"], answer["ref"], answer["ts"].strip()) == ("pong", "r", "é🍵")
        assert await socket.is_alive()


@pytest.mark.parametrize("name", REFUSED)
async def test_what_breaks_them_ends_the_socket_with_its_code(
    crowd: Crowd, stack: SharedStack, name: str
) -> None:
    data, code = REFUSED[name]
    async with websocket(stack.url, crowd.newcomer().token) as socket:
        socket.send(data)
        assert (await socket.next(CLOSE)).code == code
        socket.send(frame(CLOSE, code.to_bytes(2)))
        await socket.rest(AT_MOST_S)


@pytest.mark.parametrize("size", [0, 1, 125])
async def test_a_ping_is_answered_with_what_is_in_it(crowd: Crowd, stack: SharedStack, size: int) -> None:
    async with websocket(stack.url, crowd.newcomer().token) as socket:
        for number in range(10):
            socket.send(frame(PING, bytes([number]) * size))
        for number in range(10):
            assert await socket.frame() == (PONG, bytes([number]) * size)


@pytest.mark.parametrize("code", CODES)
async def test_a_close_is_answered_and_nothing_after_it_is_read(
    crowd: Crowd, stack: SharedStack, code: int
) -> None:
    async with websocket(stack.url, crowd.newcomer().token) as socket:
        socket.send(frame(CLOSE, code.to_bytes(2) + b"x" * 123), frame(TEXT, GOOD), frame(CLOSE))
        answer = await socket.frame()
        assert answer.opcode == CLOSE
        assert answer.code in (code, 1000)
        assert await socket.rest(AT_MOST_S) == b""


async def test_a_close_without_a_code_is_answered(crowd: Crowd, stack: SharedStack) -> None:
    async with websocket(stack.url, crowd.newcomer().token) as socket:
        socket.send(frame(CLOSE))
        assert (await socket.frame()).opcode == CLOSE
        assert await socket.rest(AT_MOST_S) == b""


async def test_a_frame_in_drops_of_one_byte_is_a_frame(crowd: Crowd, stack: SharedStack) -> None:
    async with websocket(stack.url, crowd.newcomer().token) as socket:
        for byte in frame(TEXT, GOOD):
            socket.send(bytes([byte]))
            await socket.writer.drain()
            await asyncio.sleep(0)
        assert (await socket.next(TEXT)).body["type"] == "pong"


async def test_who_never_answers_the_servers_close_is_gone_within_ten_seconds(
    crowd: Crowd, stack: SharedStack
) -> None:
    async with websocket(stack.url, crowd.newcomer().token) as socket:
        socket.send(frame(BINARY, b"x"))
        assert (await socket.next(CLOSE)).code == 4501
        await socket.rest(AT_MOST_S)


async def test_half_a_connection_is_none(crowd: Crowd, stack: SharedStack) -> None:
    async with websocket(stack.url, crowd.newcomer().token) as socket:
        socket.writer.write_eof()
        await socket.rest(AT_MOST_S)


@pytest.mark.parametrize(
    "offer",
    [
        b"permessage-deflate",
        b"permessage-deflate; client_max_window_bits=15; server_no_context_takeover",
        b"x-webkit-deflate-frame, mux",
    ],
)
async def test_no_extension_is_agreed_on(crowd: Crowd, stack: SharedStack, offer: bytes) -> None:
    """Fifty megabytes of zeros would be fifty kilobytes."""
    async with line(stack.url) as opened:
        opened.send(upgrade(crowd.newcomer().token, b"Sec-WebSocket-Extensions: " + offer))
        head = await opened.reader.readuntil(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 101")
        assert b"extensions" not in head.lower()


@pytest.mark.parametrize("length", [5, 125])
@pytest.mark.parametrize("size", [2, 8])
async def test_a_length_that_takes_more_bytes_than_it_has_to_harms_nobody(
    crowd: Crowd, stack: SharedStack, length: int, size: int
) -> None:
    """RFC 6455 forbids it and doesn't define the reaction: the frame may be accepted, or
    the socket closed.
    """
    async with websocket(stack.url, crowd.newcomer().token) as socket:
        socket.send(frame(TEXT, b"x" * length, size=size))
        answer = await socket.frame()
        assert answer.opcode == TEXT or answer.code == 1002


def bodies() -> dict[str, Callable[[], bytes]]:
    return {
        "nothing": lambda: b"",
        "a lone brace": lambda: b"{",
        "100,000 brackets": lambda: b"[" * 60_000,
        "a number of 5,000 digits": lambda: b'{"type":' + b"9" * 5_000 + b"}",
        "NaN": lambda: b'{"type":NaN}',
        "null": lambda: b"null",
        "a type of 60,000 letters": lambda: json.dumps({"type": "x" * 60_000}).encode(),
        "the key __proto__": lambda: b'{"__proto__":{"type":"ping"},"constructor":1}',
        "line breaks in the type": lambda: b'{"type":"x\\r\\n{\\"level\\":\\"error\\"}\\u001b[2J"}',
    }


@pytest.mark.parametrize("name", bodies())
async def test_no_text_ends_a_socket(crowd: Crowd, stack: SharedStack, name: str) -> None:
    async with websocket(stack.url, crowd.newcomer().token) as socket:
        socket.send(frame(TEXT, bodies()[name]()))
        assert await socket.is_alive()
