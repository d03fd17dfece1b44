"""Owns the store's contract on graces, choices, and on what it does while it doesn't know all yet."""

from __future__ import annotations

import pytest

from messenger_shared.presences import AWAY, OFFLINE, ONLINE
from presence.ports import Choice, Unloaded
from tests.presence.stores import (
    LOADER,
    TICK_MS,
    TIMING,
    Bench,
    brief,
    changes,
    full,
    load,
    seen,
    settle,
    watch,
)

INVISIBLE = Choice(1, 1, True, False)
VISIBLE = Choice(1, 2, False, False)
GRACE_MS = TIMING.grace_ms


async def lapsed(bench: Bench) -> set[tuple[int, str]]:
    found, more = set(), True
    while more:
        transitions, more = await bench.store.lapse()
        found |= brief(transitions)
    return found


@pytest.mark.parametrize("status", [ONLINE, AWAY])
async def test_who_goes_is_seen_as_before_until_his_grace_is_over(bench: Bench, status: str) -> None:
    is_away = status == AWAY
    await bench.store.report(full("a", 1, *(() if is_away else (1,)), away=(1,) if is_away else ()))
    gone = await bench.store.report(changes("a", 2, closed=(1,)))
    assert gone == (True, [])
    [state] = (await bench.store.states([1])).states
    assert (state.seen, state.real) == (status, OFFLINE)
    await bench.pass_time(GRACE_MS - TICK_MS)
    assert await lapsed(bench) == set()
    await bench.pass_time(TICK_MS)
    [transition] = (await bench.store.lapse()).transitions
    assert (transition.user_id, transition.status) == (1, OFFLINE)
    # He was last there when he went, not when it was told.
    assert GRACE_MS <= transition.at_ms - transition.seen_ms < GRACE_MS + 10_000
    assert await seen(bench, 1) == [OFFLINE]
    assert await lapsed(bench) == set()


async def test_who_comes_back_within_his_grace_was_never_gone(bench: Bench) -> None:
    await bench.store.report(full("a", 1, 1, 2))
    await bench.store.report(full("b", 1))
    await bench.store.report(changes("a", 2, closed=(1, 2)))
    assert await bench.store.report(changes("a", 3, opened=(1,))) == (True, [])
    assert await bench.store.report(changes("b", 2, opened=(2,))) == (True, [])
    await watch(bench, GRACE_MS * 2)
    assert await lapsed(bench) == set()
    assert await seen(bench, 1, 2) == [ONLINE, ONLINE]


async def test_each_going_has_a_grace_of_its_own(bench: Bench) -> None:
    await bench.store.report(full("a", 1, 1))
    await bench.store.report(changes("a", 2, closed=(1,)))
    await bench.pass_time(GRACE_MS - TICK_MS)
    await bench.store.report(changes("a", 3, opened=(1,)))
    await bench.store.report(changes("a", 4, closed=(1,)))
    await bench.pass_time(GRACE_MS - TICK_MS)
    assert await lapsed(bench) == set()
    await bench.pass_time(TICK_MS)
    assert await lapsed(bench) == {(1, OFFLINE)}


async def test_a_gateway_that_leaves_cleanly_leaves_its_users_their_grace(bench: Bench) -> None:
    await bench.store.report(full("a", 1, 1, 2))
    await bench.store.leave("a")
    assert await bench.store.release("a") == ([], False)
    await bench.store.report(full("b", 1, 2))
    await bench.pass_time(GRACE_MS)
    assert await lapsed(bench) == {(1, OFFLINE)}


async def test_many_graces_end_in_steps(bench: Bench) -> None:
    users = range(1, 2 * TIMING.taken_at_once + 2)
    await bench.store.report(full("a", 1, *users))
    await bench.store.report(full("a", 2))
    await bench.pass_time(GRACE_MS)
    first, more = await bench.store.lapse()
    assert (len(first), more) == (TIMING.taken_at_once, True)
    assert brief(first) | await lapsed(bench) == {(user, OFFLINE) for user in users}


async def test_an_outage_of_presence_prolongs_a_grace(bench: Bench) -> None:
    """Who is back meanwhile could not be reported."""
    await bench.store.report(full("a", 1, 1))
    await bench.store.report(changes("a", 2, closed=(1,)))
    await bench.pass_time(60_000)
    assert (await bench.store.look()).unattended
    assert await lapsed(bench) == set()
    await watch(bench, TIMING.settle_ms + TICK_MS)
    [transition] = (await bench.store.lapse()).transitions
    assert transition.at_ms - transition.seen_ms >= 60_000


async def test_a_clock_that_is_set_back_makes_nobody_seen_in_the_future(bench: Bench) -> None:
    await bench.store.report(full("a", 1, 1))
    await bench.store.report(changes("a", 2, closed=(1,)))
    await bench.pass_time(-60_000)
    await watch(bench, TIMING.settle_ms + TICK_MS)
    [transition] = (await bench.store.lapse()).transitions
    assert transition.seen_ms <= transition.at_ms


