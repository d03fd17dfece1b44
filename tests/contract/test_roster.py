"""The roster drops a silent worker, but not one that this process had no time to hear."""

from __future__ import annotations

import time

import orjson
import pytest

from messenger_shared.bus import channels
from messenger_shared.bus.memory_bus import MemoryBroker, MemoryBus
from messenger_shared.rpc import workers
from messenger_shared.rpc.workers import Roster
from tests.waiting import POLL_S, until


async def test_who_itself_stood_still_takes_nobody_for_gone_and_then_whoever_is_silent(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(workers, "DEAD_AFTER_S", 0.3)
    monkeypatch.setattr(workers, "STALL_S", 10 * POLL_S)
    gone: list[str] = []
    broker = MemoryBroker()
    bus = MemoryBus(broker, "caller")
    broker.buses.append(bus)
    roster = Roster(bus, "echo", gone.append)
    await roster.start()
    bus.publish(channels.workers("echo"), orjson.dumps({"worker": "w", "state": "alive"}))
    await until(lambda: len(roster) == 1)
    roster.drop_silent()
    # Stands for a machine that has no time for this process.
    time.sleep(2 * workers.DEAD_AFTER_S)  # noqa: ASYNC251
    roster.drop_silent()
    assert gone == []

    def is_gone() -> bool:
        roster.drop_silent()
        return gone == ["w"]

    await until(is_gone)
