"""How a gateway reports its users to presence, and goes on without an answer."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from gateway.presence import client, reporter
from gateway.presence.client import MAX_FAILURES
from messenger_shared.bus import channels
from messenger_shared.contract.errors import AppError
from messenger_shared.contract.presence_states import AWAY, OFFLINE, ONLINE
from tests.gateway.presence_world import PresenceWorld
from tests.presence.stores import seen
from tests.waiting import LIMIT_S, eventually, until

World = PresenceWorld


@pytest.fixture
async def reporting_world(seen_world: World, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[World]:
    monkeypatch.setattr(reporter, "RETRY_S", 0.01)
    await seen_world.reporter.start()
    await until(lambda: seen_world.presence.asked)
    yield seen_world
    await seen_world.reporter.stop()


def attach(world: World, user_id: int) -> Any:
    connection, _ = world.connect(user_id)
    world.reporter.changed(user_id)
    return connection


def detach(world: World, connection: Any) -> None:
    member = world.hub.members[connection.user_id]
    world.hub.detach(member, connection)
    world.reporter.changed(connection.user_id)
    if not member.connections:
        del world.hub.members[connection.user_id]
        world.reporter.changed(connection.user_id)


async def is_seen(world: World, user_id: int, status: str) -> None:
    async def is_so() -> bool:
        return await seen(world.presence.bench, user_id) == [status]

    await eventually(is_so)


async def test_sockets_make_users_present_and_away(reporting_world: World) -> None:
    one, other = attach(reporting_world, 1), attach(reporting_world, 1)
    await is_seen(reporting_world, 1, ONLINE)
    one.is_away = other.is_away = True
    reporting_world.reporter.changed(1)
    await is_seen(reporting_world, 1, AWAY)
    other.is_away = False
    reporting_world.reporter.changed(1)
    await is_seen(reporting_world, 1, ONLINE)
    detach(reporting_world, other)
    await is_seen(reporting_world, 1, AWAY)
    detach(reporting_world, one)
    await is_seen(reporting_world, 1, OFFLINE)


async def test_who_is_away_and_just_ending_his_last_socket_is_away_still(reporting_world: World) -> None:
    connection = attach(reporting_world, 1)
    connection.is_away = True
    await reporting_world.reporter.wait_known(1)
    reporting_world.hub.detach(reporting_world.hub.members[1], connection)
    reporting_world.reporter.changed(1)
    await reporting_world.presence.bench.empty()
    reporting_world.presence.bus.publish(channels.REPORTS, b"")
    await is_seen(reporting_world, 1, AWAY)


async def test_what_changes_nothing_for_presence_is_not_told(reporting_world: World) -> None:
    first = attach(reporting_world, 1)
    await is_seen(reporting_world, 1, ONLINE)
    await asyncio.sleep(2 * reporter.PAUSE_S)
    asked = len(reporting_world.presence.asked)
    detach(reporting_world, attach(reporting_world, 1))
    await asyncio.sleep(2 * reporter.PAUSE_S)
    assert len(reporting_world.presence.asked) == asked
    assert first in reporting_world.hub.members[1].connections


async def test_who_changes_while_a_report_is_under_way_is_told_in_the_next(reporting_world: World) -> None:
    attach(reporting_world, 1)
    await is_seen(reporting_world, 1, ONLINE)
    reporting_world.presence.may_answer.clear()
    asked = len(reporting_world.presence.asked)
    [connection] = reporting_world.hub.members[1].connections
    detach(reporting_world, connection)
    await until(lambda: len(reporting_world.presence.asked) > asked)
    attach(reporting_world, 1)
    reporting_world.presence.may_answer.set()
    await is_seen(reporting_world, 1, ONLINE)


async def test_who_waits_is_told_when_presence_knows(reporting_world: World) -> None:
    connection = attach(reporting_world, 1)
    connection.is_away = True
    await reporting_world.reporter.wait_known(1)
    assert await seen(reporting_world.presence.bench, 1) == [AWAY]
    await reporting_world.reporter.wait_known(1)
    connection.is_away = False
    reporting_world.presence.may_answer.clear()
    reporting_world.reporter.changed(1)
    await until(lambda: reporting_world.presence.asked[-1] == "presence.report")
    waiting = asyncio.create_task(reporting_world.reporter.wait_known(1))
    await asyncio.sleep(0.02)
    assert not waiting.done()
    reporting_world.presence.may_answer.set()
    await asyncio.wait_for(waiting, LIMIT_S)


async def test_nobody_waits_for_presence_for_long(
    reporting_world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reporter, "WAIT_KNOWN_S", 0.05)
    reporting_world.presence.may_answer.clear()
    attach(reporting_world, 1)
    await asyncio.wait_for(reporting_world.reporter.wait_known(1), LIMIT_S)
    reporting_world.presence.may_answer.set()


async def test_a_presence_that_has_lost_everything_is_told_everything(reporting_world: World) -> None:
    attach(reporting_world, 1)
    await is_seen(reporting_world, 1, ONLINE)
    await reporting_world.presence.bench.empty()
    attach(reporting_world, 2)
    await is_seen(reporting_world, 1, ONLINE)
    await is_seen(reporting_world, 2, ONLINE)


async def test_presence_may_ask_for_a_report(reporting_world: World) -> None:
    attach(reporting_world, 1)
    await is_seen(reporting_world, 1, ONLINE)
    await reporting_world.presence.bench.empty()
    reporting_world.presence.bus.publish(channels.REPORTS, b"")
    await is_seen(reporting_world, 1, ONLINE)


async def test_a_gateway_that_ends_leaves(reporting_world: World) -> None:
    attach(reporting_world, 1)
    await is_seen(reporting_world, 1, ONLINE)
    await reporting_world.reporter.stop()
    await is_seen(reporting_world, 1, OFFLINE)


async def test_after_failures_in_a_row_nothing_is_asked_until_a_report_goes_well(
    seen_world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(client, "BUDGET_S", 0.5)
    monkeypatch.setattr(client, "MIN_FAILING_S", 0.0)
    assert not seen_world.presence_client.is_degraded
    seen_world.presence.away = True
    for _ in range(MAX_FAILURES):
        assert not seen_world.presence_client.is_degraded
        with pytest.raises(AppError):
            await seen_world.presence_client.states([1])
    assert seen_world.presence_client.is_degraded
    asked = len(seen_world.presence.asked)
    for ask in (seen_world.presence_client.states([1]), seen_world.presence_client.visible_rows(1, [2])):
        with pytest.raises(AppError):
            await ask
    with pytest.raises(AppError):
        await seen_world.presence_client.choose(1, "invisible", None)
    assert len(seen_world.presence.asked) == asked
    seen_world.presence.away = False
    assert await seen_world.presence_client.report({"opened": [], "closed": [], "full": True})
    assert not seen_world.presence_client.is_degraded
    await seen_world.presence_client.states([1])


async def test_many_failures_of_one_moment_are_a_hiccup_and_lasting_ones_are_not(
    seen_world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen_world.presence.away = True
    for _ in range(5 * MAX_FAILURES):
        with pytest.raises(AppError):
            await seen_world.presence_client.states([1])
    assert not seen_world.presence_client.is_degraded
    monkeypatch.setattr(client, "MIN_FAILING_S", 0.0)
    with pytest.raises(AppError):
        await seen_world.presence_client.states([1])
    assert seen_world.presence_client.is_degraded


async def test_a_report_that_takes_long_is_no_sign_of_health(
    seen_world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(client, "BUDGET_S", 0.0)
    monkeypatch.setattr(client, "MIN_FAILING_S", 0.0)
    seen_world.presence.away = True
    for _ in range(MAX_FAILURES):
        with pytest.raises(AppError):
            await seen_world.presence_client.states([1], deadline_s=1)
    seen_world.presence.away = False
    assert await seen_world.presence_client.report({"opened": [], "closed": [], "full": True})
    assert seen_world.presence_client.is_degraded


async def test_without_a_worker_presence_is_degraded(seen_world: World) -> None:
    await seen_world.presence.stop()
    await until(lambda: seen_world.presence_client.is_degraded)
    with pytest.raises(AppError):
        await seen_world.presence_client.states([1])
    await seen_world.presence.start()
    await until(lambda: not seen_world.presence_client.is_degraded)
