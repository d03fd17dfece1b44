"""Owns the commands on who is there: what a socket says of its user, and whom it asks to be told of."""

from __future__ import annotations

from typing import Any, Final

from gateway.connection import Connection
from gateway.reach import Reach, Row
from gateway.reporting import Reporting
from gateway.session import SocketHandler
from gateway.watching import Watching
from messenger_shared.operations import presence
from messenger_shared.operations.operation import Body
from messenger_shared.presences import AWAY, INVISIBLE

# They concern no conversation and ask another service: in a queue of their own, they hold up no message.
ASIDE: Final = frozenset((presence.SET.name, presence.WATCH.name, presence.UNWATCH.name))


class PresenceSession:
    """A handler per operation."""

    def __init__(self, reach: Reach, watching: Watching, reporting: Reporting) -> None:
        self._reach = reach
        self._watching = watching
        self._reporting = reporting
        self.handlers: dict[str, SocketHandler] = {
            presence.SET.name: self.set,
            presence.WATCH.name: self.watch,
            presence.UNWATCH.name: self.unwatch,
        }

    async def set(self, connection: Connection, body: Body) -> Body:
        """Away is the socket's, invisible the user's; who says anything else is not invisible any more."""
        status, visibility = body["status"], body["last_seen_visibility"]
        if status is None and visibility is None:
            return {}
        if status is not None and status != INVISIBLE:
            connection.away = status == AWAY
            await self._reporting.told(connection.user_id)
        await self._reach.choose(connection.user_id, status, visibility)
        return {}

    async def watch(self, connection: Connection, body: Body) -> list[Row]:
        """The socket is told of these from now on."""
        return await self._watching.watch(connection, body["user_ids"])

    async def unwatch(self, connection: Connection, body: Body) -> list[Any]:
        """And of these no more, so that there is nothing to tell."""
        self._watching.unwatch(connection, body["user_ids"])
        return []
