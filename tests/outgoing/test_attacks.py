"""What hostile servers, names and networks can do to requests to the outside. Each attack is a test."""

from __future__ import annotations

import asyncio
import contextlib
import gzip
import logging
from pathlib import Path

import pytest

from chat_api.outgoing import client as module
from chat_api.outgoing.client import BODY_BYTES
from chat_api.outgoing.settings import OutgoingSettings
from chat_api.outgoing.slots import Limits
from tests.integration.tls import Authority
from tests.outgoing.servers import (
    LOOPBACK,
    OK,
    WAIT_S,
    Names,
    Script,
    client_with,
    failure,
    post,
    repeating,
    saying,
    serving,
    trusting,
)
from tests.waiting import until

METADATA = "169.254.169.254"
# For a server that never ends: long enough to see that it goes on.
SOON_S = 0.3


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"), "ours")


async def failure_of(script: Script, timeout_s: float = WAIT_S) -> str:
    async with serving(script) as server, client_with() as client:
        return await failure(client, server.url, timeout_s)


async def test_a_name_of_a_private_address_is_refused(names: Names) -> None:
    private = [
        "10.0.0.1",
        METADATA,
        "127.0.0.1",
        "::1",
        "fd00:ec2::254",
        "::ffff:127.0.0.1",
        "64:ff9b::a00:1",
    ]
    async with client_with(OutgoingSettings()) as client:
        for number, address in enumerate(private):
            names.answers[f"{number}.example"] = [[address]]
            names.answers[f"mixed-{number}.example"] = [["93.184.216.34", address]]
            assert await failure(client, f"https://{number}.example/") == "refused_address"
            # An address beside it that is fine changes nothing.
            assert await failure(client, f"https://mixed-{number}.example/") == "refused_address"


async def test_dns_rebinding(names: Names, authority: Authority) -> None:
    names.answers["rebinding.example"] = [["127.0.0.1"], [METADATA]]
    context = authority.issue("rebinding.example")
    settings = trusting(authority.file, "127.0.0.0/8")
    async with serving(saying(OK, then_closes=True), context) as server, client_with(settings) as client:
        url = server.tls_url("rebinding.example")
        assert (await post(client, url)).status == 200
        # One look-up for check and connection together. The next connection has its own.
        assert names.asked == ["rebinding.example"]
        assert await failure(client, url) == "refused_address"
        assert (server.connections, len(names.asked)) == (1, 2)


async def test_a_redirect_to_the_metadata_server_is_not_followed(names: Names) -> None:
    head = f"HTTP/1.1 302 Found\r\nLocation: http://{METADATA}/latest/\r\nContent-Length: 0\r\n\r\n".encode()
    async with serving(saying(head)) as server, client_with() as client:
        answer = await post(client, server.url)
        assert (answer.status, answer.headers, len(server.requests), names.asked) == (302, {}, 1, [])


async def test_a_drip_of_a_byte_ends_at_the_deadline() -> None:
    drips = [
        repeating(b"", b"H", 0.01),
        repeating(b"HTTP/1.1 200 OK\r\nX: ", b"a", 0.01),
        repeating(b"HTTP/1.1 200 OK\r\nContent-Length: 99999\r\n\r\n", b"a", 0.01),
        repeating(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"1\r\na\r\n", 0.01),
    ]
    assert [await failure_of(drip, SOON_S) for drip in drips[1:]] == ["timeout"] * 3
    # No status line begins so.
    assert await failure_of(drips[0], SOON_S) == "protocol"


async def test_a_silent_server_ends_at_the_deadline(monkeypatch: pytest.MonkeyPatch) -> None:
    assert await failure_of(repeating(b"", b"", 0.05), SOON_S) == "timeout"
    monkeypatch.setattr(module, "IDLE_S", SOON_S)
    assert await failure_of(repeating(b"HTTP/1.1 200 OK\r\n", b"", 0.05)) == "timeout"


async def test_endless_headers() -> None:
    start = b"HTTP/1.1 200 OK\r\n"
    for endless in (b"X-Y: z\r\n", b"a" * 1_000, b"X: " + b"a" * 65_536 + b"\r\n", b" folded\r\n"):
        assert await failure_of(repeating(start, endless)) == "protocol"
    assert await failure_of(repeating(b"HTTP/1.1 200 ", b"long reason ")) == "protocol"


async def test_an_endless_body_is_read_to_the_limit_and_its_connection_closed() -> None:
    for head, part in (
        (b"HTTP/1.1 200 OK\r\n\r\n", b"a" * 65_536),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 9999999999\r\n\r\n", b"a" * 65_536),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"3\r\naaa\r\n"),
    ):
        async with serving(repeating(head, part)) as server, client_with() as client:
            answer = await post(client, server.url)
            assert (answer.status, answer.body, answer.is_cut) == (200, b"a" * BODY_BYTES, True)
            # The server can't send on.
            await until(lambda server=server: not server.running)