async def test_nobody_is_taken_for_gone_before_every_gateway_has_reported(graceless: Bench) -> None:
    """Everything is lost, and of two gateways that hold a user one has reported so far."""
    await graceless.empty()
    await load(graceless)
    assert (await graceless.store.look()).unattended
    await graceless.store.report(full("a", 2, 1, 2))
    assert await graceless.store.report(changes("a", 3, closed=(1, 2))) == (True, [])
    assert not (await graceless.store.states([1])).settled
    await graceless.store.report(full("b", 2, 1))
    await watch(graceless, TIMING.settle_ms + TICK_MS)
    assert await lapsed(graceless) == {(2, OFFLINE)}
    states = await graceless.store.states([1, 2])
    assert states.settled
    assert [state.seen for state in states.states] == [ONLINE, OFFLINE]


async def test_emptied_store_is_rebuilt_from_full_reports(bench: Bench) -> None:
    await bench.store.report(full("a", 1, 1))
    await bench.empty()
    with pytest.raises(Unloaded):
        await bench.store.report(changes("a", 2, opened=(2,)))
    assert not (await bench.store.look()).loaded
    await load(bench)
    assert await bench.store.report(changes("a", 2, opened=(2,))) == (False, [])
    assert brief((await bench.store.report(full("a", 3, 1, 2))).transitions) == {(1, ONLINE), (2, ONLINE)}
    assert (await bench.store.look()).ended == []


async def test_who_is_invisible_looks_gone_at_once_and_comes_back_when_he_is_not(bench: Bench) -> None:
    await bench.store.report(full("a", 1, 1))
    chosen = await bench.store.choose(INVISIBLE)
    assert chosen.moved
    assert chosen.transition is not None
    assert (chosen.transition.status, chosen.transition.seen_ms) == (OFFLINE, chosen.transition.at_ms)
    [state] = (await bench.store.states([1])).states
    assert state == (OFFLINE, ONLINE, True, False)
    for report in (changes("a", 2, away=(1,)), changes("a", 3, closed=(1,)), changes("a", 4, opened=(1,))):
        assert await bench.store.report(report) == (True, [])
    chosen = await bench.store.choose(VISIBLE)
    assert chosen.moved
    assert chosen.transition is not None
    assert chosen.transition.status == ONLINE
    assert await seen(bench, 1) == [ONLINE]


async def test_who_is_invisible_has_no_grace(bench: Bench) -> None:
    await bench.store.report(full("a", 1, 1))
    await bench.store.report(changes("a", 2, closed=(1,)))
    await bench.pass_time(TICK_MS)
    chosen = await bench.store.choose(INVISIBLE)
    assert chosen.transition is not None
    assert (chosen.moved, chosen.transition.status) == (True, OFFLINE)
    assert chosen.transition.at_ms - chosen.transition.seen_ms >= TICK_MS
    await watch(bench, GRACE_MS * 2)
    assert await lapsed(bench) == set()


async def test_a_choice_is_known_before_its_user_comes(fresh: Bench) -> None:
    await settle(fresh, INVISIBLE)
    assert await fresh.store.report(full("a", 1, 1)) == (True, [])
    assert brief((await fresh.store.report(changes("a", 2, opened=(2,)))).transitions) == {(2, ONLINE)}


async def test_an_older_choice_does_not_replace_a_newer_one(bench: Bench) -> None:
    await bench.store.report(full("a", 1, 1))
    await bench.store.choose(VISIBLE)
    assert await bench.store.choose(INVISIBLE) == (None, False)
    await load(bench, INVISIBLE)
    assert await seen(bench, 1) == [ONLINE]
    assert not (await bench.store.states([1])).states[0].invisible


async def test_a_choice_that_changes_nothing_for_others_is_told_as_such(bench: Bench) -> None:
    await bench.store.report(full("a", 1, 1))
    for user, status in ((1, ONLINE), (2, OFFLINE)):
        transition, moved = await bench.store.choose(Choice(user, 1, False, True))
        assert not moved
        assert transition is not None
        assert (transition.user_id, transition.status, transition.hides) == (user, status, True)


async def test_who_hides_when_he_was_there_is_marked(bench: Bench) -> None:
    await bench.store.choose(Choice(1, 1, False, True))
    came = await bench.store.report(full("a", 1, 1, 2))
    await bench.store.report(changes("a", 2, closed=(1, 2)))
    await bench.pass_time(GRACE_MS)
    went = await bench.store.lapse()
    for transitions in (came.transitions, went.transitions):
        assert {(t.user_id, t.hides) for t in transitions} == {(1, True), (2, False)}
    assert [state.hides for state in (await bench.store.states([1, 2])).states] == [True, False]


async def test_choices_are_loaded_in_pieces_unless_everything_is_lost_meanwhile(fresh: Bench) -> None:
    others = [Choice(user, 1, True, True) for user in range(2, 5)]
    assert await fresh.store.load(LOADER, [INVISIBLE], first=True, last=False)
    assert not (await fresh.store.look()).loaded
    await fresh.empty()
    assert not await fresh.store.load(LOADER, others, first=False, last=True)
    assert not (await fresh.store.look()).loaded
    assert await fresh.store.load(LOADER, [INVISIBLE], first=True, last=False)
    assert await fresh.store.load("another", [], first=True, last=False)
    assert await fresh.store.load(LOADER, others, first=False, last=True)
    assert (await fresh.store.look()).loaded
    assert await fresh.store.report(full("a", 1, 1, 2, 3, 4)) == (True, [])
