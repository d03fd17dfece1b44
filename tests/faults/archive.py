"""Owns the last looks at a run: the stored history as a client reads it, and who is said to be online."""

from __future__ import annotations

import asyncio

from tests.faults.cast import Cast
from tests.faults.door import GONE
from tests.faults.history import ARCHIVE, REST
from tests.faults.person import Person
from tests.faults.run import Violation
from tests.faults.told import Told

PAGE = 100
_PAUSE_S = 0.2


async def read_archive(cast: Cast, patience_s: float) -> None:
    """Reads every conversation from its first to its last message over REST, as its creator."""
    try:
        async with asyncio.timeout(patience_s):
            for room, owner in cast.owners.items():
                await _read_room(cast, room, owner)
    except GONE as error:
        cast.history.refused(owner.user_id, f"the history of {room}: {error!r}")


async def _read_room(cast: Cast, room: str, owner: Person) -> None:
    device, history, start, more = owner.devices[0], cast.history, 0, True
    view = history.view(ARCHIVE, room)
    while more:
        path = f"/conversations/{room}/messages?after_seq={start}&limit={PAGE}"
        reply = await device.door.call("GET", path, device.token)
        if reply.status == 404:
            history.refused(owner.user_id, f"no such conversation: {room}")
            return
        if reply.status != 200:
            await asyncio.sleep(_PAUSE_S)
            continue
        for item in reply.body["items"]:
            view.add(history.now(), REST, Told.from_history(item))
            start = item["seq"]
        more = reply.body["has_more"]


async def presence_of(cast: Cast, patience_s: float) -> list[Violation]:
    """Whoever is here and isn't said to be."""
    room, owner = next(iter(cast.owners.items()))
    wanted = set(cast.history.members[room])
    missing = wanted
    try:
        async with asyncio.timeout(patience_s):
            while missing:
                missing = wanted - await _online(owner, room)
                await asyncio.sleep(_PAUSE_S)
    except TimeoutError:
        return [
            Violation("absent", (user_id, 0), room, "here, and not online") for user_id in sorted(missing)
        ]
    return []


async def _online(owner: Person, room: str) -> set[int]:
    try:
        answer = await owner.devices[0].open_line().request("subscribe", conversation_id=room)
    except GONE:
        return set()
    return set(answer.get("online", ()))
