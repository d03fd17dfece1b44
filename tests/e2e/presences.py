"""Owns what a test sees of somebody's presence: over each route, and as it is told to a socket."""

from __future__ import annotations

from typing import Any
from weakref import WeakKeyDictionary

from tests.client import Frame, Person, Socket
from tests.conftest import PRESENCE_GRACE_MS
from tests.waiting import eventually, until

# The grace, the time in which gateways may not have reported yet, and a slow machine.
GONE_S = 15.0
SETTLED_S = 10.0
_STATUSES = {"user.online": "online", "user.away": "away", "user.offline": "offline"}
GRACE_S = PRESENCE_GRACE_MS / 1000
# Socket -> user -> how much of what it was told of him was waited for: one frame may tell of several.
_HEARD: WeakKeyDictionary[Socket, dict[int, int]] = WeakKeyDictionary()

Row = dict[str, Any]


def rows_of(frame: Frame, user_id: int) -> list[Row]:
    """What a frame tells of a user, unasked."""
    if frame["type"] == "presence.batch":
        return [row for row in frame["users"] if row["user_id"] == user_id]
    if frame["type"] in _STATUSES and frame["user_id"] == user_id:
        return [{"status": _STATUSES[frame["type"]], **frame}]
    return []


def told(socket: Socket, person: Person) -> list[str]:
    """All that the socket was told of somebody, in that order."""
    return [row["status"] for frame in socket.frames for row in rows_of(frame, person.user_id)]


async def hears(socket: Socket, person: Person, status: str, timeout_s: float = GONE_S) -> Row:
    """Waits until the socket is told that somebody is so, after what was waited for before; that row."""
    heard = _HEARD.setdefault(socket, {})
    found: Row = {}

    def is_told() -> bool:
        rows = [row for frame in socket.frames for row in rows_of(frame, person.user_id)]
        for number, row in enumerate(rows[heard.get(person.user_id, 0) :], heard.get(person.user_id, 0)):
            if row["status"] == status:
                heard[person.user_id] = number + 1
                found.update(row)
                return True
        return False

    await until(is_told, timeout_s)
    return found


async def looking_at(person: Person, room: str) -> Socket:
    """A socket of the person that looks at the conversation."""
    socket = await person.connect()
    assert (await socket.request("subscribe", conversation_id=room))["type"] == "subscribed"
    return socket


async def seen_by(looker: Person, person: Person, room: str) -> dict[str, Any]:
    """How the looker sees somebody, by every way of asking; None where he is left out."""
    socket = await looker.connect()
    user_id = person.user_id
    subscribed = await socket.request("subscribe", conversation_id=room)
    watched = await socket.request("presence.watch", user_ids=[user_id])
    listed = (await looker.get("/presence", user_ids=str(user_id))).body
    online = (await looker.get("/presence/online")).body
    alone = await looker.get(f"/presence/{user_id}")
    await socket.close()
    assert listed["next_cursor"] is None
    # One and the same row, however it is asked for.
    rows = [row for row in (alone.body, *listed["items"], *watched["users"]) if row.get("user_id") == user_id]
    assert all(row == rows[0] for row in rows)
    assert alone.status == (200 if rows else 404)
    return {
        "row": rows[0] if len(rows) == 3 else None,
        "subscribed": user_id in subscribed["online"],
        "listed": next((row["status"] for row in online["items"] if row["user_id"] == user_id), None),
    }


def as_(person: Person, status: str, last_seen_at: str | None = None) -> dict[str, Any]:
    """What `seen_by` gives for somebody who is seen so."""
    row = {"user_id": person.user_id, "status": status, "last_seen_at": last_seen_at}
    here = status != "offline"
    return {"row": row, "subscribed": here, "listed": status if here else None}


async def becomes(looker: Person, person: Person, status: str, timeout_s: float = GONE_S) -> Row:
    """Waits until the looker sees somebody so over REST; the row."""
    row: Row = {}

    async def is_so() -> bool:
        nonlocal row
        row = (await looker.get(f"/presence/{person.user_id}")).body
        return bool(row.get("status") == status)

    await eventually(is_so, timeout_s)
    return row
