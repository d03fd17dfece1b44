"""Finding PostgreSQL: names are resolved without blocking the event loop, as libpq would."""

from __future__ import annotations

import asyncio
import socket
import threading
from typing import Any

import psycopg2
import pytest
from psycopg2.extensions import parse_dsn

from messenger_shared.postgres.pool import Limits, Pool
from messenger_shared.postgres.servers import Servers
from tests.waiting import LIMIT_S

NAME = "postgres.test"
# The rows of getaddrinfo, as far as they are read.
ROW = (socket.AF_INET, socket.SOCK_STREAM, 6, "")


def names(known: dict[str, list[str]], monkeypatch: pytest.MonkeyPatch) -> None:
    """Replaces the name server by one that knows these names."""

    def getaddrinfo(host: str, *_: Any, **__: Any) -> list[Any]:
        if host not in known:
            raise socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution")
        return [(*ROW, (address, 0)) for address in known[host]]

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)


async def test_the_loop_goes_on_while_the_name_server_does_not_answer(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked, answer = threading.Event(), threading.Event()

    def getaddrinfo(host: str, *_: Any, **__: Any) -> list[Any]:
        asked.set()
        assert answer.wait(10)
        return [(*ROW, ("127.0.0.1", 0))]

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    port = parse_dsn(database_url).get("port", "5432")
    pool = Pool(psycopg2.extensions.make_dsn(database_url, host=NAME, port=port), 1, "test", Limits())
    opening = asyncio.create_task(pool.open())
    try:
        async with asyncio.timeout(LIMIT_S):
            await asyncio.to_thread(asked.wait, 5)
            # The loop runs, though the name server doesn't answer.
            await asyncio.sleep(0)
        assert not opening.done()
        answer.set()
        # Nobody else knows that name: libpq didn't resolve it.
        await opening
    finally:
        answer.set()
        pool.close()


async def test_all_addresses_of_all_hosts_are_tried_with_their_ports(monkeypatch: pytest.MonkeyPatch) -> None:
    names({"a": ["10.0.0.1", "10.0.0.2"], "b": ["10.0.0.3"]}, monkeypatch)
    targets = await Servers("host=a,b port=1,2 dbname=x sslmode=verify-full").targets()
    # The names stay, since certificates are issued for them.
    found = [(target["host"], target["hostaddr"], target["port"]) for target in targets]
    places = [("a", "10.0.0.1", "1"), ("a", "10.0.0.2", "1"), ("b", "10.0.0.3", "2")]
    assert found == places * 2
    assert [target.get("target_session_attrs") for target in targets] == ["read-write"] * 3 + [None] * 3


async def test_a_host_that_nobody_knows_is_left_out_and_none_at_all_is_an_absence(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    names({"b": ["10.0.0.3"]}, monkeypatch)
    targets = await Servers("postgresql://u@a:1,b:2/x").targets()
    assert {target["hostaddr"] for target in targets} == {"10.0.0.3"}
    with pytest.raises(psycopg2.OperationalError, match="no address of the server"):
        await Servers("postgresql://u@a:1/x").targets()


@pytest.mark.parametrize(
    ("url", "target"),
    [
        ("dbname=x", {}),
        ("postgresql:///x?host=/run/postgresql", {"host": "/run/postgresql"}),
        ("host=a hostaddr=10.0.0.1 dbname=x", {"host": "a", "hostaddr": "10.0.0.1"}),
        ("host=10.0.0.1 port=5 dbname=x", {"host": "10.0.0.1", "port": "5"}),
    ],
)
async def test_what_needs_no_name_server_is_left_to_libpq(
    url: str, target: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    names({}, monkeypatch)
    assert await Servers(url).targets() == [target]
