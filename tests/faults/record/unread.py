"""Reads how many unread mentions each user is told of at the end, before and after reading everything."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

from tests.faults.actors.device import Device
from tests.faults.actors.gateway_client import GONE
from tests.faults.actors.population import Actors
from tests.faults.record.database import Tables
from tests.faults.record.run import Violation

_PAUSE_S = 0.2


async def unread_mentions(actors: Actors, tables: Tables, timeout_s: float) -> list[Violation]:
    """Marks everything as read. Finds numbers that aren't those of the tables, and are not 0 afterwards."""
    devices = [user.devices[0] for user in actors.all_users]
    try:
        async with asyncio.timeout(timeout_s):
            found = await asyncio.gather(*(_check(device, tables) for device in devices))
    except GONE as error:
        return [Violation("refused", (0, 0), "", f"counting unread mentions: {error!r}")]
    return [violation for violations in found for violation in violations]


async def _check(device: Device, tables: Tables) -> list[Violation]:
    rows = await _ask(device, "GET", "/sync?limit=100")
    found = list(_miscounted(device, tables, rows["items"]))
    for row in rows["items"]:
        if row["read_seq"] < row["last_seq"]:
            path = f"/conversations/{row['conversation_id']}/read"
            await _ask(device, "PUT", path, {"seq": row["last_seq"]})
    rows = await _ask(device, "GET", "/sync?limit=100")
    return [*found, *_miscounted(device, tables, rows["items"])]


def _miscounted(device: Device, tables: Tables, rows: list[dict[str, Any]]) -> Iterator[Violation]:
    user_id = device.device_id[0]
    for row in rows:
        room, read_seq = row["conversation_id"], row["read_seq"]
        mentions = [
            message.seq
            for message in tables.messages.get(room, ())
            if user_id in message.mentions
            and message.key.sender_id != user_id
            and message.seq > read_seq
            and tables.may_see(user_id, room, message.seq)
        ]
        if row["unread_mentions"] != len(mentions):
            what = f"{row['unread_mentions']} unread mentions above {read_seq}, but stored are {mentions}"
            yield Violation("stale", device.device_id, room, what)


async def _ask(device: Device, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
    while True:
        reply = await device.gateway.call(method, path, device.token, body)
        if reply.status == 200:
            return reply.body
        await asyncio.sleep(_PAUSE_S)
