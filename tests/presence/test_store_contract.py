"""Owns the contract of the presence store, held against the in-memory one and the one in Valkey."""

from __future__ import annotations

import asyncio

import pytest

from tests.presence.stores import LEASE_MS, PATIENCE_MS, RELEASED_AT_ONCE, Bench, brief, changes, full, watch

BIGGEST_ID = 2**63 - 1


async def test_first_report_has_to_be_full(bench: Bench) -> None:
    refused = await bench.store.report(changes("a", 1, opened=(1,)))
    assert refused == (False, [])
    assert await bench.store.online([1]) == []
    taken = await bench.store.report(full("a", 2, 1, 2))
    assert taken.known
    assert brief(taken.transitions) == {(1, True), (2, True)}


async def test_users_come_and_go(bench: Bench) -> None:
    await bench.store.report(full("a", 1, 1))
    outcome = await bench.store.report(changes("a", 2, opened=(2,), closed=(1,)))
    assert outcome.known
    assert brief(outcome.transitions) == {(2, True), (1, False)}
    assert await bench.store.online([1, 2, 3]) == [2]


async def test_user_on_two_gateways_is_online_until_the_last_one_closes(bench: Bench) -> None:
    assert brief((await bench.store.report(full("a", 1, 1))).transitions) == {(1, True)}
    assert brief((await bench.store.report(full("b", 1, 1))).transitions) == set()
    assert brief((await bench.store.report(changes("a", 2, closed=(1,)))).transitions) == set()
    assert await bench.store.online([1]) == [1]
    assert brief((await bench.store.report(changes("b", 2, closed=(1,)))).transitions) == {(1, False)}


async def test_full_report_replaces_what_was_known(bench: Bench) -> None:
    await bench.store.report(full("a", 1, 1, 2))
    await bench.store.report(full("b", 1, 1))
    outcome = await bench.store.report(full("a", 2, 2, 3))
    assert brief(outcome.transitions) == {(3, True)}
    assert await bench.store.online([1, 2, 3]) == [1, 2, 3]
    assert brief((await bench.store.report(full("b", 2))).transitions) == {(1, False)}


async def test_repeated_report_changes_nothing(bench: Bench) -> None:
    await bench.store.report(full("a", 1, 1))
    report = changes("a", 2, opened=(2,), closed=(1,))
    await bench.store.report(report)
    assert await bench.store.report(report) == (True, [])


async def test_what_is_unknown_can_be_closed(bench: Bench) -> None:
    await bench.store.report(full("a", 1))
    assert await bench.store.report(changes("a", 2, closed=(7,))) == (True, [])
    assert brief((await bench.store.report(changes("a", 3, opened=(7,)))).transitions) == {(7, True)}


@pytest.mark.parametrize("is_full", [True, False])
async def test_report_that_was_overtaken_is_refused(bench: Bench, is_full: bool) -> None:
    await bench.store.report(full("a", 1))
    await bench.store.report(changes("a", 3, closed=(1,)))
    late = full("a", 2, 1) if is_full else changes("a", 2, opened=(1,))
    assert await bench.store.report(late) == (False, [])
    assert await bench.store.online([1]) == []


