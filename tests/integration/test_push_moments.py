"""Push at the moment of its decision: who reads or looks meanwhile, and whose hours are quiet."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest

from chat_api.push.model import QuietHours
from messenger_shared.contract.errors import AppError
from messenger_shared.postgres.database import Database
from tests.integration.pushing import Pushing, pushing

ADA, BO = 1, 2


@pytest.fixture
async def world(database: Database, database_url: str) -> AsyncIterator[Pushing]:
    async with pushing(database, database_url) as made:
        yield made


async def test_what_is_read_while_it_is_decided_is_closed_too(
    world: Pushing, monkeypatch: pytest.MonkeyPatch
) -> None:
    room = await world.group(ADA, BO)
    bo = await world.browser(BO)
    await world.send(room, ADA, "one")
    ask = world.eyes.ask

    async def read_meanwhile(users: Mapping[str, Sequence[int]]) -> Any:
        await world.read(room, BO, 1)
        return await ask(users)

    monkeypatch.setattr(world.eyes, "ask", read_meanwhile)
    await world.settle(room)
    assert [one["type"] for one in bo.payloads] == ["message", "read"]


async def test_who_looks_is_asked_once_for_several_messages(world: Pushing) -> None:
    room = await world.group(ADA, BO)
    await world.browser(BO)
    for text in ("one", "two", "three"):
        await world.send(room, ADA, text)
    await world.settle(room)
    assert world.eyes.asked == [{room: [BO]}]


async def test_quiet_hours_are_those_of_the_users_zone_and_go_over_midnight(world: Pushing) -> None:
    room = await world.group(ADA, BO)
    await world.send(room, ADA, "one")
    # Fourteen hours before UTC all year, so that hours of another zone are noticed.
    now, hour = datetime.now(timezone(timedelta(hours=14))), timedelta(hours=1)

    async def is_quiet(start: datetime, end: datetime) -> bool:
        hours = QuietHours(f"{start:%H:%M}", f"{end:%H:%M}", "Pacific/Kiritimati")
        await world.store.set_quiet_hours(BO, hours)
        facts = await world.store.facts(BO, room, 1, BO)
        assert facts is not None
        return facts.is_quiet

    assert await is_quiet(now - hour, now + hour)
    assert await is_quiet(now - hour, now - 2 * hour)
    assert not await is_quiet(now + hour, now - hour)
    assert not await is_quiet(now + hour, now + 2 * hour)
    with pytest.raises(AppError) as refused:
        await world.store.set_quiet_hours(BO, QuietHours("22:00", "07:00", "UTC+9"))
    assert refused.value.details == {"quiet_hours": ["timezone: Not a time zone that the server knows."]}
