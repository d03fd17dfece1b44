"""What a gateway tells presence of its users, and how it goes on without an answer."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from gateway import reach, reporting
from gateway.reach import FAILURES
from messenger_shared import channels
from messenger_shared.errors import AppError
from messenger_shared.presences import AWAY, OFFLINE, ONLINE
from tests.gateway.presence_world import PresenceWorld
from tests.presence.stores import seen
from tests.waiting import eventually, until

World = PresenceWorld


@pytest.fixture
async def reporting_world(seen_world: World, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[World]:
    monkeypatch.setattr(reporting, "RETRY_S", 0.01)
    await seen_world.reporting.start()
    await until(lambda: seen_world.presence.asked)
    yield seen_world
    await seen_world.reporting.stop()


def attach(world: World, user_id: int) -> Any:
    connection, _ = world.connect(user_id)
    world.reporting.changed(user_id)
    return connection


def detach(world: World, connection: Any) -> None:
    member = world.hub.members[connection.user_id]
    world.hub.detach(member, connection)
    world.reporting.changed(connection.user_id)
    if not member.connections:
        del world.hub.members[connection.user_id]
        world.reporting.changed(connection.user_id)


async def is_seen(world: World, user_id: int, status: str) -> None:
    async def is_so() -> bool:
        return await seen(world.presence.bench, user_id) == [status]

    await eventually(is_so)


async def test_sockets_make_users_present_and_away(reporting_world: World) -> None:
    one, other = attach(reporting_world, 1), attach(reporting_world, 1)
    await is_seen(reporting_world, 1, ONLINE)
    one.away = other.away = True
    reporting_world.reporting.changed(1)
    await is_seen(reporting_world, 1, AWAY)
    other.away = False
    reporting_world.reporting.changed(1)
    await is_seen(reporting_world, 1, ONLINE)
    detach(reporting_world, other)
    await is_seen(reporting_world, 1, AWAY)
    detach(reporting_world, one)
    await is_seen(reporting_world, 1, OFFLINE)


async def test_who_is_away_and_just_ending_his_last_socket_is_away_still(reporting_world: World) -> None:
    connection = attach(reporting_world, 1)
    connection.away = True
    await reporting_world.reporting.told(1)
    reporting_world.hub.detach(reporting_world.hub.members[1], connection)
    reporting_world.reporting.changed(1)
    await reporting_world.presence.bench.empty()
    reporting_world.presence.bus.publish(channels.REPORTS, b"")
    await is_seen(reporting_world, 1, AWAY)


async def test_what_changes_nothing_for_presence_is_not_told(reporting_world: World) -> None:
    first = attach(reporting_world, 1)
    await is_seen(reporting_world, 1, ONLINE)
    await asyncio.sleep(2 * reporting.GATHER_S)
    asked = len(reporting_world.presence.asked)
    detach(reporting_world, attach(reporting_world, 1))
    await asyncio.sleep(2 * reporting.GATHER_S)
    assert len(reporting_world.presence.asked) == asked
    assert first in reporting_world.hub.members[1].connections


async def test_who_changes_while_a_report_is_under_way_is_told_in_the_next(reporting_world: World) -> None:
    attach(reporting_world, 1)
    await is_seen(reporting_world, 1, ONLINE)
    reporting_world.presence.answering.clear()
    asked = len(reporting_world.presence.asked)
    [connection] = reporting_world.hub.members[1].connections
    detach(reporting_world, connection)
    await until(lambda: len(reporting_world.presence.asked) > asked)
    attach(reporting_world, 1)
    reporting_world.presence.answering.set()
    await is_seen(reporting_world, 1, ONLINE)


async def test_who_waits_is_told_when_presence_knows(reporting_world: World) -> None:
    connection = attach(reporting_world, 1)
    connection.away = True
    await reporting_world.reporting.told(1)
    assert await seen(reporting_world.presence.bench, 1) == [AWAY]
    await reporting_world.reporting.told(1)
    connection.away = False
    reporting_world.presence.answering.clear()
    reporting_world.reporting.changed(1)
    await until(lambda: reporting_world.presence.asked[-1] == "presence.report")
    waiting = asyncio.create_task(reporting_world.reporting.told(1))
    await asyncio.sleep(0.02)
    assert not waiting.done()
    reporting_world.presence.answering.set()
    await asyncio.wait_for(waiting, 2)


async def test_nobody_waits_for_presence_for_long(
    reporting_world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reporting, "TOLD_S", 0.05)
    reporting_world.presence.answering.clear()
    attach(reporting_world, 1)
    await asyncio.wait_for(reporting_world.reporting.told(1), 2)
    reporting_world.presence.answering.set()


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
    await reporting_world.reporting.stop()
    await is_seen(reporting_world, 1, OFFLINE)


async def test_after_failures_in_a_row_nothing_is_asked_until_a_report_goes_well(
    seen_world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reach, "BUDGET_S", 0.5)
    assert not seen_world.reach.degraded
    seen_world.presence.away = True
    for _ in range(FAILURES):
        assert not seen_world.reach.degraded
        with pytest.raises(AppError):
            await seen_world.reach.states([1])
    assert seen_world.reach.degraded
    asked = len(seen_world.presence.asked)
    for ask in (seen_world.reach.states([1]), seen_world.reach.look(1, [2])):
        with pytest.raises(AppError):
            await ask
    with pytest.raises(AppError):
        await seen_world.reach.choose(1, "invisible", None)
    assert len(seen_world.presence.asked) == asked
    seen_world.presence.away = False
    assert await seen_world.reach.report({"opened": [], "closed": [], "full": True})
    assert not seen_world.reach.degraded
    await seen_world.reach.states([1])


async def test_a_report_that_takes_long_is_no_sign_of_health(
    seen_world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reach, "BUDGET_S", 0.0)
    seen_world.presence.away = True
    for _ in range(FAILURES):
        with pytest.raises(AppError):
            await seen_world.reach.states([1], deadline_s=1)
    seen_world.presence.away = False
    assert await seen_world.reach.report({"opened": [], "closed": [], "full": True})
    assert seen_world.reach.degraded


async def test_without_a_worker_presence_is_degraded(seen_world: World) -> None:
    await seen_world.presence.stop()
    await until(lambda: seen_world.reach.degraded)
    with pytest.raises(AppError):
        await seen_world.reach.states([1])
    await seen_world.presence.start()
    await until(lambda: not seen_world.reach.degraded)
