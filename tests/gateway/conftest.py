"""Owns the fixtures of the gateway's tests."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from gateway import telling
from tests.gateway.presence_world import PresenceWorld


@pytest.fixture
async def seen_world(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[PresenceWorld]:
    """A worker that knows presence; what it gathers, it gathers for a short while."""
    monkeypatch.setattr(telling, "INTERVAL_S", 0.03)
    monkeypatch.setattr(telling, "SPREAD_S", 0.0)
    monkeypatch.setattr(telling, "WAKE_S", 0.01)
    world = PresenceWorld()
    await world.start()
    yield world
    await world.stop()
