"""The contract of the presence store, tested on the in-memory one and the one in Valkey."""

from __future__ import annotations

import asyncio

import pytest

from messenger_shared.contract.presence_states import AWAY, OFFLINE, ONLINE
from presence.ports import Choice
from tests.presence.stores import TIMING, StoreHarness, as_set, changes, full, pass_time_with_sweeps, seen
from tests.waiting import LIMIT_S

BIGGEST_ID = 2**53 - 1
LEASE_MS = TIMING.lease_ms


async def test_first_report_has_to_be_full(harness: StoreHarness) -> None:
    refused = await harness.store.report(changes("a", 1, opened=(1,)))
    assert refused == (False, [])
    assert await seen(harness, 1) == [OFFLINE]
    taken = await harness.store.report(full("a", 2, 1, 2))
    assert taken.known
    assert as_set(taken.transitions) == {(1, ONLINE), (2, ONLINE)}


async def test_users_come_and_go(harness_without_grace: StoreHarness) -> None:
    await harness_without_grace.store.report(full("a", 1, 1))
    outcome = await harness_without_grace.store.report(changes("a", 2, opened=(2,), closed=(1,)))
    assert outcome.known
    assert as_set(outcome.transitions) == {(2, ONLINE), (1, OFFLINE)}
    assert await seen(harness_without_grace, 1, 2, 3) == [OFFLINE, ONLINE, OFFLINE]


async def test_user_on_two_gateways_is_online_until_the_last_one_closes(
    harness_without_grace: StoreHarness,
) -> None:
    store = harness_without_grace.store
    assert as_set((await store.report(full("a", 1, 1))).transitions) == {(1, ONLINE)}
    assert as_set((await store.report(full("b", 1, 1))).transitions) == set()
    assert as_set((await store.report(changes("a", 2, closed=(1,)))).transitions) == set()
    assert await seen(harness_without_grace, 1) == [ONLINE]
    assert as_set((await store.report(changes("b", 2, closed=(1,)))).transitions) == {(1, OFFLINE)}


async def test_user_is_away_when_he_is_on_all_gateways(harness: StoreHarness) -> None:
    assert as_set((await harness.store.report(full("a", 1, away=(1,)))).transitions) == {(1, AWAY)}
    assert as_set((await harness.store.report(full("b", 1, 1))).transitions) == {(1, ONLINE)}
    assert as_set((await harness.store.report(changes("b", 2, away=(1,)))).transitions) == {(1, AWAY)}
    assert as_set((await harness.store.report(changes("b", 3, away=(1,)))).transitions) == set()
    assert as_set((await harness.store.report(changes("a", 2, opened=(1,)))).transitions) == {(1, ONLINE)}
    assert as_set((await harness.store.report(changes("a", 3, closed=(1,)))).transitions) == {(1, AWAY)}


async def test_full_report_replaces_what_was_known(harness_without_grace: StoreHarness) -> None:
    store = harness_without_grace.store
    await store.report(full("a", 1, 1, 2))
    await store.report(full("b", 1, 1))
    outcome = await store.report(full("a", 2, 3, away=(2,)))
    assert as_set(outcome.transitions) == {(3, ONLINE), (2, AWAY)}
    assert await seen(harness_without_grace, 1, 2, 3) == [ONLINE, AWAY, ONLINE]
    assert as_set((await store.report(full("b", 2))).transitions) == {(1, OFFLINE)}


async def test_repeated_report_changes_nothing(harness_without_grace: StoreHarness) -> None:
    await harness_without_grace.store.report(full("a", 1, 1, 3))
    report = changes("a", 2, opened=(2,), closed=(1,), away=(3,))
    await harness_without_grace.store.report(report)
    assert await harness_without_grace.store.report(report) == (True, [])


async def test_what_is_unknown_can_be_closed(harness: StoreHarness) -> None:
    await harness.store.report(full("a", 1))
    assert await harness.store.report(changes("a", 2, closed=(7,))) == (True, [])
    assert as_set((await harness.store.report(changes("a", 3, opened=(7,)))).transitions) == {(7, ONLINE)}


@pytest.mark.parametrize("is_full", [True, False])
async def test_report_that_was_overtaken_is_refused(harness: StoreHarness, is_full: bool) -> None:
    await harness.store.report(full("a", 1))
    await harness.store.report(changes("a", 3, closed=(1,)))
    late = full("a", 2, 1) if is_full else changes("a", 2, opened=(1,))
    assert await harness.store.report(late) == (False, [])
    assert await seen(harness, 1) == [OFFLINE]


