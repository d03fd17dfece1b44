"""Reads the end state of a run as a client does: the stored history, and who is online."""

from __future__ import annotations

import asyncio

from tests.faults.actors.device import Device
from tests.faults.actors.gateway_client import GONE
from tests.faults.actors.population import Actors
from tests.faults.actors.user import User
from tests.faults.record.events import ReceivedEvent
from tests.faults.record.history import ARCHIVE, REST, DeviceView
from tests.faults.record.run import Violation

PAGE = 100
_PAUSE_S = 0.2


async def read_archive(actors: Actors, timeout_s: float) -> None:
    """Reads every conversation from its first to its last message over REST, as its creator."""
    try:
        async with asyncio.timeout(timeout_s):
            for room, owner in actors.owners.items():
                await _read_room(actors, room, owner)
    except GONE as error:
        actors.history.refused(owner.user_id, f"the history of {room}: {error!r}")


async def _read_room(actors: Actors, room: str, owner: User) -> None:
    device, history, start, more = owner.devices[0], actors.history, 0, True
    view = history.view(ARCHIVE, room)
    while more:
        path = f"/conversations/{room}/messages?after_seq={start}&limit={PAGE}"
        reply = await device.gateway.call("GET", path, device.token)
        if reply.status == 404:
            history.refused(owner.user_id, f"no such conversation: {room}")
            return
        if reply.status != 200:
            await asyncio.sleep(_PAUSE_S)
            continue
        for item in reply.body["items"]:
            view.add(history.now(), REST, ReceivedEvent.from_history(item))
            start = item["seq"]
        more = reply.body["has_more"]
    await _read_pins(device, room, view)


async def _read_pins(device: Device, room: str, view: DeviceView) -> None:
    while True:
        reply = await device.gateway.call("GET", f"/conversations/{room}/pins?limit=100", device.token)
        if reply.status == 200:
            view.add(device.history.now(), REST, ReceivedEvent.from_pins(room, reply.body["items"]))
            return
        await asyncio.sleep(_PAUSE_S)


async def presence_of(actors: Actors, timeout_s: float) -> list[Violation]:
    """Finds connected users who are not shown as online."""
    room, owner = next(iter(actors.owners.items()))
    wanted = set(actors.history.members[room])
    missing = wanted
    try:
        async with asyncio.timeout(timeout_s):
            while missing:
                missing = wanted - await _online(owner, room)
                await asyncio.sleep(_PAUSE_S)
    except TimeoutError:
        return [
            Violation("absent", (user_id, 0), room, "here, and not online") for user_id in sorted(missing)
        ]
    return []


async def _online(owner: User, room: str) -> set[int]:
    try:
        answer = await owner.devices[0].current_connection().request("subscribe", conversation_id=room)
    except GONE:
        return set()
    return set(answer.get("online", ()))
