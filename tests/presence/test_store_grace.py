"""The store's contract on grace periods and choices, and on what it does while its data is incomplete."""

from __future__ import annotations

import pytest

from messenger_shared.contract.presence_states import AWAY, OFFLINE, ONLINE
from presence.ports import Choice, ChoicesNotLoaded
from tests.presence.stores import (
    LOADER,
    TICK_MS,
    TIMING,
    StoreHarness,
    as_set,
    changes,
    full,
    load,
    pass_time_with_sweeps,
    seen,
    settle,
)

INVISIBLE = Choice(1, 1, True, False)
VISIBLE = Choice(1, 2, False, False)
GRACE_MS = TIMING.grace_ms


async def end_all_grace_periods(harness: StoreHarness) -> set[tuple[int, str]]:
    found, more = set(), True
    while more:
        transitions, more = await harness.store.end_grace_periods()
        found |= as_set(transitions)
    return found


@pytest.mark.parametrize("status", [ONLINE, AWAY])
async def test_who_goes_is_seen_as_before_until_his_grace_is_over(harness: StoreHarness, status: str) -> None:
    is_away = status == AWAY
    await harness.store.report(full("a", 1, *(() if is_away else (1,)), away=(1,) if is_away else ()))
    gone = await harness.store.report(changes("a", 2, closed=(1,)))
    assert gone == (True, [])
    [state] = (await harness.store.states([1])).states
    assert (state.shown, state.real) == (status, OFFLINE)
    await harness.pass_time(GRACE_MS - TICK_MS)
    assert await end_all_grace_periods(harness) == set()
    await harness.pass_time(TICK_MS)
    [transition] = (await harness.store.end_grace_periods()).transitions
    assert (transition.user_id, transition.status) == (1, OFFLINE)
    # The user was last there when they went, not when it was reported.
    assert GRACE_MS <= transition.at_ms - transition.seen_ms < GRACE_MS + 10_000
    assert await seen(harness, 1) == [OFFLINE]
    assert await end_all_grace_periods(harness) == set()


async def test_who_comes_back_within_his_grace_was_never_gone(harness: StoreHarness) -> None:
    await harness.store.report(full("a", 1, 1, 2))
    await harness.store.report(full("b", 1))
    await harness.store.report(changes("a", 2, closed=(1, 2)))
    assert await harness.store.report(changes("a", 3, opened=(1,))) == (True, [])
    assert await harness.store.report(changes("b", 2, opened=(2,))) == (True, [])
    await pass_time_with_sweeps(harness, GRACE_MS * 2)
    assert await end_all_grace_periods(harness) == set()
    assert await seen(harness, 1, 2) == [ONLINE, ONLINE]


async def test_each_going_has_a_grace_of_its_own(harness: StoreHarness) -> None:
    await harness.store.report(full("a", 1, 1))
    await harness.store.report(changes("a", 2, closed=(1,)))
    await harness.pass_time(GRACE_MS - TICK_MS)
    await harness.store.report(changes("a", 3, opened=(1,)))
    await harness.store.report(changes("a", 4, closed=(1,)))
    await harness.pass_time(GRACE_MS - TICK_MS)
    assert await end_all_grace_periods(harness) == set()
    await harness.pass_time(TICK_MS)
    assert await end_all_grace_periods(harness) == {(1, OFFLINE)}


async def test_a_gateway_that_leaves_cleanly_leaves_its_users_their_grace(harness: StoreHarness) -> None:
    await harness.store.report(full("a", 1, 1, 2))
    await harness.store.leave("a")
    assert await harness.store.release("a") == ([], False)
    await harness.store.report(full("b", 1, 2))
    await harness.pass_time(GRACE_MS)
    assert await end_all_grace_periods(harness) == {(1, OFFLINE)}


async def test_many_graces_end_in_steps(harness: StoreHarness) -> None:
    users = range(1, 2 * TIMING.users_per_step + 2)
    await harness.store.report(full("a", 1, *users))
    await harness.store.report(full("a", 2))
    await harness.pass_time(GRACE_MS)
    first, more = await harness.store.end_grace_periods()
    assert (len(first), more) == (TIMING.users_per_step, True)
    assert as_set(first) | await end_all_grace_periods(harness) == {(user, OFFLINE) for user in users}


async def test_an_outage_of_presence_prolongs_a_grace(harness: StoreHarness) -> None:
    """Users who returned during the outage could not be reported."""
    await harness.store.report(full("a", 1, 1))
    await harness.store.report(changes("a", 2, closed=(1,)))
    await harness.pass_time(60_000)
    assert (await harness.store.begin_sweep()).unattended
    assert await end_all_grace_periods(harness) == set()
    await pass_time_with_sweeps(harness, TIMING.settle_ms + TICK_MS)
    [transition] = (await harness.store.end_grace_periods()).transitions
    assert transition.at_ms - transition.seen_ms >= 60_000


async def test_a_clock_that_is_set_back_makes_nobody_seen_in_the_future(harness: StoreHarness) -> None:
    await harness.store.report(full("a", 1, 1))
    await harness.store.report(changes("a", 2, closed=(1,)))
    await harness.pass_time(-60_000)
    await pass_time_with_sweeps(harness, TIMING.settle_ms + TICK_MS)
    [transition] = (await harness.store.end_grace_periods()).transitions
    assert transition.seen_ms <= transition.at_ms