async def test_endless_chunk_extensions() -> None:
    head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1;"
    assert await failure_of(repeating(head, b"a" * 65_536)) == "protocol"
    trailers = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n"
    assert await failure_of(repeating(trailers, b"X: y\r\n" * 100)) == "protocol"


async def test_a_flood_of_interim_answers() -> None:
    for interim in (b"HTTP/1.1 100 Continue\r\n\r\n", b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n"):
        assert await failure_of(repeating(b"", interim * 100)) == "protocol"
    # One is fine.
    async with serving(saying(b"HTTP/1.1 100 Continue\r\n\r\n", OK)) as server, client_with() as client:
        assert (await post(client, server.url)).body == b"ok"


async def test_a_gzip_bomb_is_never_unpacked() -> None:
    bomb = gzip.compress(bytes(10_000_000))
    for encoding in (b"gzip", b"deflate", b"br", b"zstd", b"gzip, gzip"):
        head = b"HTTP/1.1 200 OK\r\nContent-Encoding: %b\r\nContent-Length: %d\r\n\r\n" % (
            encoding,
            len(bomb),
        )
        async with serving(saying(head, bomb)) as server, client_with() as client:
            answer = await post(client, server.url)
            assert (answer.body, answer.is_cut) == (bomb[:BODY_BYTES], True)
            assert b"\r\naccept-encoding: identity\r\n" in server.requests[0].lower()


async def test_a_wrong_content_length() -> None:
    head = b"HTTP/1.1 200 OK\r\nContent-Length: "
    assert await failure_of(saying(head, b"10\r\n\r\nshort", then_closes=True)) == "protocol"
    for length in (
        b"-1",
        b"0x10",
        b"1, 2",
        b"2\r\nContent-Length: 3",
        b"99999999999999999999999",
        b"+2",
        b"",
    ):
        assert await failure_of(saying(head, length, b"\r\n\r\nok", then_closes=True)) == "protocol", length
    assert await failure_of(saying(head, b"2\r\n\r\nok and more")) == "protocol"


async def test_garbage_that_may_smuggle_an_answer() -> None:
    chunked = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n"
    for garbage in (
        b"\x00\x01\x02\r\n\r\n",
        b"SSH-2.0-OpenSSH_9.9\r\n\r\n",
        b"HTTP/9.9 200 OK\r\n\r\n",
        b"HTTP/1.1 20 OK\r\n\r\n",
        b"HTTP/1.1 999 OK\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: a\r\nConnection: upgrade\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\x00\r\n\r\nok",
        b"HTTP/1.1 200 OK\r\nX\x00Y: z\r\n\r\n",
        chunked + b"Content-Length: 5\r\n\r\n0\r\n\r\n" + OK,
        chunked + b"\r\nxyz\r\n",
        chunked + b"\r\n-1\r\n",
        chunked + b"\r\nfffffffffffffffff\r\n",
    ):
        async with serving(saying(garbage, then_closes=True)) as server, client_with() as client:
            assert await failure(client, server.url) == "protocol", garbage
            assert len(server.requests) == 1


async def test_an_answer_sent_in_advance_is_not_the_next_request_s() -> None:
    async with serving(saying(OK, OK.replace(b"200", b"500"))) as server, client_with() as client:
        assert [(await post(client, server.url)).status for _ in range(3)] == [200] * 3


async def test_a_reset_connection() -> None:
    async def reset(writer: asyncio.StreamWriter) -> None:
        writer.transport.abort()
        raise EOFError

    assert await failure_of(reset) == "connect"
    assert await failure_of(saying(b"HTTP/1.1 200 OK\r\n", then_closes=True)) == "connect"
    async with serving(reset) as server:
        url = server.url
    async with client_with() as client:
        assert await failure(client, url) == "connect"


async def test_an_unknown_name(names: Names) -> None:
    async with client_with() as client:
        assert await failure(client, "https://unknown.example/") == "dns"


async def test_tls_with_a_wrong_name_an_expired_and_an_unknown_certificate(
    authority: Authority, tmp_path: Path, names: Names
) -> None:
    names.answers = {"hooks.example": [["127.0.0.1"]], "xn--bcher-kva.example": [["127.0.0.1"]]}
    settings = trusting(authority.file, "127.0.0.0/8")
    unknown = Authority(tmp_path, "unknown")
    for context in (
        authority.issue("other.example"),
        authority.issue("hooks.example", has_expired=True),
        unknown.issue("hooks.example"),
    ):
        async with serving(saying(OK), context) as server, client_with(settings) as client:
            assert await failure(client, server.tls_url("hooks.example")) == "tls"
            assert server.requests == []
    async with (
        serving(saying(OK), authority.issue("hooks.example")) as server,
        client_with(settings) as client,
    ):
        assert (await post(client, server.tls_url("Hooks.example"))).status == 200
    context = authority.issue("xn--bcher-kva.example")
    async with serving(saying(OK), context) as server, client_with(settings) as client:
        assert (await post(client, server.tls_url("bücher.example"))).status == 200
    # Without the setting, the authority isn't known.
    known_to_nobody = OutgoingSettings(networks=settings.networks)
    async with serving(saying(OK), context) as server, client_with(known_to_nobody) as client:
        assert await failure(client, server.tls_url("bücher.example")) == "tls"


async def test_no_tls_where_it_was_expected_and_a_handshake_that_never_ends(
    authority: Authority, names: Names
) -> None:
    names.answers = {"hooks.example": [["127.0.0.1"]]}
    settings = trusting(authority.file, "127.0.0.0/8")

    for text, expected, timeout_s in ((b"HTTP/1.1 400 \r\n\r\n", "tls", WAIT_S), (b"", "timeout", SOON_S)):

        async def answer(
            reader: asyncio.StreamReader, writer: asyncio.StreamWriter, text: bytes = text
        ) -> None:
            with contextlib.suppress(OSError), contextlib.closing(writer):
                writer.write(text)
                # Until the client gives up.
                await reader.read()

        server = await asyncio.start_server(answer, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        async with server, client_with(settings) as client:
            assert await failure(client, f"https://hooks.example:{port}/", timeout_s) == expected


async def test_proxy_variables_and_passwords_of_other_programs_have_no_effect(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login user password secret\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    for name in ("http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    async with serving(saying(OK)) as server, client_with() as client:
        assert (await post(client, server.url)).status == 200
        assert b"authorization" not in server.requests[0].lower()


async def test_cookies_are_neither_kept_nor_sent() -> None:
    cookie = b"HTTP/1.1 200 OK\r\nSet-Cookie: a=b; Path=/\r\nContent-Length: 0\r\n\r\n"
    async with serving(saying(cookie)) as server, client_with() as client:
        for _ in range(2):
            assert (await post(client, server.url)).headers == {}
        assert not any(b"cookie" in request.lower() for request in server.requests)


async def test_logs_have_no_paths_tokens_or_headers(
    caplog: pytest.LogCaptureFixture, names: Names, authority: Authority
) -> None:
    caplog.set_level(logging.DEBUG)
    names.answers = {"hooks.example": [["127.0.0.1"]], "private.example": [["10.0.0.1"]]}
    names.answers["localhost"] = [["127.0.0.1"]]
    settings = trusting(authority.file, "127.0.0.0/8")
    async with (
        serving(repeating(b"", b"", 0.01), authority.context) as server,
        client_with(settings) as client,
    ):
        for host in ("hooks.example", "private.example", "unknown.example", "localhost"):
            await failure(client, f"https://{host}:{server.port}/secret-path?token=secret", SOON_S)
        await failure(client, "https://user:secret@hooks.example/secret-path")
    assert "https://private.example:" in caplog.text
    for secret in ("secret", "webhook-signature", "c2VjcmV0", "user:"):
        assert secret not in caplog.text


async def test_requests_at_once_are_bounded_for_each_host_and_for_all() -> None:
    limits = Limits(running=3, per_host=2, waiting=4, wait_s=SOON_S)
    release = asyncio.Event()

    async def held(writer: asyncio.StreamWriter) -> None:
        await release.wait()
        writer.write(OK)

    async with serving(held) as server, client_with(LOOPBACK, limits) as client:
        one = [asyncio.create_task(post(client, server.url)) for _ in range(2)]
        await until(lambda: len(server.requests) == 2)
        # Another host has slots of its own.
        assert await failure(client, server.url.replace("127.0.0.1", "127.0.0.2")) == "connect"
        assert await failure(client, server.url) == "too_busy"
        more = [asyncio.create_task(failure(client, server.url)) for _ in range(4)]
        await asyncio.sleep(0)
        # Nobody else may wait.
        assert await failure(client, server.url) == "too_busy"
        assert await asyncio.gather(*more) == ["too_busy"] * 4
        assert server.connections == 2
        release.set()
        assert [answer.status for answer in await asyncio.gather(*one)] == [200] * 2
        assert (await post(client, server.url)).status == 200


async def test_connections_that_wait_for_the_next_request_are_bounded() -> None:
    async with (
        contextlib.AsyncExitStack() as open_,
        client_with(LOOPBACK, Limits(running=1, idle=1)) as client,
    ):
        servers = [await open_.enter_async_context(serving(saying(OK))) for _ in range(4)]
        for server in servers:
            assert (await post(client, server.url)).status == 200
        await until(lambda: sum(len(server.running) for server in servers) == 2)
        # The last of them are there still.
        assert (await post(client, servers[0].url)).status == 200
        assert [server.connections for server in servers] == [1, 1, 1, 1]
