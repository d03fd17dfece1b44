"""Tests presence's tracker over the in-memory store."""

from __future__ import annotations

import pytest

from messenger_shared.contract.presence_states import AWAY, OFFLINE, ONLINE
from presence.ports import Choice
from presence.tracker import MAX_CHANGES_AT_ONCE, Tracker
from tests.presence.fakes import ChoiceLoader, RecordingPublisher
from tests.presence.stores import TICK_MS, TIMING, MemoryHarness, changes, full, seen, settle


@pytest.fixture
async def harness() -> MemoryHarness:
    harness = MemoryHarness()
    await settle(harness)
    return harness


@pytest.fixture
def publisher() -> RecordingPublisher:
    return RecordingPublisher()


@pytest.fixture
def loading(harness: MemoryHarness) -> ChoiceLoader:
    return ChoiceLoader(harness)


@pytest.fixture
def tracker(harness: MemoryHarness, publisher: RecordingPublisher, loading: ChoiceLoader) -> Tracker:
    return Tracker(harness.store, publisher, loading)


async def pass_time(tracker: Tracker, harness: MemoryHarness, ms: int) -> None:
    for _ in range(ms // TICK_MS):
        await harness.pass_time(TICK_MS)
        await tracker.sweep()


async def test_every_transition_is_told_in_order(tracker: Tracker, publisher: RecordingPublisher) -> None:
    assert await tracker.report(full("a", 1, 1, 2))
    assert await tracker.report(changes("a", 2, away=(1,)))
    assert [(t.user_id, t.status) for t in publisher.transitions] == [(1, ONLINE), (2, ONLINE), (1, AWAY)]


async def test_whoever_listens_hears_it_before_the_world(
    harness: MemoryHarness, publisher: RecordingPublisher
) -> None:
    received: list[tuple[int, int]] = []
    tracker = Tracker(
        harness.store,
        publisher,
        ChoiceLoader(harness),
        lambda some: received.append((len(some), len(publisher.transitions))),
    )
    await tracker.report(full("a", 1, 1, 2))
    assert received == [(2, 0)]
    assert len(publisher.transitions) == 2


async def test_refused_report_is_told_to_nobody(tracker: Tracker, publisher: RecordingPublisher) -> None:
    assert not await tracker.report(changes("a", 1, opened=(1,)))
    assert publisher.take() == set()


async def test_many_changes_are_taken_in_pieces(tracker: Tracker, publisher: RecordingPublisher) -> None:
    users, others = range(1, 2 * MAX_CHANGES_AT_ONCE + 2), range(10_000, 10_000 + MAX_CHANGES_AT_ONCE + 1)
    await tracker.report(full("a", 1))
    assert await tracker.report(changes("a", 2, opened=users, away=others))
    assert publisher.take() == {(user, ONLINE) for user in users} | {(user, AWAY) for user in others}
    assert await tracker.report(changes("a", 3, away=users, closed=(7_000,)))
    assert publisher.take() == {(user, AWAY) for user in users}


async def test_gateway_that_leaves_takes_those_along_whom_nobody_else_holds(
    tracker: Tracker, publisher: RecordingPublisher, harness: MemoryHarness
) -> None:
    await tracker.report(full("a", 1, *range(1, 11)))
    await tracker.report(full("b", 1, 10))
    publisher.take()
    await tracker.leave("a")
    assert publisher.take() == set()
    await pass_time(tracker, harness, TIMING.grace_ms + TICK_MS)
    assert publisher.take() == {(user, OFFLINE) for user in range(1, 10)}
    assert await seen(harness, 9, 10) == [OFFLINE, ONLINE]


async def test_sweep_takes_the_users_of_vanished_gateways_offline(
    tracker: Tracker, publisher: RecordingPublisher, harness: MemoryHarness
) -> None:
    await tracker.report(full("a", 1, *range(1, 11)))
    publisher.take()
    await pass_time(tracker, harness, TIMING.lease_ms)
    assert publisher.take() == set()
    await pass_time(tracker, harness, TICK_MS)
    assert publisher.take() == {(user, OFFLINE) for user in range(1, 11)}


async def test_a_store_that_lost_everything_gets_the_choices_before_it_takes_a_report(
    tracker: Tracker, publisher: RecordingPublisher, harness: MemoryHarness, loading: ChoiceLoader
) -> None:
    await harness.empty()
    assert not await tracker.report(changes("a", 1, opened=(1,)))
    assert loading.times == 1
    assert await tracker.report(full("a", 2, 1))
    assert loading.times == 1


async def test_a_sweep_that_finds_nothing_asks_for_reports_and_loads_the_choices(
    tracker: Tracker, publisher: RecordingPublisher, harness: MemoryHarness, loading: ChoiceLoader
) -> None:
    await tracker.sweep()
    assert (publisher.report_requests, loading.times) == (0, 0)
    await harness.empty()
    await tracker.sweep()
    await tracker.sweep()
    assert (publisher.report_requests, loading.times) == (1, 1)


async def test_a_choice_is_told_whether_or_not_it_changes_how_one_is_seen(
    tracker: Tracker, publisher: RecordingPublisher, harness: MemoryHarness
) -> None:
    await tracker.report(full("a", 1, 1))
    publisher.take()
    await tracker.choose(Choice(1, 1, False, True))
    assert publisher.take() == set()
    assert [(t.user_id, t.status, t.hides) for t in publisher.republished] == [(1, ONLINE, True)]
    await tracker.choose(Choice(1, 2, True, True))
    assert publisher.take() == {(1, OFFLINE)}
    await tracker.choose(Choice(1, 1, False, False))
    assert len(publisher.republished) == 1
