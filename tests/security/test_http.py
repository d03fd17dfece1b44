"""HTTP that no library sends: no request is smuggled in, no check is bypassed, and nothing fails."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable
from contextlib import suppress

import pytest

from tests.conftest import SharedStack
from tests.documented import BASE_PATH
from tests.e2e.crowd import Crowd
from tests.security.raw import TEXT, frame, line, request, upgrade

QUICK_S = 2.0
# This request must not be answered: it would create a conversation.
SMUGGLED = b"POST " + BASE_PATH.encode() + b"/conversations HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer "


def smuggled(token: str) -> bytes:
    body = b'{"type":"group","title":"smuggled"}'
    return SMUGGLED + token.encode() + b"\r\nContent-Length: %d\r\n\r\n" % len(body) + body


def posting(*headers: bytes, body: bytes = b"") -> Callable[[str], bytes]:
    """Returns a request whose body, read in one of two ways, is followed by another request."""
    return lambda token: request("POST", "/conversations", token, *headers, body=body + smuggled(token))


def getting(*headers: bytes, path: str = "/conversations") -> Callable[[str], bytes]:
    return lambda token: request("GET", path, token, *headers)


TRANSFER = b"Transfer-Encoding: "
# Each has to be refused with 400 in a problem document, and the connection closed.
NO_HTTP: dict[str, Callable[[str], bytes]] = {
    "length and chunks": posting(b"Content-Length: 4", TRANSFER + b"chunked", body=b"0\r\n\r\n"),
    "two lengths": posting(b"Content-Length: 4", b"Content-Length: 5", body=b"abcde"),
    "the same length twice": posting(b"Content-Length: 4", b"Content-Length: 4", body=b"abcd"),
    "a list of lengths": posting(b"Content-Length: 4, 4", body=b"abcd"),
    "a length with a sign": posting(b"Content-Length: +4", body=b"abcd"),
    "a negative length": posting(b"Content-Length: -1", body=b"abcd"),
    "a length in hexadecimal": posting(b"Content-Length: 0x4", body=b"abcd"),
    "a length of 20 digits": posting(b"Content-Length: 99999999999999999999", body=b"abcd"),
    "chunked123": posting(TRANSFER + b"chunked123", body=b"0\r\n\r\n"),
    "xchunked": posting(TRANSFER + b"xchunked", body=b"0\r\n\r\n"),
    "chunked and then identity": posting(TRANSFER + b"chunked, identity", body=b"0\r\n\r\n"),
    "chunked behind a tab": posting(TRANSFER + b"\x0bchunked", body=b"0\r\n\r\n"),
    "a space before the colon": posting(b"Content-Length : 4", body=b"abcd"),
    "a bare CR in a header": getting(b"X: a\rContent-Length: 5"),
    "a NUL in a header": getting(b"X: a\0b"),
    "a folded header": getting(b"X: a", b" b"),
    "a header without a colon": getting(b"nonsense"),
    "a header without a name": getting(b": x"),
    "a negative chunk": posting(TRANSFER + b"chunked", body=b"-1\r\nabc\r\n0\r\n\r\n"),
    "a chunk of 0x4": posting(TRANSFER + b"chunked", body=b"0x4\r\n{}  \r\n0\r\n\r\n"),
    "chunks without CR": posting(TRANSFER + b"chunked", body=b"2\n{}\n0\n\n"),
    "10,000 headers": getting(*(b"X-%d: 1" % n for n in range(10_000))),
    "a header of 64 KiB": getting(b"X: " + b"a" * 65_536),
    "an address of 17,000 letters": getting(path="/conversations?x=" + "a" * 17_000),
    "bytes in the address": getting(path="/conversations\xff"),
    "a NUL in the method": lambda token: b"G\0T / HTTP/1.1\r\nHost: x\r\n\r\n",
    "another HTTP": lambda token: b"GET / HTTP/9.9\r\nHost: x\r\n\r\n",
    "no host": lambda token: f"GET {BASE_PATH}/conversations HTTP/1.1\r\n\r\n".encode(),
    "two hosts": getting(b"Host: evil.example"),
    "lines without CR": lambda token: f"GET {BASE_PATH}/conversations HTTP/1.1\nHost: x\n\n".encode(),
    "HTTP/2": lambda token: b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "TLS": lambda token: b"\x16\x03\x01\x02\0\x01\0\x01\xfc\x03\x03" + b"x" * 100 + b"\r\n\r\n",
}


@pytest.mark.parametrize("name", NO_HTTP)
async def test_what_is_no_http_is_refused_and_nothing_in_it_is_done(
    crowd: Crowd, stack: SharedStack, name: str
) -> None:
    user = crowd.newcomer()
    async with line(stack.url) as opened:
        begun = time.monotonic()
        opened.send(NO_HTTP[name](user.token))
        answer = await opened.rest()
        assert time.monotonic() - begun < QUICK_S
    head, _, body = answer.partition(b"\r\n\r\n")
    assert head.split()[1] == b"400"
    assert b"Content-Type: application/problem+json" in head
    problem = {"type": "about:blank", "title": "Invalid request", "status": 400, "retryable": False}
    assert json.loads(body) == problem | {"code": "invalid_frame"}
    assert (await user.get("/conversations")).body["items"] == []


async def test_a_request_in_the_body_of_an_upgrade_never_runs(crowd: Crowd, stack: SharedStack) -> None:
    user = crowd.newcomer()
    hidden = smuggled(user.token)
    for headers in ((b"Content-Length: %d" % len(hidden),), (TRANSFER + b"chunked",), ()):
        async with line(stack.url) as opened:
            opened.send(upgrade(user.token, *headers), hidden)
            answers = await opened.reader.readuntil(b"\r\n\r\n")
            with suppress(TimeoutError):
                async with asyncio.timeout(0.5):
                    while data := await opened.reader.read(2**16):
                        answers += data
            assert answers.count(b"HTTP/1.") == 1
    assert (await user.get("/conversations")).body["items"] == []


@pytest.mark.parametrize(
    "path",
    [
        *("/", "//", "//conversations", "/./conversations", "/../messenger/conversations", "/conversations/"),
        *(
            "/..;/conversations",
            "/%2e%2e/messenger/conversations",
            "/%00",
            "/conversations%00",
            "/CONVERSATIONS",
        ),
        *("/%252e%252e/conversations", "/conversations%2f", "/conversations;x=1", "/conversations%0d%0aX:1"),
        *("/admin", "/admin/users", "/debug", "/metrics", "/readyz", "/.env", "/config.json"),
    ],
)
async def test_another_way_of_writing_a_path_is_no_way_around(
    crowd: Crowd, path: str, stack: SharedStack
) -> None:
    for token in ("", crowd.newcomer().token):
        async with line(stack.url) as opened:
            opened.send(request("GET", path, token, b"Connection: close"))
            assert (await opened.rest()).split()[1] == b"404"


async def test_an_encoded_path_is_the_same_path_with_the_same_guard(crowd: Crowd, stack: SharedStack) -> None:
    for token, status in (("", b"401"), (crowd.newcomer().token, b"200")):
        async with line(stack.url) as opened:
            opened.send(request("GET", "/%63onversations", token, b"Connection: close"))
            assert (await opened.rest()).split()[1] == status


@pytest.mark.parametrize(
    ("method", "headers"),
    [
        *(("HEAD", ()), ("OPTIONS", ()), ("TRACE", ()), ("CONNECT", ()), ("PROPFIND", ()), ("get", ())),
        *(
            ("POST", (name + b": GET",))
            for name in (b"X-HTTP-Method-Override", b"X-HTTP-Method", b"X-Method-Override")
        ),
    ],
)
async def test_no_method_gets_by_the_guard(
    stack: SharedStack, method: str, headers: tuple[bytes, ...]
) -> None:
    for path in ("/conversations", "/conversations?_method=GET"):
        async with line(stack.url) as opened:
            opened.send(request(method, path, "", *headers, b"Connection: close"))
            answer = await opened.rest()
            # The methods of a path are in the published documents anyway.
            told = (b"204",) if method == "OPTIONS" else (b"400", b"401", b"404", b"405")
            assert answer.split()[1] in told
            assert b'"items"' not in answer


@pytest.mark.parametrize(
    "header",
    [
        *(b"X-Forwarded-For: 127.0.0.1", b"X-Forwarded-Proto: https", b"X-Forwarded-Host: evil.example"),
        *(b"Forwarded: for=127.0.0.1;host=evil.example;proto=https", b"X-Real-IP: 127.0.0.1"),
        *(b"X-Original-URL: /healthz", b"X-Rewrite-URL: /healthz", b"X-User-Id: 1", b"X-Forwarded-User: 1"),
    ],
)
async def test_what_a_client_says_of_itself_in_headers_changes_nothing(
    crowd: Crowd, stack: SharedStack, header: bytes
) -> None:
    user = crowd.newcomer()
    answers = []
    for headers in ((), (header,)):
        async with line(stack.url) as opened:
            opened.send(request("GET", "/conversations", "", *headers, b"Connection: close"))
            assert (await opened.rest()).split()[1] == b"401"
        async with line(stack.url) as opened:
            opened.send(request("GET", "/conversations", user.token, *headers, b"Connection: close"))
            head, _, body = (await opened.rest()).partition(b"\r\n\r\n")
            assert b"evil.example" not in head
            answers.append((head.split()[1], body))
    assert answers[0] == answers[1]


async def test_a_foreign_host_or_an_absolute_address_is_written_nowhere(
    crowd: Crowd, stack: SharedStack
) -> None:
    """No answer contains an address made from the request, so there is nothing to poison."""
    user = crowd.newcomer()
    for data in (
        f"GET https://evil.example{BASE_PATH}/conversations HTTP/1.1\r\nHost: evil.example\r\n",
        f"GET {BASE_PATH}/conversations HTTP/1.1\r\nHost: evil.example\r\n",
        "GET / HTTP/1.1\r\nHost: evil.example\r\n",
        "GET /config.json HTTP/1.1\r\nHost: evil.example\r\n",
    ):
        async with line(stack.url) as opened:
            opened.send(f"{data}Authorization: Bearer {user.token}\r\nConnection: close\r\n\r\n".encode())
            answer = await opened.rest()
            assert answer.split()[1] == b"200"
            assert b"evil" not in answer


async def test_every_answer_is_kept_from_caches_frames_and_guesses(crowd: Crowd) -> None:
    user = crowd.newcomer()
    answers = [
        await user.get("/conversations"),
        await user.get("/nowhere"),
        await user.call("GET", "/conversations", headers={"authorization": ""}),
        await user.post("/conversations", b"nope"),
    ]
    for answer in answers:
        assert answer.headers["Cache-Control"] == "no-store"
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["Referrer-Policy"] == "no-referrer"
        assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
        assert answer.headers["Server"] == "messenger"
        assert "Access-Control-Allow-Origin" not in answer.headers
        assert "Set-Cookie" not in answer.headers


async def test_a_cookie_proves_nothing(crowd: Crowd) -> None:
    user = crowd.newcomer()
    for cookie in (
        f"token={user.token}",
        f"Authorization=Bearer {user.token}",
        f"session={user.token}",
    ):
        reply = await user.call("GET", "/conversations", headers={"authorization": "", "cookie": cookie})
        assert reply.status == 401


async def test_a_line_that_is_too_long_is_told_as_documented(crowd: Crowd) -> None:
    reply = await crowd.newcomer().get(f"/presence?user_ids={'1,' * 10_000}")
    assert (reply.status, reply.body["code"]) == (400, "invalid_frame")


async def test_a_thousand_query_keys_are_looked_at_quickly(crowd: Crowd) -> None:
    user = crowd.newcomer()
    query = "&".join(f"k{n}=1" for n in range(1_000))
    begun = time.monotonic()
    assert (await user.get(f"/conversations?{query}")).status == 200
    assert time.monotonic() - begun < QUICK_S


async def test_a_body_in_chunks_of_one_byte_is_bounded_too(crowd: Crowd, stack: SharedStack) -> None:
    async with line(stack.url) as opened:
        opened.send(request("POST", "/conversations", crowd.newcomer().token, TRANSFER + b"chunked"))
        opened.send(b"1\r\nx\r\n" * (256 * 1024 + 1) + b"0\r\n\r\n")
        assert (await opened.reader.readuntil(b"\r\n\r\n")).split()[1] == b"413"


async def test_a_subprotocol_list_of_a_thousand_is_no_obstacle(crowd: Crowd, stack: SharedStack) -> None:
    offers = b", ".join(b"p%d" % n for n in range(1_000))
    async with line(stack.url) as opened:
        opened.send(upgrade(crowd.newcomer().token, b"Sec-WebSocket-Protocol: " + offers))
        assert (await opened.reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 101")
        assert (await opened.frame()).body["event"] == "connected"
        opened.send(frame(TEXT, b'{"type":"ping"}'))
        assert (await opened.next(TEXT)).body["type"] == "pong"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *(("Sec-WebSocket-Version", value) for value in ("", "0", "12", "14", "x", "9" * 40)),
        *(("Sec-WebSocket-Key", value) for value in ("", "short", "!" * 24, "AAAA", "A" * 1_000)),
        *(("Connection", value) for value in ("close", "keep-alive", "x")),
    ],
)
async def test_half_an_upgrade_opens_nothing(crowd: Crowd, stack: SharedStack, name: str, value: str) -> None:
    good = upgrade(crowd.newcomer().token).split(b"\r\n")
    bad = [f"{name}: {value}".encode() if row.startswith(name.encode() + b":") else row for row in good]
    async with line(stack.url) as opened:
        opened.send(b"\r\n".join(bad))
        status = (await opened.reader.readuntil(b"\r\n\r\n")).split()[1]
        assert status in (b"400", b"426")


async def test_slow_bodies_cost_their_senders_a_408_and_nobody_else_anything(
    crowd: Crowd, stack: SharedStack
) -> None:
    """Two hundred clients begin a body and don't finish it."""
    slow, other = crowd.newcomers(2)
    socket = await other.connect()
    head = request("POST", "/conversations", slow.token, b"Content-Length: 1000", body=b"{")

    async def crawl() -> bytes:
        async with line(stack.url) as opened:
            opened.send(head)
            return (await asyncio.wait_for(opened.reader.readuntil(b"\r\n\r\n"), 20)).split()[1]

    crawling = [asyncio.create_task(crawl()) for _ in range(200)]
    for _ in range(20):
        assert (await socket.request("ping"))["type"] == "pong"
        assert (await other.get("/stats")).status == 200
    assert set(await asyncio.gather(*crawling)) == {b"408"}
