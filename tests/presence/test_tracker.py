"""Owns the tests of presence's flow over the in-memory store."""

from __future__ import annotations

import pytest

from messenger_shared.presences import AWAY, OFFLINE, ONLINE
from presence.ports import Choice
from presence.tracker import MAX_CHANGES_AT_ONCE, Tracker
from tests.presence.people import Loading, RememberingVoice
from tests.presence.stores import TICK_MS, TIMING, MemoryBench, changes, full, seen, settle


@pytest.fixture
async def bench() -> MemoryBench:
    bench = MemoryBench()
    await settle(bench)
    return bench


@pytest.fixture
def voice() -> RememberingVoice:
    return RememberingVoice()


@pytest.fixture
def loading(bench: MemoryBench) -> Loading:
    return Loading(bench)


@pytest.fixture
def tracker(bench: MemoryBench, voice: RememberingVoice, loading: Loading) -> Tracker:
    return Tracker(bench.store, voice, loading)


async def pass_time(tracker: Tracker, bench: MemoryBench, ms: int) -> None:
    for _ in range(ms // TICK_MS):
        await bench.pass_time(TICK_MS)
        await tracker.sweep()


async def test_every_transition_is_told_in_order(tracker: Tracker, voice: RememberingVoice) -> None:
    assert await tracker.report(full("a", 1, 1, 2))
    assert await tracker.report(changes("a", 2, away=(1,)))
    assert [(t.user_id, t.status) for t in voice.transitions] == [(1, ONLINE), (2, ONLINE), (1, AWAY)]


async def test_whoever_listens_hears_it_before_the_world(bench: MemoryBench, voice: RememberingVoice) -> None:
    heard: list[tuple[int, int]] = []
    tracker = Tracker(
        bench.store, voice, Loading(bench), lambda some: heard.append((len(some), len(voice.transitions)))
    )
    await tracker.report(full("a", 1, 1, 2))
    assert heard == [(2, 0)]
    assert len(voice.transitions) == 2


async def test_refused_report_is_told_to_nobody(tracker: Tracker, voice: RememberingVoice) -> None:
    assert not await tracker.report(changes("a", 1, opened=(1,)))
    assert voice.take() == set()


async def test_many_changes_are_taken_in_pieces(tracker: Tracker, voice: RememberingVoice) -> None:
    users, others = range(1, 2 * MAX_CHANGES_AT_ONCE + 2), range(10_000, 10_000 + MAX_CHANGES_AT_ONCE + 1)
    await tracker.report(full("a", 1))
    assert await tracker.report(changes("a", 2, opened=users, away=others))
    assert voice.take() == {(user, ONLINE) for user in users} | {(user, AWAY) for user in others}
    assert await tracker.report(changes("a", 3, away=users, closed=(7_000,)))
    assert voice.take() == {(user, AWAY) for user in users}


async def test_gateway_that_leaves_takes_those_along_whom_nobody_else_holds(
    tracker: Tracker, voice: RememberingVoice, bench: MemoryBench
) -> None:
    await tracker.report(full("a", 1, *range(1, 11)))
    await tracker.report(full("b", 1, 10))
    voice.take()
    await tracker.leave("a")
    assert voice.take() == set()
    await pass_time(tracker, bench, TIMING.grace_ms + TICK_MS)
    assert voice.take() == {(user, OFFLINE) for user in range(1, 10)}
    assert await seen(bench, 9, 10) == [OFFLINE, ONLINE]


async def test_sweep_takes_the_users_of_vanished_gateways_offline(
    tracker: Tracker, voice: RememberingVoice, bench: MemoryBench
) -> None:
    await tracker.report(full("a", 1, *range(1, 11)))
    voice.take()
    await pass_time(tracker, bench, TIMING.lease_ms)
    assert voice.take() == set()
    await pass_time(tracker, bench, TICK_MS)
    assert voice.take() == {(user, OFFLINE) for user in range(1, 11)}


async def test_a_store_that_lost_everything_gets_the_choices_before_it_takes_a_report(
    tracker: Tracker, voice: RememberingVoice, bench: MemoryBench, loading: Loading
) -> None:
    await bench.empty()
    assert not await tracker.report(changes("a", 1, opened=(1,)))
    assert loading.times == 1
    assert await tracker.report(full("a", 2, 1))
    assert loading.times == 1


async def test_a_sweep_that_finds_nothing_asks_for_reports_and_loads_the_choices(
    tracker: Tracker, voice: RememberingVoice, bench: MemoryBench, loading: Loading
) -> None:
    await tracker.sweep()
    assert (voice.asked, loading.times) == (0, 0)
    await bench.empty()
    await tracker.sweep()
    await tracker.sweep()
    assert (voice.asked, loading.times) == (1, 1)


async def test_a_choice_is_told_whether_or_not_it_changes_how_one_is_seen(
    tracker: Tracker, voice: RememberingVoice, bench: MemoryBench
) -> None:
    await tracker.report(full("a", 1, 1))
    voice.take()
    await tracker.choose(Choice(1, 1, False, True))
    assert voice.take() == set()
    assert [(t.user_id, t.status, t.hides) for t in voice.repeated] == [(1, ONLINE, True)]
    await tracker.choose(Choice(1, 2, True, True))
    assert voice.take() == {(1, OFFLINE)}
    await tracker.choose(Choice(1, 1, False, False))
    assert len(voice.repeated) == 1
