"""The promises of a bus, tested over memory and over a real Valkey."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest

from messenger_shared.bus.interface import Bus
from messenger_shared.bus.memory_bus import MemoryBroker, MemoryBus
from messenger_shared.bus.redis_bus import RedisBus
from tests.waiting import eventually, until

MakeBus = Callable[[], Awaitable[Bus]]


@pytest.fixture(params=["memory", "redis", "two redis addresses"])
async def make_bus(request: pytest.FixtureRequest) -> AsyncIterator[MakeBus]:
    broker = MemoryBroker()
    started: list[Bus] = []

    async def make() -> Bus:
        worker = f"w-{uuid.uuid4()}"
        if request.param == "memory":
            bus: Bus = MemoryBus(broker, worker)
        else:
            url = request.getfixturevalue("valkey_url")
            bus = RedisBus([url] if request.param == "redis" else [url, url], worker)
        await bus.start()
        started.append(bus)
        return bus

    yield make
    for bus in started:
        await bus.stop()


def channel() -> str:
    return f"test:{uuid.uuid4()}"


async def test_a_subscriber_gets_what_is_published_in_order(make_bus: MakeBus) -> None:
    one, other, name = await make_bus(), await make_bus(), channel()
    got: list[bytes] = []
    await one.subscribe([name], got.append)
    sent = [b"%d" % n for n in range(500)]
    for payload in sent:
        other.publish(name, payload)
    await until(lambda: len(got) == len(sent))
    assert got == sent


async def test_a_publisher_hears_his_own_messages(make_bus: MakeBus) -> None:
    bus, name = await make_bus(), channel()
    got: list[bytes] = []
    await bus.subscribe([name], got.append)
    bus.publish(name, b"\x00binary\xff\r\n")
    await until(lambda: got)
    assert got == [b"\x00binary\xff\r\n"]


async def test_the_receipt_counts_who_was_reached(make_bus: MakeBus) -> None:
    one, other, name = await make_bus(), await make_bus(), channel()
    counts: list[int | None] = []
    one.publish(name, b"", counts.append)
    await until(lambda: counts == [0])
    await one.subscribe([name], lambda payload: None)
    await other.subscribe([name], lambda payload: None)
    one.publish(name, b"", counts.append)
    await until(lambda: counts == [0, 2])


async def test_nothing_comes_after_unsubscribing(make_bus: MakeBus) -> None:
    bus, name, still = await make_bus(), channel(), channel()
    got: list[bytes] = []
    await bus.subscribe([name, still], got.append)
    bus.unsubscribe([name])
    counts: list[int | None] = []
    bus.publish(name, b"gone")
    bus.publish(still, b"here", counts.append)
    await until(lambda: counts and got)
    assert got == [b"here"]


async def test_a_handler_that_raises_costs_nobody_anything(
    make_bus: MakeBus, caplog: pytest.LogCaptureFixture
) -> None:
    bus, bad, good = await make_bus(), channel(), channel()
    got: list[bytes] = []

    def fail(payload: bytes) -> None:
        raise ValueError(payload)

    await bus.subscribe([bad], fail)
    await bus.subscribe([good], got.append)
    bus.publish(bad, b"x")
    bus.publish(good, b"y")
    await until(lambda: got)
    assert "failed" in caplog.text


async def test_a_stopped_bus_is_not_ready_and_reaches_nobody(make_bus: MakeBus) -> None:
    one, other, name = await make_bus(), await make_bus(), channel()
    await one.subscribe([name], lambda payload: None)
    await one.stop()
    assert not one.ready

    async def reaches_nobody() -> bool:
        counts: list[int | None] = []
        other.publish(name, b"", counts.append)
        await until(lambda: counts)
        return counts == [0]

    # Redis may learn of the end a moment later.
    await eventually(reaches_nobody)


async def test_many_channels_are_confirmed_together(make_bus: MakeBus) -> None:
    bus, names = await make_bus(), [channel() for _ in range(300)]
    got: list[bytes] = []
    await bus.subscribe(names, got.append)
    for name in names:
        bus.publish(name, b"x")
    await until(lambda: len(got) == len(names))
