"""The outbox: one push at a time to a device, slow devices hold up no other, and there is a bound."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator

import pytest

from chat_api.feed.push import outbox
from chat_api.feed.push.outbox import Delivery, Outbox
from chat_api.feed.push.queue import Job
from chat_api.push.model import Device, Push, Result
from tests.waiting import until


class Slow:
    """A channel whose devices wait until they may go on."""

    def __init__(self) -> None:
        self.sent: defaultdict[int, list[object]] = defaultdict(list)
        self.running: defaultdict[int, int] = defaultdict(int)
        self.may_go_on: defaultdict[int, asyncio.Event] = defaultdict(asyncio.Event)
        self.broken: set[int] = set()

    async def send(self, device: Device, push: Push) -> Result:
        self.running[device.id] += 1
        assert self.running[device.id] == 1
        await self.may_go_on[device.id].wait()
        self.running[device.id] -= 1
        if device.id in self.broken:
            raise RuntimeError(device.endpoint)
        self.sent[device.id].append(push.payload["seq"])
        return Result("sent")


class World:
    """An outbox with a slow channel."""

    def __init__(self) -> None:
        self.channel = Slow()
        self.results: list[tuple[int, Result]] = []
        self.outbox = Outbox({"webpush": self.channel}, self._note)

    def _note(self, delivery: Delivery, result: Result) -> None:
        self.results.append((delivery.job.id, result))

    def put(
        self, device_id: int, seq: int, topic: str | None = "t", kind: str = "webpush", user_id: int = 1
    ) -> None:
        """Adds a push."""
        job = Job(seq, "message", "c", seq, None, None, 0, 3.0)
        device = Device(device_id, kind, f"https://push.example/{device_id}", 1, "p", "a")
        self.outbox.put(Delivery(job, user_id, device, Push({"seq": seq}, topic, "normal", 60), 0.0))

    async def settle(self) -> None:
        """Returns when all is sent."""
        async with asyncio.timeout(5):
            await self.outbox.is_empty()


@pytest.fixture
async def world() -> AsyncIterator[World]:
    made = World()
    await made.outbox.start()
    yield made
    await made.outbox.stop()


async def test_a_slow_device_gets_the_first_and_the_newest_and_others_do_not_wait(world: World) -> None:
    world.channel.may_go_on[2].set()
    world.put(1, 1)
    await asyncio.sleep(0)
    for seq in (2, 3, 4):
        world.put(1, seq)
    world.put(1, 9, topic="another")
    world.put(1, 10, topic=None)
    world.put(1, 11, topic=None)
    world.put(2, 5)
    await until(lambda: world.channel.sent == {2: [5]})
    world.channel.may_go_on[1].set()
    await world.settle()
    assert world.channel.sent[1] == [1, 4, 9, 10, 11]
    # Each has a result, also those that were left out.
    assert sorted(job_id for job_id, _ in world.results) == [1, 2, 3, 4, 5, 9, 10, 11]


async def test_a_channel_that_breaks_fails_that_push_alone(world: World) -> None:
    world.channel.broken.add(1)
    for device_id in (1, 2):
        world.channel.may_go_on[device_id].set()
        world.put(device_id, device_id)
    world.put(3, 3, kind="pager")
    await world.settle()
    assert dict(world.results) == {
        1: Result("failed", "internal"),
        2: Result("sent"),
        3: Result("failed", "no_channel"),
    }


async def test_no_more_is_taken_while_too_much_waits(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outbox, "WAITING_MAX", 3)
    for device_id in (1, 2, 3):
        world.put(device_id, device_id)
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.02):
            await world.outbox.has_room()
    world.channel.may_go_on[1].set()
    async with asyncio.timeout(5):
        await world.outbox.has_room()


async def test_the_slow_devices_of_one_user_leave_turns_for_others(world: World) -> None:
    slow, others = range(outbox.PARALLEL), range(1_000, 1_003)
    for device_id in slow:
        world.put(device_id, device_id)
    for device_id in others:
        world.channel.may_go_on[device_id].set()
        world.put(device_id, device_id, user_id=2)
    await until(lambda: set(others) <= world.channel.sent.keys())
    assert sum(world.channel.running.values()) == outbox.USER_PARALLEL
    # They get their turns one after the other, also for what comes meanwhile.
    world.put(0, 500, topic="another")
    for device_id in slow:
        world.channel.may_go_on[device_id].set()
    await world.settle()
    assert world.channel.sent == {
        **{device_id: [device_id] for device_id in (*slow, *others)},
        0: [0, 500],
    }


async def test_what_is_too_much_of_one_user_comes_later(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outbox, "USER_WAITING_MAX", 2)
    for seq in (1, 2, 3):
        world.put(seq, seq)
    world.put(4, 4, user_id=2)
    # It takes the place of another, so it isn't one more.
    world.put(2, 5)
    assert world.results == [(3, Result("retry", "too_busy")), (2, Result("sent"))]
    for device_id in (1, 2, 4):
        world.channel.may_go_on[device_id].set()
    await world.settle()
    assert world.channel.sent == {1: [1], 2: [5], 4: [4]}


async def test_a_device_may_become_another_users_while_it_has_a_turn(world: World) -> None:
    world.put(1, 1)
    await until(lambda: world.channel.running[1])
    world.put(1, 2, topic="another")
    world.put(1, 3, topic="another", user_id=2)
    world.channel.may_go_on[1].set()
    await world.settle()
    assert world.channel.sent == {1: [1, 3]}
    await until(lambda: not world.outbox._users)
