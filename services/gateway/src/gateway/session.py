"""Owns the commands that need a socket: what it looks at, typing, its token, its pulse."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, Final

from gateway.connection import Connection
from gateway.hub import Hub, Room
from gateway.limits import Bucket
from gateway.resuming import Resuming
from gateway.settings import GatewaySettings
from gateway.watching import Watching
from messenger_shared import channels, clock, errors
from messenger_shared.bus import Bus
from messenger_shared.errors import AppError
from messenger_shared.events import TYPING_START, TYPING_STOP, Event, encode_frame, pack
from messenger_shared.operations import conversations, session
from messenger_shared.operations.operation import Body
from messenger_shared.rpc_client import RpcClient
from messenger_shared.tokens import InvalidToken, Verifier

# How often a socket may tell that its user types, and after a while ten times at once.
TYPING_PER_S: Final = 1 / 3
TYPING_BURST_S: Final = 30

SocketHandler = Callable[[Connection, Body], Awaitable[Any]]


class Session:
    """A handler per operation of the gateway's own."""

    def __init__(
        self,
        bus: Bus,
        rpc: RpcClient,
        hub: Hub,
        watching: Watching,
        resuming: Resuming,
        verifier: Verifier,
        settings: GatewaySettings,
    ) -> None:
        self._bus = bus
        self._rpc = rpc
        self._hub = hub
        self._watching = watching
        self._resuming = resuming
        self._verifier = verifier
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
        """The socket looks at a conversation: where it stands, and who is there."""
        conversation_id, after_pos = body["conversation_id"], body["after_pos"]
        if after_pos is None:
            return await self._look(connection, conversation_id)
        member = self._hub.members[connection.user_id]
        with self._resuming.holding(connection, member.rooms.get(conversation_id)):
            answer = await self._look(connection, conversation_id)
            room = self._room_of(connection, conversation_id)
            # Once more: it may be another one by now, or the first that there is.
            with self._resuming.holding(connection, room):
                outcome = await self._resuming.catch_up(connection, member, room, after_pos)
        return answer | {"last_pos": outcome.to, "recovered": outcome.recovered}

    async def resume(self, connection: Connection, body: Body) -> Body:
        """The socket was away: replays what its conversations brought meanwhile."""
        member = self._hub.members[connection.user_id]
        conversations_: Body = {}
        for conversation_id, pos in body["positions"].items():
            room = member.rooms.get(conversation_id)
            if room is None:
                continue
            try:
                with self._resuming.holding(connection, room):
                    outcome = await self._resuming.catch_up(connection, member, room, pos)
            except AppError as error:
                if error.kind is errors.NOT_FOUND:
                    # Removed meanwhile: like one that he was never in.
                    continue
                raise
            conversations_[conversation_id] = {
                "from": pos,
                "to": outcome.to,
                "recovered": outcome.recovered,
            }
        return {"conversations": conversations_}

    async def _look(self, connection: Connection, conversation_id: str) -> Body:
        with self._watching.asking() as moves:
            view = await self._rpc.ask(
                conversations.VIEW.service,
                conversations.VIEW.name,
                {"conversation_id": conversation_id},
                key=conversation_id,
                user_id=connection.user_id,
            )
        self._hub.view(connection, self._room_of(connection, conversation_id))
        online = await self._watching.view(connection, conversation_id, view["member_ids"], moves)
        return {
            "conversation_id": conversation_id,
            "last_seq": view["last_seq"],
            "last_pos": view["last_pos"],
            "read_seq": view["read_seq"],
            "recovered": True,
            "online": online,
        }

    async def unsubscribe(self, connection: Connection, body: Body) -> Body:
        """It looks away; durable events go on."""
        look_away(connection, body["conversation_id"], self._hub, self._watching)
        return {}

    async def typing_start(self, connection: Connection, body: Body) -> Body:
        """Tells who looks at the conversation that this user types."""
        return self._typing(connection, body, TYPING_START, self._settings.limits.typing_ttl_ms)

    async def typing_stop(self, connection: Connection, body: Body) -> Body:
        """Tells them that he stopped."""
        return self._typing(connection, body, TYPING_STOP, 0)

    async def auth_refresh(self, connection: Connection, body: Body) -> Body:
        """The socket lives on until the fresh token's expiry."""
        try:
            identity = self._verifier.verify(body["token"])
        except InvalidToken:
            raise AppError(errors.UNAUTHORIZED) from None
        if identity.user_id != connection.user_id:
            raise AppError(errors.UNAUTHORIZED)
        connection.identity = identity
        return {"expires_at": clock.from_unix(identity.expires_at)}

    async def ping(self, connection: Connection, body: Body) -> Body:
        """A sign of life for clients that can't see WebSocket pings."""
        return {"ts": body["ts"], "timestamp": clock.now_text()}

    def _typing(self, connection: Connection, body: Body, type_: str, expires_in_ms: int) -> Body:
        conversation_id, user_id = body["conversation_id"], connection.user_id
        self._room_of(connection, conversation_id)
        now = asyncio.get_running_loop().time()
        if connection.typing is None:
            connection.typing = Bucket(TYPING_PER_S, now, TYPING_BURST_S)
        if connection.typing.take(now):
            # Nobody has to know it so exactly; who looks sees it end by `expires_in_ms`.
            return {}
        frame = encode_frame(
            type_, conversation_id=conversation_id, user_id=user_id, expires_in_ms=expires_in_ms
        )
        event = Event(type_, conversation_id, 0, user_id, frame)
        self._bus.publish(channels.conversation(conversation_id), pack([event]))
        return {}

    def _room_of(self, connection: Connection, conversation_id: str) -> Room:
        """The room, for a member; a stranger's and a missing conversation look the same."""
        member = self._hub.members.get(connection.user_id)
        room = member.rooms.get(conversation_id) if member is not None else None
        if room is None:
            raise AppError(errors.NOT_FOUND)
        return room


def look_away(connection: Connection, conversation_id: str, hub: Hub, watching: Watching) -> None:
    """The socket gets no ephemeral frames of the conversation any more."""
    watching.unview(connection, conversation_id)
    hub.unview(connection, conversation_id)


def close_views(connection: Connection, hub: Hub, watching: Watching) -> None:
    """A socket that is gone looks at nothing."""
    for conversation_id in list(connection.viewing or ()):
        look_away(connection, conversation_id, hub, watching)
    watching.gone(connection)
