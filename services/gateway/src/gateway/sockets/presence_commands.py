"""Answers the presence commands: a user's own status, and the presence subscriptions of a socket."""

from __future__ import annotations

from typing import Any, Final

from gateway.connections.connection import Connection
from gateway.presence.client import PresenceClient, Row
from gateway.presence.reporter import PresenceReporter
from gateway.presence.subscriptions import PresenceSubscriptions
from gateway.sockets.socket_commands import SocketHandler
from messenger_shared.contract.operations import presence
from messenger_shared.contract.operations.operation import Body
from messenger_shared.contract.presence_states import AWAY, INVISIBLE

# These concern no conversation and ask another service. In a queue of their own they hold up no message.
SIDE_QUEUE: Final = frozenset((presence.SET.name, presence.WATCH.name, presence.UNWATCH.name))


class PresenceCommands:
    """One handler per operation, by the operation's name."""

    def __init__(
        self,
        presence_client: PresenceClient,
        subscriptions: PresenceSubscriptions,
        reporter: PresenceReporter,
    ) -> None:
        self._presence_client = presence_client
        self._subscriptions = subscriptions
        self._reporter = reporter
        self.handlers: dict[str, SocketHandler] = {
            presence.SET.name: self.set,
            presence.WATCH.name: self.watch,
            presence.UNWATCH.name: self.unwatch,
        }

    async def set(self, connection: Connection, body: Body) -> Body:
        """Away applies to the socket, invisible to the user; any other status ends invisible."""
        status, visibility = body["status"], body["last_seen_visibility"]
        if status is None and visibility is None:
            return {}
        if status is not None and status != INVISIBLE:
            connection.is_away = status == AWAY
            await self._reporter.wait_known(connection.user_id)
        await self._presence_client.choose(connection.user_id, status, visibility)
        return {}

    async def watch(self, connection: Connection, body: Body) -> list[Row]:
        """Subscribes the socket to these users; returns a row for each that its user may see."""
        return await self._subscriptions.watch(connection, body["user_ids"])

    async def unwatch(self, connection: Connection, body: Body) -> list[Any]:
        """Ends the subscriptions to these users; the answer has no rows."""
        self._subscriptions.unwatch(connection, body["user_ids"])
        return []
