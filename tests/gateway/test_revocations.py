"""Tokens are revoked up to a moment, by a bus message or by what Redis keeps, and never by invalid data."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from typing import Any

import orjson
import pytest

from gateway.app import build_app
from gateway.auth import revocations
from gateway.connections.connection import Connection
from gateway.settings import GatewaySettings
from messenger_shared.bus import channels
from messenger_shared.bus.revocations import message
from messenger_shared.contract import errors
from messenger_shared.contract.errors import AppError
from messenger_shared.contract.events import Event, InternalEvent, pack
from messenger_shared.contract.tokens import Identity
from messenger_shared.settings.environment import Environment
from tests.gateway.world import REQUIRED_SETTINGS, GatewayWorld
from tests.waiting import until

USER = 1


@pytest.fixture
async def world() -> AsyncIterator[GatewayWorld]:
    world = GatewayWorld()
    await world.start()
    yield world
    await world.stop()


async def sockets_of(world: GatewayWorld, *issued_at: float) -> list[Connection]:
    """Opens sockets of the user with tokens issued at these moments."""
    for moment in issued_at:
        await world.connect(USER)
        connection = world.hub.members[USER].connections[-1]
        connection.identity = Identity(USER, 9e9, moment)
    return world.hub.members[USER].connections


def is_closed(connection: Connection) -> bool:
    return connection.closing is not None


async def test_a_revocation_message_closes_sockets_with_older_tokens(world: GatewayWorld) -> None:
    now = time.time()
    old, unknown, fresh = await sockets_of(world, now - 5, 0, now + 1)
    world.chat.bus.publish(channels.user(USER), message(USER, now))
    await until(lambda: is_closed(old) and is_closed(unknown))
    assert not is_closed(fresh)
    assert world.revocations.is_revoked(Identity(USER, 9e9, now))
    assert not world.revocations.is_revoked(Identity(USER, 9e9, now + 1))
    assert not world.revocations.is_revoked(Identity(USER + 1, 9e9, 0))


@pytest.mark.parametrize("moment", [None, "x", [], True, 0, -1, 1e300, 9e9, b"nonsense"])
async def test_a_revocation_with_an_impossible_moment_is_ignored(world: GatewayWorld, moment: Any) -> None:
    [connection] = await sockets_of(world, 5)
    frame = moment if isinstance(moment, bytes) else orjson.dumps(moment)
    forged = pack([Event(InternalEvent.SESSIONS_REVOKED, "", 0, USER, frame)])
    world.chat.bus.publish(channels.user(USER), forged)
    world.chat.bus.publish(channels.user(USER), message(USER, 4))
    await until(lambda: world.revocations.is_revoked(Identity(USER, 9e9, 4)))
    assert not is_closed(connection)


async def test_a_missed_revocation_is_read_from_redis_also_after_an_outage(
    world: GatewayWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[float] = []

    async def load(redis: Any, since: float) -> dict[int, float]:
        asked.append(since)
        if len(asked) == 2:
            raise AppError(errors.UNAVAILABLE)
        return {} if len(asked) < 4 else {USER: 100.0}

    monkeypatch.setattr(revocations, "POLL_S", 0.001)
    monkeypatch.setattr(revocations.revocations, "load", load)
    [connection] = await sockets_of(world, 50)
    await world.revocations.start()
    await until(lambda: is_closed(connection))
    await until(lambda: asked[-1] == 90.0)
    await world.revocations.stop()


async def test_a_clock_that_was_set_back_spares_no_token(
    world: GatewayWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def save(redis: Any, user_id: int, moment: float) -> None:
        pass

    monkeypatch.setattr(revocations.revocations, "save", save)
    [connection] = await sockets_of(world, time.time() - 5)
    now = time.time
    monkeypatch.setattr(time, "time", lambda: now() - 3_600)
    await world.revocations.revoke(USER)
    await until(lambda: is_closed(connection))


async def test_a_stored_moment_in_the_future_locks_no_user_out_for_long(
    world: GatewayWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[float] = []
    kept_there = {USER: time.time() + 3_600}

    async def load(redis: Any, since: float) -> dict[int, float]:
        asked.append(since)
        return {user: moment for user, moment in kept_there.items() if moment >= since}

    monkeypatch.setattr(revocations, "POLL_S", 0.001)
    monkeypatch.setattr(revocations, "POLLS_PER_FULL_READ", 3)
    monkeypatch.setattr(revocations.revocations, "load", load)
    [connection] = await sockets_of(world, time.time() - 5)
    await world.revocations.start()
    await until(lambda: is_closed(connection))
    # Another gateway's clock is right, but so far behind that this revocation isn't among the newest ones.
    kept_there[USER + 1] = 100.0
    await until(lambda: world.revocations.is_revoked(Identity(USER + 1, 9e9, 50)))
    assert not world.revocations.is_revoked(Identity(USER, 9e9, time.time() + 60))
    await world.revocations.stop()


async def test_no_user_stays_locked_out_after_our_fast_clock_is_corrected(
    world: GatewayWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def save(redis: Any, user_id: int, moment: float) -> None:
        pass

    async def load(redis: Any, since: float) -> dict[int, float]:
        return {}

    monkeypatch.setattr(revocations, "POLL_S", 0.001)
    monkeypatch.setattr(revocations.revocations, "save", save)
    monkeypatch.setattr(revocations.revocations, "load", load)
    await world.revocations.start()
    right = time.time
    with monkeypatch.context() as patch:
        patch.setattr(time, "time", lambda: right() + 3_600)
        await world.revocations.revoke(USER)
    fresh = Identity(USER, 9e9, right() + 60)
    assert world.revocations.is_revoked(fresh)
    await until(lambda: not world.revocations.is_revoked(fresh))
    assert world.revocations.is_revoked(Identity(USER, 9e9, right() - 5))
    await world.revocations.stop()


async def test_starting_waits_for_redis(world: GatewayWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[float] = []

    async def load(redis: Any, since: float) -> dict[int, float]:
        asked.append(since)
        if len(asked) < 3:
            raise AppError(errors.UNAVAILABLE)
        return {USER: 100.0}

    monkeypatch.setattr(revocations, "START_RETRY_S", 0.001)
    monkeypatch.setattr(revocations.revocations, "load", load)
    await world.revocations.start()
    assert world.revocations.is_revoked(Identity(USER, 9e9, 50))
    await world.revocations.stop()


async def test_starting_fails_when_redis_stays_away(
    world: GatewayWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def load(redis: Any, since: float) -> dict[int, float]:
        raise AppError(errors.UNAVAILABLE)

    monkeypatch.setattr(revocations, "START_RETRY_S", 0.001)
    monkeypatch.setattr(revocations, "START_TIMEOUT_S", 0.01)
    monkeypatch.setattr(revocations.revocations, "load", load)
    with pytest.raises(AppError):
        await world.revocations.start()


async def test_admin_routes_exist_only_if_they_are_switched_on() -> None:
    for variables, expected in (
        ({}, False),
        ({"MESSENGER_ADMIN_API": "0"}, False),
        ({"MESSENGER_ADMIN_API": "1"}, True),
    ):
        app = build_app(GatewaySettings.read(Environment(REQUIRED_SETTINGS | variables)))
        assert any("/admin/" in resource.canonical for resource in app.router.resources()) is expected
