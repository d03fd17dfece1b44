"""Frequent events are counted at once and exported once per turn of the loop, without a loss."""

from __future__ import annotations

import asyncio

from prometheus_client import CollectorRegistry, Counter

from gateway.metrics import BatchedCounter


async def test_every_counted_event_is_exported() -> None:
    registry = CollectorRegistry()
    tally = BatchedCounter(Counter("things", "Things", registry=registry))
    for turn in range(1, 4):
        for _ in range(5):
            tally.count()
        await asyncio.sleep(0)
        assert registry.get_sample_value("things_total") == 5 * turn