async def test_nobody_is_taken_for_gone_before_every_gateway_has_reported(
    harness_without_grace: StoreHarness,
) -> None:
    """Everything is lost, and one of two gateways that hold a user has reported so far."""
    await harness_without_grace.empty()
    await load(harness_without_grace)
    assert (await harness_without_grace.store.begin_sweep()).unattended
    await harness_without_grace.store.report(full("a", 2, 1, 2))
    assert await harness_without_grace.store.report(changes("a", 3, closed=(1, 2))) == (True, [])
    assert not (await harness_without_grace.store.states([1])).settled
    await harness_without_grace.store.report(full("b", 2, 1))
    await pass_time_with_sweeps(harness_without_grace, TIMING.settle_ms + TICK_MS)
    assert await end_all_grace_periods(harness_without_grace) == {(2, OFFLINE)}
    states = await harness_without_grace.store.states([1, 2])
    assert states.settled
    assert [state.shown for state in states.states] == [ONLINE, OFFLINE]


async def test_emptied_store_is_rebuilt_from_full_reports(harness: StoreHarness) -> None:
    await harness.store.report(full("a", 1, 1))
    await harness.empty()
    with pytest.raises(ChoicesNotLoaded):
        await harness.store.report(changes("a", 2, opened=(2,)))
    assert not (await harness.store.begin_sweep()).choices_loaded
    await load(harness)
    assert await harness.store.report(changes("a", 2, opened=(2,))) == (False, [])
    assert as_set((await harness.store.report(full("a", 3, 1, 2))).transitions) == {(1, ONLINE), (2, ONLINE)}
    assert (await harness.store.begin_sweep()).expired == []


async def test_who_is_invisible_looks_gone_at_once_and_comes_back_when_he_is_not(
    harness: StoreHarness,
) -> None:
    await harness.store.report(full("a", 1, 1))
    chosen = await harness.store.choose(INVISIBLE)
    assert chosen.has_changed
    assert chosen.transition is not None
    assert (chosen.transition.status, chosen.transition.seen_ms) == (OFFLINE, chosen.transition.at_ms)
    [state] = (await harness.store.states([1])).states
    assert state == (OFFLINE, ONLINE, True, False)
    for report in (changes("a", 2, away=(1,)), changes("a", 3, closed=(1,)), changes("a", 4, opened=(1,))):
        assert await harness.store.report(report) == (True, [])
    chosen = await harness.store.choose(VISIBLE)
    assert chosen.has_changed
    assert chosen.transition is not None
    assert chosen.transition.status == ONLINE
    assert await seen(harness, 1) == [ONLINE]


async def test_who_is_invisible_has_no_grace(harness: StoreHarness) -> None:
    await harness.store.report(full("a", 1, 1))
    await harness.store.report(changes("a", 2, closed=(1,)))
    await harness.pass_time(TICK_MS)
    chosen = await harness.store.choose(INVISIBLE)
    assert chosen.transition is not None
    assert (chosen.has_changed, chosen.transition.status) == (True, OFFLINE)
    assert chosen.transition.at_ms - chosen.transition.seen_ms >= TICK_MS
    await pass_time_with_sweeps(harness, GRACE_MS * 2)
    assert await end_all_grace_periods(harness) == set()


async def test_a_choice_is_known_before_its_user_comes(empty_harness: StoreHarness) -> None:
    await settle(empty_harness, INVISIBLE)
    assert await empty_harness.store.report(full("a", 1, 1)) == (True, [])
    assert as_set((await empty_harness.store.report(changes("a", 2, opened=(2,)))).transitions) == {
        (2, ONLINE)
    }


async def test_an_older_choice_does_not_replace_a_newer_one(harness: StoreHarness) -> None:
    await harness.store.report(full("a", 1, 1))
    await harness.store.choose(VISIBLE)
    assert await harness.store.choose(INVISIBLE) == (None, False)
    await load(harness, INVISIBLE)
    assert await seen(harness, 1) == [ONLINE]
    assert not (await harness.store.states([1])).states[0].invisible


async def test_a_choice_that_changes_nothing_for_others_is_told_as_such(harness: StoreHarness) -> None:
    await harness.store.report(full("a", 1, 1))
    for user, status in ((1, ONLINE), (2, OFFLINE)):
        transition, has_changed = await harness.store.choose(Choice(user, 1, False, True))
        assert not has_changed
        assert transition is not None
        assert (transition.user_id, transition.status, transition.hides) == (user, status, True)


async def test_who_hides_when_he_was_there_is_marked(harness: StoreHarness) -> None:
    await harness.store.choose(Choice(1, 1, False, True))
    came = await harness.store.report(full("a", 1, 1, 2))
    await harness.store.report(changes("a", 2, closed=(1, 2)))
    await harness.pass_time(GRACE_MS)
    went = await harness.store.end_grace_periods()
    for transitions in (came.transitions, went.transitions):
        assert {(t.user_id, t.hides) for t in transitions} == {(1, True), (2, False)}
    assert [state.hides for state in (await harness.store.states([1, 2])).states] == [True, False]


async def test_choices_are_loaded_in_pieces_unless_everything_is_lost_meanwhile(
    empty_harness: StoreHarness,
) -> None:
    others = [Choice(user, 1, True, True) for user in range(2, 5)]
    assert await empty_harness.store.load(LOADER, [INVISIBLE], first=True, last=False)
    assert not (await empty_harness.store.begin_sweep()).choices_loaded
    await empty_harness.empty()
    assert not await empty_harness.store.load(LOADER, others, first=False, last=True)
    assert not (await empty_harness.store.begin_sweep()).choices_loaded
    assert await empty_harness.store.load(LOADER, [INVISIBLE], first=True, last=False)
    assert await empty_harness.store.load("another", [], first=True, last=False)
    assert await empty_harness.store.load(LOADER, others, first=False, last=True)
    assert (await empty_harness.store.begin_sweep()).choices_loaded
    assert await empty_harness.store.report(full("a", 1, 1, 2, 3, 4)) == (True, [])