async def test_vanished_gateway_takes_its_users_along_when_its_lease_ends(bench: Bench) -> None:
    await watch(bench, 0)
    opened = await bench.store.report(full("a", 1, 1, 2))
    await bench.store.report(full("b", 1, 2))
    assert await watch(bench, LEASE_MS // 2) == []
    await bench.store.report(changes("b", 2))
    assert await watch(bench, LEASE_MS // 2 + 2_000) == ["a"]
    transitions, more = await bench.store.release("a")
    assert not more
    assert brief(transitions) == {(1, False)}
    assert transitions[0].at_ms - transitions[0].seen_ms >= LEASE_MS
    assert transitions[0].seen_ms <= opened.transitions[0].at_ms
    assert await bench.store.ended() == []


async def test_reports_renew_the_lease(bench: Bench) -> None:
    await bench.store.report(full("a", 1, 1))
    for number in range(2, 7):
        assert await watch(bench, LEASE_MS // 3) == []
        assert (await bench.store.report(changes("a", number))).known
    assert await bench.store.online([1]) == [1]


async def test_gateway_whose_lease_ended_has_to_report_in_full(bench: Bench) -> None:
    await bench.store.report(full("a", 1, 1))
    await watch(bench, LEASE_MS + 1_000)
    assert await bench.store.report(changes("a", 2)) == (False, [])
    assert await bench.store.report(full("a", 3, 1)) == (True, [])
    assert await bench.store.ended() == []


async def test_gateway_that_came_back_keeps_its_users(bench: Bench) -> None:
    await bench.store.report(full("a", 1, 1))
    assert await watch(bench, LEASE_MS + 1_000) == ["a"]
    await bench.store.report(full("a", 2, 1))
    assert await bench.store.release("a") == ([], False)
    assert await bench.store.online([1]) == [1]


async def test_many_users_are_released_in_steps(bench: Bench) -> None:
    users = list(range(1, RELEASED_AT_ONCE + 2))
    await bench.store.report(full("a", 1, *users))
    await bench.store.leave("a")
    first, more = await bench.store.release("a")
    assert more
    assert len(first) == RELEASED_AT_ONCE
    assert await bench.store.ended() == ["a"]
    rest, more = await bench.store.release("a")
    assert not more
    assert brief(first + rest) == {(user, False) for user in users}


async def test_users_of_a_gateway_that_left_were_seen_until_now(bench: Bench) -> None:
    await bench.store.report(full("a", 1, 1))
    await bench.store.leave("a")
    transitions, _ = await bench.store.release("a")
    assert brief(transitions) == {(1, False)}
    assert transitions[0].seen_ms == transitions[0].at_ms
    assert await bench.store.report(changes("a", 2)) == (False, [])


async def test_unknown_gateway_can_leave(bench: Bench) -> None:
    await bench.store.leave("nobody")
    assert await bench.store.ended() == []
    assert await bench.store.release("nobody") == ([], False)


async def test_nobody_is_released_while_the_lease_lives(bench: Bench) -> None:
    await bench.store.report(full("a", 1, 1))
    assert await bench.store.release("a") == ([], False)
    assert await bench.store.online([1]) == [1]


async def test_outage_of_presence_takes_nobody_offline(bench: Bench) -> None:
    await bench.store.ended()
    await bench.store.report(full("a", 1, 1))
    await bench.pass_time(LEASE_MS * 10)
    assert await bench.store.ended() == []
    assert (await bench.store.report(changes("a", 2, opened=(2,)))).known
    assert await bench.store.online([1, 2]) == [1, 2]


async def test_gateway_that_left_before_an_outage_stays_gone(bench: Bench) -> None:
    await bench.store.report(full("a", 1, 1))
    await bench.store.leave("a")
    await bench.pass_time(LEASE_MS * 10)
    assert await bench.store.ended() == ["a"]


@pytest.mark.parametrize("leap_ms", [60_000, -60_000])
async def test_leap_of_the_clock_neither_ends_a_lease_nor_prolongs_it(bench: Bench, leap_ms: int) -> None:
    await bench.store.ended()
    await bench.store.report(full("a", 1, 1))
    await bench.pass_time(leap_ms)
    assert await bench.store.ended() == []
    assert await watch(bench, LEASE_MS - 2_000) == []
    assert await watch(bench, 4_000) == ["a"]


async def test_short_pause_of_the_sweepers_changes_nothing(bench: Bench) -> None:
    await bench.store.ended()
    await bench.store.report(full("a", 1, 1))
    await watch(bench, LEASE_MS - 2_000)
    await bench.pass_time(PATIENCE_MS - 1_000)
    assert await bench.store.ended() == ["a"]


async def test_emptied_store_is_rebuilt_from_full_reports(bench: Bench) -> None:
    await bench.store.report(full("a", 1, 1))
    await bench.empty()
    assert await bench.store.report(changes("a", 2, opened=(2,))) == (False, [])
    assert brief((await bench.store.report(full("a", 3, 1, 2))).transitions) == {(1, True), (2, True)}
    assert await bench.store.ended() == []


async def test_online_keeps_the_order_and_every_bit_of_an_id(bench: Bench) -> None:
    ids = [BIGGEST_ID, 5, BIGGEST_ID - 1, 1]
    outcome = await bench.store.report(full("a", 1, *ids))
    assert {transition.user_id for transition in outcome.transitions} == set(ids)
    assert await bench.store.online([1, 2, BIGGEST_ID, BIGGEST_ID - 1]) == [1, BIGGEST_ID, BIGGEST_ID - 1]
    assert await bench.store.online([]) == []


async def test_each_transition_is_handed_to_one_caller(bench: Bench) -> None:
    came = await asyncio.gather(*(bench.store.report(full(gateway, 1, 1, 2)) for gateway in "abcd"))
    assert brief([t for outcome in came for t in outcome.transitions]) == {(1, True), (2, True)}
    for gateway in "abcd":
        await bench.store.leave(gateway)
    went = await asyncio.gather(*(bench.store.release(gateway) for gateway in "abcdabcd"))
    assert brief([t for release in went for t in release.transitions]) == {(1, False), (2, False)}


async def test_report_may_name_very_many_users(bench: Bench) -> None:
    users = range(1, 20_001)
    assert len((await bench.store.report(full("a", 1, *users))).transitions) == len(users)
    assert len((await bench.store.report(full("a", 2))).transitions) == len(users)
