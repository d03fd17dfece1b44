"""Owns the life of a socket: upgrade, welcome, the read loop, and what has to be undone at the end."""

from __future__ import annotations

import asyncio
from dataclasses import asdict
from typing import Any, Final

from aiohttp import WSMsgType, web

from gateway.commands import Commands, Lane
from gateway.connection import CLOSE_TIMEOUT_S, Connection
from gateway.follower import Follower
from gateway.handshake import SUBPROTOCOL, Identity, identify, wants_socket
from gateway.hub import Hub, Member
from gateway.limits import BURST_S, Bucket
from gateway.metrics import FRAMES
from gateway.reporting import Reporting
from gateway.session import close_views
from gateway.settings import GatewaySettings
from gateway.watching import Watching
from messenger_shared import clock, errors
from messenger_shared.closes import Close, reason
from messenger_shared.errors import AppError
from messenger_shared.identifiers import new_id

PROTOCOL_VERSION: Final = 1


class SocketDoor:
    """The handler of both socket routes."""

    def __init__(
        self,
        hub: Hub,
        follower: Follower,
        watching: Watching,
        reporting: Reporting,
        commands: Commands,
        settings: GatewaySettings,
    ) -> None:
        self._hub = hub
        self._follower = follower
        self._watching = watching
        self._reporting = reporting
        self._commands = commands
        self._settings = settings

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """One socket, from the upgrade to its end."""
        identity = identify(request, self._settings.jwt_secret)
        if not wants_socket(request):
            if identity is None:
                raise AppError(errors.UNAUTHORIZED)
            raise web.HTTPUpgradeRequired
        if identity is None:
            return await self._refuse(request, Close.UNAUTHORIZED)
        member = self._claim(identity.user_id)
        try:
            limit = self._settings.limits.max_sockets
            if limit and member.claims > limit:
                return await self._refuse(request, Close.TOO_MANY_SOCKETS)
            # Before the upgrade: a client that can't be served is told so by 503, and comes back.
            await self._follower.arrive(member)
            return await self._serve(request, identity, member)
        finally:
            self._unclaim(member)

    async def _refuse(self, request: web.Request, code: Close) -> web.StreamResponse:
        """Accepts and closes at once: a page sees the code of a close, never that of a refusal."""
        socket = self._socket()
        await socket.prepare(request)
        await socket.close(code=code, message=reason(code))
        return socket

    async def _serve(self, request: web.Request, identity: Identity, member: Member) -> web.StreamResponse:
        socket = self._socket()
        await socket.prepare(request)
        transport = request.transport
        if transport is None:
            return socket
        frames = Bucket(self._settings.limits.frames_per_s, asyncio.get_running_loop().time())
        connection = Connection(
            socket, transport, identity.user_id, new_id(), identity.expires_at, frames, member.messages
        )
        self._hub.attach(member, connection)
        self._reporting.changed(identity.user_id)
        connection.send(self._welcome(connection))
        lane = self._commands.lane(connection)
        try:
            await self._read(connection, member, lane)
        finally:
            self._hub.detach(member, connection)
            self._reporting.changed(identity.user_id)
            close_views(connection, self._hub, self._watching)
            await lane.stop()
            if connection.closing is not None:
                await connection.closing
        return socket

    async def _read(self, connection: Connection, member: Member, lane: Lane) -> None:
        socket = connection.socket
        while True:
            message = await socket.receive()
            if message.type is WSMsgType.TEXT:
                if self._admit(connection):
                    await self._commands.handle(connection, lane, message.data)
            elif message.type is WSMsgType.PONG:
                connection.pinged_at = 0.0
            elif message.type is WSMsgType.PING:
                if self._admit(connection):
                    await socket.pong(message.data)
            elif message.type is WSMsgType.BINARY:
                connection.close(Close.PROTOCOL_VIOLATION)
            else:
                return

    def _admit(self, connection: Connection) -> bool:
        """Whether the frame is within the limits; who goes on sending in spite of that is closed."""
        FRAMES.inc()
        wait_ms = connection.frames.take(asyncio.get_running_loop().time())
        if not wait_ms:
            connection.refused = 0
            return True
        connection.refused += 1
        if connection.refused > self._settings.limits.frames_per_s * BURST_S:
            connection.close(Close.FLOODING, retry_after_ms=1000)
        else:
            connection.send_error(AppError(errors.RATE_LIMITED, retry_after_ms=wait_ms))
        return False

    def _claim(self, user_id: int) -> Member:
        member = self._hub.members.get(user_id)
        if member is None:
            messages = Bucket(self._settings.limits.messages_per_s, asyncio.get_running_loop().time())
            member = self._hub.members[user_id] = Member(user_id, messages)
            self._reporting.changed(user_id)
        member.claims += 1
        return member

    def _unclaim(self, member: Member) -> None:
        member.claims -= 1
        if not member.claims:
            del self._hub.members[member.user_id]
            self._follower.depart(member)
            self._reporting.changed(member.user_id)

    def _socket(self) -> web.WebSocketResponse:
        # Compression costs memory per socket and opens the door to bombs; pings are answered by hand, so
        # that they count.
        return web.WebSocketResponse(
            timeout=CLOSE_TIMEOUT_S,
            autoping=False,
            protocols=(SUBPROTOCOL,),
            compress=False,
            # aiohttp refuses a frame of exactly this size.
            max_msg_size=self._settings.limits.frame_bytes + 1,
        )

    def _welcome(self, connection: Connection) -> dict[str, Any]:
        return {
            "type": "system",
            "event": "connected",
            "message": "Connected to messenger",
            "timestamp": clock.now_text(),
            "user_id": connection.user_id,
            "session_id": connection.session_id,
            "protocol": PROTOCOL_VERSION,
            "heartbeat_ms": self._settings.heartbeat_ms,
            "limits": asdict(self._settings.limits),
        }