async def test_vanished_gateway_takes_its_users_along_when_its_lease_ends(harness: StoreHarness) -> None:
    opened = await harness.store.report(full("a", 1, 1, 2))
    await harness.store.report(full("b", 1, 2))
    assert await pass_time_with_sweeps(harness, LEASE_MS // 2) == []
    await harness.store.report(changes("b", 2))
    assert await pass_time_with_sweeps(harness, LEASE_MS // 2 + 2_000) == ["a"]
    transitions, more = await harness.store.release("a")
    assert not more
    # The user was last known to be there long ago, so the grace period is over.
    assert as_set(transitions) == {(1, OFFLINE)}
    assert transitions[0].at_ms - transitions[0].seen_ms >= LEASE_MS
    assert transitions[0].seen_ms <= opened.transitions[0].at_ms
    assert (await harness.store.begin_sweep()).expired == []


async def test_reports_renew_the_lease(harness: StoreHarness) -> None:
    await harness.store.report(full("a", 1, 1))
    for number in range(2, 7):
        assert await pass_time_with_sweeps(harness, LEASE_MS // 3) == []
        assert (await harness.store.report(changes("a", number))).known
    assert await seen(harness, 1) == [ONLINE]


async def test_gateway_whose_lease_ended_has_to_report_in_full(harness: StoreHarness) -> None:
    await harness.store.report(full("a", 1, 1))
    await pass_time_with_sweeps(harness, LEASE_MS + 1_000)
    assert await harness.store.report(changes("a", 2)) == (False, [])
    assert await harness.store.report(full("a", 3, 1)) == (True, [])
    assert (await harness.store.begin_sweep()).expired == []


async def test_gateway_that_came_back_keeps_its_users(harness: StoreHarness) -> None:
    await harness.store.report(full("a", 1, 1))
    assert await pass_time_with_sweeps(harness, LEASE_MS + 1_000) == ["a"]
    await harness.store.report(full("a", 2, 1))
    assert await harness.store.release("a") == ([], False)
    assert await seen(harness, 1) == [ONLINE]


async def test_many_users_are_released_in_steps(harness_without_grace: StoreHarness) -> None:
    store = harness_without_grace.store
    users = list(range(1, TIMING.users_per_step + 2))
    await store.report(full("a", 1, *users))
    await store.leave("a")
    first, more = await store.release("a")
    assert more
    assert len(first) == TIMING.users_per_step
    assert (await store.begin_sweep()).expired == ["a"]
    rest, more = await store.release("a")
    assert not more
    assert as_set(first + rest) == {(user, OFFLINE) for user in users}


async def test_users_of_a_gateway_that_left_were_seen_until_now(harness_without_grace: StoreHarness) -> None:
    await harness_without_grace.store.report(full("a", 1, 1))
    await harness_without_grace.store.leave("a")
    transitions, _ = await harness_without_grace.store.release("a")
    assert as_set(transitions) == {(1, OFFLINE)}
    assert transitions[0].seen_ms == transitions[0].at_ms
    assert await harness_without_grace.store.report(changes("a", 2)) == (False, [])


async def test_unknown_gateway_can_leave(harness: StoreHarness) -> None:
    await harness.store.leave("nobody")
    assert (await harness.store.begin_sweep()).expired == []
    assert await harness.store.release("nobody") == ([], False)


async def test_nobody_is_released_while_the_lease_lives(harness: StoreHarness) -> None:
    await harness.store.report(full("a", 1, 1))
    assert await harness.store.release("a") == ([], False)
    assert await seen(harness, 1) == [ONLINE]


async def test_outage_of_presence_takes_nobody_offline(harness: StoreHarness) -> None:
    await harness.store.report(full("a", 1, 1))
    await harness.pass_time(LEASE_MS * 10)
    assert (await harness.store.begin_sweep())[:2] == ([], True)
    assert (await harness.store.report(changes("a", 2, opened=(2,)))).known
    assert await seen(harness, 1, 2) == [ONLINE, ONLINE]


async def test_gateway_that_left_before_an_outage_stays_gone(harness: StoreHarness) -> None:
    await harness.store.report(full("a", 1, 1))
    await harness.store.leave("a")
    await harness.pass_time(LEASE_MS * 10)
    assert (await harness.store.begin_sweep()).expired == ["a"]


@pytest.mark.parametrize("leap_ms", [60_000, -60_000])
async def test_leap_of_the_clock_neither_ends_a_lease_nor_prolongs_it(
    harness: StoreHarness, leap_ms: int
) -> None:
    await harness.store.report(full("a", 1, 1))
    await harness.pass_time(leap_ms)
    assert (await harness.store.begin_sweep()).expired == []
    assert await pass_time_with_sweeps(harness, LEASE_MS - 2_000) == []
    assert await pass_time_with_sweeps(harness, 4_000) == ["a"]


async def test_short_pause_of_the_sweepers_changes_nothing(harness: StoreHarness) -> None:
    await harness.store.report(full("a", 1, 1))
    await pass_time_with_sweeps(harness, LEASE_MS - 2_000)
    await harness.pass_time(TIMING.max_sweep_gap_ms - 1_000)
    assert (await harness.store.begin_sweep())[:2] == (["a"], False)


async def test_states_keep_the_order_and_every_bit_of_an_id(harness: StoreHarness) -> None:
    ids = [BIGGEST_ID, 5, BIGGEST_ID - 1, 1]
    outcome = await harness.store.report(full("a", 1, *ids))
    assert {transition.user_id for transition in outcome.transitions} == set(ids)
    found = await seen(harness, 1, 2, BIGGEST_ID, BIGGEST_ID - 1)
    assert found == [ONLINE, OFFLINE, ONLINE, ONLINE]
    assert (await harness.store.states([])).states == []


async def test_each_transition_is_handed_to_one_caller(harness_without_grace: StoreHarness) -> None:
    store = harness_without_grace.store
    came = await asyncio.gather(*(store.report(full(gateway, 1, 1, 2)) for gateway in "abcd"))
    assert as_set([t for outcome in came for t in outcome.transitions]) == {(1, ONLINE), (2, ONLINE)}
    for gateway in "abcd":
        await store.leave(gateway)
    went = await asyncio.gather(*(store.release(gateway) for gateway in "abcdabcd"))
    assert as_set([t for release in went for t in release.transitions]) == {(1, OFFLINE), (2, OFFLINE)}


async def test_report_may_name_very_many_users(harness_without_grace: StoreHarness) -> None:
    store = harness_without_grace.store
    users, others = range(1, 10_001), range(10_001, 20_001)
    assert len((await store.report(full("a", 1, *users, away=others))).transitions) == 20_000
    assert len((await store.report(changes("a", 2, closed=users))).transitions) == 10_000
    assert len((await store.report(full("a", 3))).transitions) == 10_000


async def test_whoever_is_cancelled_in_the_middle_of_a_step_ends(harness: StoreHarness) -> None:
    async def sweep_for_ever() -> None:
        while True:
            await harness.store.begin_sweep()
            await asyncio.sleep(0)

    for number in range(100):
        task = asyncio.create_task(sweep_for_ever())
        await asyncio.sleep(0.0001 * (number % 10))
        task.cancel()
        done, _ = await asyncio.wait([task], timeout=LIMIT_S)
        assert done, f"cancelled for the {number}th time, and goes on"


async def test_versions_grow_with_every_change(harness_without_grace: StoreHarness) -> None:
    versions = []
    for number, users in enumerate(((1,), (), (1, 2), ()), 1):
        for transition in (await harness_without_grace.store.report(full("a", number, *users))).transitions:
            versions.append(transition.version)
    assert versions == sorted(versions)
    assert len(set(versions)) == 4
    choice = await harness_without_grace.store.choose(Choice(1, 1, False, False))
    assert choice.transition is not None
    assert versions[-1] < choice.transition.version == (await harness_without_grace.store.states([1])).version


async def test_totals_count_who_is_seen_and_the_sockets_of_each_gateway(harness: StoreHarness) -> None:
    await harness.store.report(full("a", 1, 1, 2)._replace(connections=3))
    await harness.store.report(full("b", 1, 2, away=(4,))._replace(connections=2))
    await harness.store.choose(Choice(1, 1, True, False))
    assert await harness.store.totals() == (2, {"a": 3, "b": 2})
    await harness.store.leave("a")
    await harness.store.release("a")
    assert (await harness.store.totals()).sockets == {"b": 2}


async def test_those_who_are_there_can_be_gone_through(harness: StoreHarness) -> None:
    users = set(range(1, 2_001))
    await harness.store.report(full("a", 1, *users))
    await harness.store.report(full("b", 1, away=(3_000,)))
    await harness.store.choose(Choice(7, 1, True, False))
    await harness.store.report(changes("a", 2, closed=(8,)))
    found, cursor, rounds = set(), "", 0
    while cursor != "0":
        cursor, at_ms, some = await harness.store.scan_present(cursor or "0")
        found |= set(some)
        rounds += 1
    assert found == users - {7, 8} | {3_000}
    assert rounds < 10_000
    now = (await harness.store.report(changes("a", 3, opened=(9_999,)))).transitions[0].at_ms
    assert LEASE_MS <= now - at_ms < LEASE_MS + 10_000


async def test_a_task_is_claimed_by_one_until_its_period_is_over(harness: StoreHarness) -> None:
    claimed = await asyncio.gather(*(harness.store.claim("task", 60_000) for _ in range(5)))
    assert sorted(claimed) == [False] * 4 + [True]
    assert await harness.store.claim("another", 60_000)


@pytest.mark.parametrize("leap_ms", [-3_600_000, 3_600_000, -120_000, 60_000])
async def test_a_clock_that_leaps_holds_up_no_task(harness: StoreHarness, leap_ms: int) -> None:
    assert await harness.store.claim("task", 60_000)
    await harness.pass_time(leap_ms)
    assert await harness.store.claim("task", 60_000)
    assert not await harness.store.claim("task", 60_000)
