"""Owns the life of a socket: upgrade, welcome, and what has to be undone at the end."""

from __future__ import annotations

import asyncio
from dataclasses import asdict
from typing import Any, Final

import orjson
from aiohttp import web

from gateway.admission import Admission
from gateway.census import Census
from gateway.commands import Commands
from gateway.connection import CLOSE_TIMEOUT_S, Connection
from gateway.follower import Follower
from gateway.handshake import SUBPROTOCOL, Handshake, wants_socket
from gateway.hub import Hub, Member
from gateway.limits import Allowances, Bucket
from gateway.reading import read
from gateway.reporting import Reporting
from gateway.session import close_views
from gateway.settings import GatewaySettings
from gateway.watching import Watching
from messenger_shared import clock, errors
from messenger_shared.closes import Close, reason
from messenger_shared.errors import AppError
from messenger_shared.identifiers import new_id
from messenger_shared.tokens import Identity

PROTOCOL_VERSION: Final = 1
# So often a second, and ten times as often at once, a user may be refused before it counts as flooding.
REFUSALS_PER_S: Final = 20
REFUSALS_BURST_S: Final = 10


class SocketDoor:
    """The handler of both socket routes."""

    def __init__(
        self,
        hub: Hub,
        admission: Admission,
        census: Census,
        allowances: Allowances,
        follower: Follower,
        watching: Watching,
        reporting: Reporting,
        commands: Commands,
        handshake: Handshake,
        settings: GatewaySettings,
    ) -> None:
        self._hub = hub
        self._admission = admission
        self._census = census
        self._allowances = allowances
        # Of the user, so that who is closed for it and comes back to go on is closed sooner.
        self._patience = Allowances(REFUSALS_PER_S, REFUSALS_BURST_S)
        self._follower = follower
        self._watching = watching
        self._reporting = reporting
        self._commands = commands
        self._handshake = handshake
        self._settings = settings
        self._loop = asyncio.get_running_loop()
        # The same for everybody, so that it is encoded once.
        self._limits = orjson.Fragment(orjson.dumps(asdict(settings.limits)))

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """One socket, from the upgrade to its end."""
        identity = await self._handshake.identify(request)
        if not wants_socket(request):
            if identity is None:
                raise AppError(errors.UNAUTHORIZED)
            raise web.HTTPUpgradeRequired
        if identity is None:
            return await self._refuse(request, Close.UNAUTHORIZED)
        member = self._claim(identity.user_id)
        try:
            with self._census.arriving(member) as arrival:
                # Before the upgrade: a client that can't be served is told so by 503, and comes back.
                async with self._admission.place():
                    await self._follower.arrive(member)
                    is_full = await self._census.is_full(member, arrival)
                if is_full:
                    return await self._refuse(request, Close.TOO_MANY_SOCKETS)
                socket = self._socket()
                await socket.prepare(request)
                connection = self._connect(request, socket, identity, member)
            if connection is not None:
                await self._serve(connection, member)
                untie(socket)
            return socket
        finally:
            self._unclaim(member)

    async def _refuse(self, request: web.Request, code: Close) -> web.StreamResponse:
        """Accepts and closes at once: a page sees the code of a close, never that of a refusal."""
        socket = self._socket()
        await socket.prepare(request)
        await socket.close(code=code, message=reason(code))
        return socket

    def _connect(
        self, request: web.Request, socket: web.WebSocketResponse, identity: Identity, member: Member
    ) -> Connection | None:
        """The socket as one of its user's; None when its client is gone already."""
        transport = request.transport
        if transport is None:
            return None
        now = self._loop.time()
        connection = Connection(
            socket,
            transport,
            identity,
            new_id(),
            Bucket(self._settings.limits.frames_per_s, now),
            member.messages,
            self._patience.of(identity.user_id, now),
            self._hub.note,
        )
        self._hub.attach(member, connection)
        self._reporting.changed(identity.user_id)
        connection.send(self._welcome(connection))
        if not self._handshake.still_holds(identity):
            connection.close(Close.SESSION_REVOKED)
        return connection

    async def _serve(self, connection: Connection, member: Member) -> None:
        lane = self._commands.lane(connection)
        try:
            await read(connection, lane, self._commands)
        finally:
            self._hub.detach(member, connection)
            self._reporting.changed(connection.user_id)
            close_views(connection, self._hub, self._watching)
            await lane.stop()
            if connection.closing is not None:
                await connection.closing

    def _claim(self, user_id: int) -> Member:
        member = self._hub.members.get(user_id)
        if member is None:
            allowance = self._allowances.of(user_id, self._loop.time())
            member = self._hub.members[user_id] = Member(user_id, allowance)
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
            # aiohttp takes some codes that may not be sent.
            autoclose=False,
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
            "limits": self._limits,
        }


def untie(socket: web.WebSocketResponse) -> None:
    """Lets an ended socket be freed at once.

    aiohttp keeps the error that ended it, and its traceback keeps the socket: a ring of 50 objects for each
    client that goes without a close, which only the collector finds, in pauses of 200 ms after 10,000.
    """
    error: BaseException | None = socket.exception()
    while error is not None:
        error.__traceback__ = None
        error = error.__context__
