"""Owns the tests of presence's flow over the in-memory store."""

from __future__ import annotations

import pytest

from presence.ports import Transition
from presence.tracker import MAX_CHANGES_AT_ONCE, Tracker
from tests.presence.stores import LEASE_MS, TICK_MS, MemoryBench, brief, changes, full


class Heard:
    """A listener that remembers."""

    def __init__(self) -> None:
        self.transitions: list[Transition] = []

    def __call__(self, transitions: object) -> None:
        assert isinstance(transitions, list)
        assert transitions, "nothing happened, so nothing is told"
        self.transitions += transitions

    def take(self) -> set[tuple[int, bool]]:
        """What came since the last time."""
        taken, self.transitions = self.transitions, []
        return brief(taken)


@pytest.fixture
def bench() -> MemoryBench:
    return MemoryBench()


@pytest.fixture
def heard() -> Heard:
    return Heard()


@pytest.fixture
def tracker(bench: MemoryBench, heard: Heard) -> Tracker:
    return Tracker(bench.store, (heard,))


async def test_every_listener_hears_of_every_transition(bench: MemoryBench) -> None:
    first, second = Heard(), Heard()
    tracker = Tracker(bench.store, (first, second))
    assert await tracker.report(full("a", 1, 1, 2))
    assert await tracker.report(changes("a", 2, closed=(1,)))
    assert first.transitions == second.transitions
    assert first.take() == {(1, True), (2, True), (1, False)}


async def test_refused_report_is_told_to_nobody(tracker: Tracker, heard: Heard) -> None:
    assert not await tracker.report(changes("a", 1, opened=(1,)))
    assert heard.take() == set()


async def test_many_changes_are_taken_in_pieces(tracker: Tracker, heard: Heard) -> None:
    users = tuple(range(1, 2 * MAX_CHANGES_AT_ONCE + 2))
    await tracker.report(full("a", 1))
    assert await tracker.report(changes("a", 2, opened=users))
    assert heard.take() == {(user, True) for user in users}
    assert await tracker.report(changes("a", 3, opened=(0,), closed=users))
    assert heard.take() == {(user, False) for user in users} | {(0, True)}


async def test_gateway_that_leaves_takes_all_its_users_along(tracker: Tracker, heard: Heard) -> None:
    await tracker.report(full("a", 1, *range(1, 11)))
    await tracker.report(full("b", 1, 10))
    heard.take()
    await tracker.leave("a")
    assert heard.take() == {(user, False) for user in range(1, 10)}
    assert await tracker.online(range(1, 11)) == [10]


async def test_sweep_takes_the_users_of_vanished_gateways_offline(
    tracker: Tracker, heard: Heard, bench: MemoryBench
) -> None:
    await tracker.sweep()
    await tracker.report(full("a", 1, *range(1, 11)))
    heard.take()
    for _ in range(LEASE_MS // TICK_MS):
        await bench.pass_time(TICK_MS)
        await tracker.sweep()
    assert heard.take() == set()
    await bench.pass_time(TICK_MS)
    await tracker.sweep()
    assert heard.take() == {(user, False) for user in range(1, 11)}
