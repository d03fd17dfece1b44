"""What hostile names, certificates, surroundings and slow servers can do. Each attack is a test."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from pathlib import Path

import pytest

from chat_api.outgoing.settings import OutgoingSettings
from chat_api.outgoing.slots import Limits
from tests.integration.tls import Authority
from tests.outgoing.servers import (
    LOOPBACK,
    OK,
    WAIT_S,
    Names,
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
