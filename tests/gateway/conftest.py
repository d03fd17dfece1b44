"""Fixtures of the gateway's tests."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from gateway.presence import fan_out
from tests.gateway.presence_world import PresenceWorld


@pytest.fixture
async def seen_world(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[PresenceWorld]:
    """Yields a gateway worker with presence, whose fan-out interval is short."""
    monkeypatch.setattr(fan_out, "FRAME_INTERVAL_S", 0.03)
    monkeypatch.setattr(fan_out, "JITTER_S", 0.0)
    monkeypatch.setattr(fan_out, "PASS_INTERVAL_S", 0.01)
    world = PresenceWorld()
    await world.start()
    yield world
    await world.stop()
