"""What happens often is counted at once and told once in a turn, all of it."""

from __future__ import annotations

import asyncio

from prometheus_client import CollectorRegistry, Counter

from gateway.metrics import Tally


async def test_nothing_that_was_counted_is_left_untold() -> None:
    registry = CollectorRegistry()
    tally = Tally(Counter("things", "Things", registry=registry))
    for turn in range(1, 4):
        for _ in range(5):
            tally.count()
        await asyncio.sleep(0)
        assert registry.get_sample_value("things_total") == 5 * turn
