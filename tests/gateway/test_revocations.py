"""Tokens are taken back up to a moment, by a message or by what Redis keeps, and never by nonsense."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from typing import Any

import orjson
import pytest

from gateway import revocations
from gateway.app import build_app
from gateway.connection import Connection
from gateway.settings import GatewaySettings
from messenger_shared import channels, errors
from messenger_shared.errors import AppError
from messenger_shared.events import Between, Event, pack
from messenger_shared.revocations import message
from messenger_shared.settings import Environment
from messenger_shared.tokens import Identity
from tests.gateway.world import FEWEST, GatewayWorld
from tests.waiting import until

USER = 1


@pytest.fixture
async def world() -> AsyncIterator[GatewayWorld]:
    world = GatewayWorld()
    await world.start()
    yield world
    await world.stop()


async def sockets_of(world: GatewayWorld, *issued_at: float) -> list[Connection]:
    """Sockets of the user by tokens of these moments."""
    for moment in issued_at:
        await world.connect(USER)
        connection = world.hub.members[USER].connections[-1]
        connection.identity = Identity(USER, 9e9, moment)
    return world.hub.members[USER].connections


def is_closed(connection: Connection) -> bool:
    return connection.closing is not None


async def test_a_message_closes_the_sockets_of_tokens_from_before_it(world: GatewayWorld) -> None:
    now = time.time()
    old, unknown, fresh = await sockets_of(world, now - 5, 0, now + 1)
    world.chat.bus.publish(channels.user(USER), message(USER, now))
    await until(lambda: is_closed(old) and is_closed(unknown))
    assert not is_closed(fresh)
    assert world.revocations.covers(Identity(USER, 9e9, now))
    assert not world.revocations.covers(Identity(USER, 9e9, now + 1))
    assert not world.revocations.covers(Identity(USER + 1, 9e9, 0))


@pytest.mark.parametrize("moment", [None, "x", [], True, 0, -1, 1e300, time.time() + 3_600, b"nonsense"])
async def test_a_moment_that_cannot_be_is_not_believed(world: GatewayWorld, moment: Any) -> None:
    [connection] = await sockets_of(world, 5)
    frame = moment if isinstance(moment, bytes) else orjson.dumps(moment)
    forged = pack([Event(Between.SESSIONS_REVOKED, "", 0, USER, frame)])
    world.chat.bus.publish(channels.user(USER), forged)
    world.chat.bus.publish(channels.user(USER), message(USER, 4))
    await until(lambda: world.revocations.covers(Identity(USER, 9e9, 4)))
    assert not is_closed(connection)


async def test_what_the_message_did_not_reach_is_read_from_redis_also_after_it_was_away(
    world: GatewayWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[float] = []

    async def kept(redis: Any, since: float) -> dict[int, float]:
        asked.append(since)
        if len(asked) == 2:
            raise AppError(errors.UNAVAILABLE)
        return {} if len(asked) < 4 else {USER: 100.0}

    monkeypatch.setattr(revocations, "POLL_S", 0.001)
    monkeypatch.setattr(revocations.revocations, "kept", kept)
    [connection] = await sockets_of(world, 50)
    await world.revocations.start()
    await until(lambda: is_closed(connection))
    await until(lambda: asked[-1] == 90.0)
    await world.revocations.stop()


async def test_the_route_for_operators_is_there_only_if_it_was_switched_on() -> None:
    for variables, expected in (
        ({}, False),
        ({"MESSENGER_ADMIN_API": "0"}, False),
        ({"MESSENGER_ADMIN_API": "1"}, True),
    ):
        app = build_app(GatewaySettings.read(Environment(FEWEST | variables)))
        assert any("/admin/" in resource.canonical for resource in app.router.resources()) is expected
