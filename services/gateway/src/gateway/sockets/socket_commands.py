"""Answers the commands that need a socket: subscribe, resume, typing, token refresh and ping."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, Final

from gateway.auth.authenticator import Authenticator
from gateway.connections.connection import Connection
from gateway.connections.hub import Hub, Room
from gateway.connections.rate_limits import TokenBucket
from gateway.delivery.resume import Resumer
from gateway.presence.subscriptions import PresenceSubscriptions
from gateway.settings import GatewaySettings
from messenger_shared.bus import channels
from messenger_shared.bus.interface import Bus
from messenger_shared.contract import errors, timestamps
from messenger_shared.contract.errors import AppError
from messenger_shared.contract.events import TYPING_START, TYPING_STOP, Event, encode_frame, pack
from messenger_shared.contract.operations import conversations, session
from messenger_shared.contract.operations.operation import Body
from messenger_shared.contract.tokens import InvalidToken
from messenger_shared.rpc.client import RpcClient

# A socket may send this many typing commands per second, and ten at once after a pause.
TYPING_PER_S: Final = 1 / 3
TYPING_BURST_S: Final = 30

SocketHandler = Callable[[Connection, Body], Awaitable[Any]]


class SocketCommands:
    """One handler per operation that needs a socket, by the operation's name."""

    def __init__(
        self,
        bus: Bus,
        rpc: RpcClient,
        hub: Hub,
        subscriptions: PresenceSubscriptions,
        resumer: Resumer,
        authenticator: Authenticator,
        settings: GatewaySettings,
    ) -> None:
        self._bus = bus
        self._rpc = rpc
        self._hub = hub
        self._subscriptions = subscriptions
        self._resumer = resumer
        self._authenticator = authenticator
        self._settings = settings
        self.handlers: dict[str, SocketHandler] = {
            session.SUBSCRIBE.name: self.subscribe,
            session.RESUME.name: self.resume,
            session.UNSUBSCRIBE.name: self.unsubscribe,
            session.TYPING_START.name: self.typing_start,
            session.TYPING_STOP.name: self.typing_stop,
            session.AUTH_REFRESH.name: self.auth_refresh,
            session.PING.name: self.ping,
        }

    async def subscribe(self, connection: Connection, body: Body) -> Body:
        """Views a conversation; returns its last numbers and who is online. Replays above `after_pos`."""
        conversation_id, after_pos = body["conversation_id"], body["after_pos"]
        if after_pos is None:
            return await self._view(connection, conversation_id)
        member = self._hub.members[connection.user_id]
        with self._resumer.holding_live_frames(connection, member.rooms.get(conversation_id)):
            answer = await self._view(connection, conversation_id)
            room = self._require_room(connection, conversation_id)
            # Held again: by now the room may be a new one, or there was none before.
            with self._resumer.holding_live_frames(connection, room):
                outcome = await self._resumer.catch_up(connection, member, room, after_pos)
        return answer | {"last_pos": outcome.to, "recovered": outcome.recovered}

    async def resume(self, connection: Connection, body: Body) -> Body:
        """Replays what a socket that was away missed; skips conversations that its user isn't in."""
        member = self._hub.members[connection.user_id]
        conversations_: Body = {}
        for conversation_id, pos in body["positions"].items():
            room = member.rooms.get(conversation_id)
            if room is None:
                continue
            try:
                with self._resumer.holding_live_frames(connection, room):
                    outcome = await self._resumer.catch_up(connection, member, room, pos)
            except AppError as error:
                if error.kind is errors.NOT_FOUND:
                    # The user was removed meanwhile: the same as never having been in it.
                    continue
                raise
            conversations_[conversation_id] = {
                "from": pos,
                "to": outcome.to,
                "recovered": outcome.recovered,
            }
        return {"conversations": conversations_}

    async def _view(self, connection: Connection, conversation_id: str) -> Body:
        with self._subscriptions.collecting_moves() as moves:
            view = await self._rpc.ask(
                conversations.VIEW.service,
                conversations.VIEW.name,
                {"conversation_id": conversation_id},
                key=conversation_id,
                user_id=connection.user_id,
            )
        self._hub.view(connection, self._require_room(connection, conversation_id))
        online = await self._subscriptions.view(connection, conversation_id, view["member_ids"], moves)
        return {
            "conversation_id": conversation_id,
            "last_seq": view["last_seq"],
            "last_pos": view["last_pos"],
            "read_seq": view["read_seq"],
            "recovered": True,
            "online": online,
        }

    async def unsubscribe(self, connection: Connection, body: Body) -> Body:
        """Ends the view of a conversation; its durable events still arrive."""
        end_view(connection, body["conversation_id"], self._hub, self._subscriptions)
        return {}

    async def typing_start(self, connection: Connection, body: Body) -> Body:
        """Tells the sockets that view the conversation that this user types."""
        return self._publish_typing(connection, body, TYPING_START, self._settings.limits.typing_ttl_ms)

    async def typing_stop(self, connection: Connection, body: Body) -> Body:
        """Tells them that the user stopped."""
        return self._publish_typing(connection, body, TYPING_STOP, 0)

    async def auth_refresh(self, connection: Connection, body: Body) -> Body:
        """Extends the socket's life to the expiry of a fresh token of the same user."""
        try:
            identity = await self._authenticator.authenticate(body["token"])
        except InvalidToken:
            raise AppError(errors.UNAUTHORIZED) from None
        if identity.user_id != connection.user_id:
            raise AppError(errors.UNAUTHORIZED)
        connection.identity = identity
        return {"expires_at": timestamps.from_unix(identity.expires_at)}

    async def ping(self, connection: Connection, body: Body) -> Body:
        """Shows that the server is alive to clients that can't see WebSocket pings."""
        return {"ts": body["ts"], "timestamp": timestamps.now_text()}

    def _publish_typing(self, connection: Connection, body: Body, type_: str, expires_in_ms: int) -> Body:
        conversation_id, user_id = body["conversation_id"], connection.user_id
        self._require_room(connection, conversation_id)
        now = asyncio.get_running_loop().time()
        if connection.typing_limit is None:
            connection.typing_limit = TokenBucket(TYPING_PER_S, now, TYPING_BURST_S)
        if connection.typing_limit.take(now):
            # Dropped silently: viewers don't need it so exactly, and end it after `expires_in_ms`.
            return {}
        frame = encode_frame(
            type_, conversation_id=conversation_id, user_id=user_id, expires_in_ms=expires_in_ms
        )
        event = Event(type_, conversation_id, 0, user_id, frame)
        self._bus.publish(channels.conversation(conversation_id), pack([event]))
        return {}

    def _require_room(self, connection: Connection, conversation_id: str) -> Room:
        """The room, if the user is in it. Raises AppError(not_found), also for a missing conversation."""
        member = self._hub.members.get(connection.user_id)
        room = member.rooms.get(conversation_id) if member is not None else None
        if room is None:
            raise AppError(errors.NOT_FOUND)
        return room


def end_view(
    connection: Connection, conversation_id: str, hub: Hub, subscriptions: PresenceSubscriptions
) -> None:
    """Ends a view: the socket gets no ephemeral frames of the conversation any more."""
    subscriptions.unview(connection, conversation_id)
    hub.unview(connection, conversation_id)


def end_views(connection: Connection, hub: Hub, subscriptions: PresenceSubscriptions) -> None:
    """Ends all views and presence subscriptions of a socket that is gone."""
    for conversation_id in list(connection.viewing or ()):
        end_view(connection, conversation_id, hub, subscriptions)
    subscriptions.connection_closed(connection)
