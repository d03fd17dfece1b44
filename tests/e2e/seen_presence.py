"""What a test sees of a user's presence: over each route, and in the frames of a socket."""

from __future__ import annotations

from typing import Any
from weakref import WeakKeyDictionary

from tests.client import Frame, Socket, User
from tests.conftest import PRESENCE_GRACE_MS
from tests.waiting import eventually, until

# The grace period, the time in which gateways may not have reported yet, and a slow machine.
GONE_S = 15.0
SETTLED_S = 10.0
_STATUSES = {"user.online": "online", "user.away": "away", "user.offline": "offline"}
GRACE_S = PRESENCE_GRACE_MS / 1000
# Socket -> user -> how many of the user's rows were waited for already; one frame may hold several.
_CONSUMED: WeakKeyDictionary[Socket, dict[int, int]] = WeakKeyDictionary()

Row = dict[str, Any]


def rows_of(frame: Frame, user_id: int) -> list[Row]:
    """Returns the rows of an unrequested frame about a user."""
    if frame["type"] == "presence.batch":
        return [row for row in frame["users"] if row["user_id"] == user_id]
    if frame["type"] in _STATUSES and frame["user_id"] == user_id:
        return [{"status": _STATUSES[frame["type"]], **frame}]
    return []


def received_statuses(socket: Socket, user: User) -> list[str]:
    """Returns all the states of a user that the socket got, in order."""
    return [row["status"] for frame in socket.frames for row in rows_of(frame, user.user_id)]


async def wait_for_status(socket: Socket, user: User, status: str, timeout_s: float = GONE_S) -> Row:
    """Waits until the socket gets this state of the user, after those that were waited for before; returns
    the row.
    """
    consumed = _CONSUMED.setdefault(socket, {})
    found: Row = {}

    def has_status() -> bool:
        rows = [row for frame in socket.frames for row in rows_of(frame, user.user_id)]
        for number, row in enumerate(rows[consumed.get(user.user_id, 0) :], consumed.get(user.user_id, 0)):
            if row["status"] == status:
                consumed[user.user_id] = number + 1
                found.update(row)
                return True
        return False

    await until(has_status, timeout_s)
    return found


async def open_viewing_socket(user: User, room: str) -> Socket:
    """Returns a socket of the user that views the conversation."""
    socket = await user.connect()
    assert (await socket.request("subscribe", conversation_id=room))["type"] == "subscribed"
    return socket


async def presence_as_seen_by(viewer: User, user: User, room: str) -> dict[str, Any]:
    """Returns how the viewer sees the user, by every way of asking; None where the user is left out."""
    socket = await viewer.connect()
    user_id = user.user_id
    subscribed = await socket.request("subscribe", conversation_id=room)
    watched = await socket.request("presence.watch", user_ids=[user_id])
    listed = (await viewer.get("/presence", user_ids=str(user_id))).body
    online = (await viewer.get("/presence/online")).body
    alone = await viewer.get(f"/presence/{user_id}")
    await socket.close()
    assert listed["next_cursor"] is None
    # The row is the same in every answer.
    rows = [row for row in (alone.body, *listed["items"], *watched["users"]) if row.get("user_id") == user_id]
    assert all(row == rows[0] for row in rows)
    assert alone.status == (200 if rows else 404)
    return {
        "row": rows[0] if len(rows) == 3 else None,
        "subscribed": user_id in subscribed["online"],
        "listed": next((row["status"] for row in online["items"] if row["user_id"] == user_id), None),
    }


def expected_presence(user: User, status: str, last_seen_at: str | None = None) -> dict[str, Any]:
    """Returns what `presence_as_seen_by` gives for a user who is seen with this state."""
    row = {"user_id": user.user_id, "status": status, "last_seen_at": last_seen_at}
    here = status != "offline"
    return {"row": row, "subscribed": here, "listed": status if here else None}


async def wait_for_rest_status(viewer: User, user: User, status: str, timeout_s: float = GONE_S) -> Row:
    """Waits until the viewer sees this state of the user over REST; returns the row."""
    row: Row = {}

    async def has_status() -> bool:
        nonlocal row
        row = (await viewer.get(f"/presence/{user.user_id}")).body
        return bool(row.get("status") == status)

    await eventually(has_status, timeout_s)
    return row
