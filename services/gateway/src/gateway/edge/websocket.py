"""Runs a socket from its upgrade to its clean-up."""

from __future__ import annotations

import asyncio
from dataclasses import asdict
from typing import Any, Final

import orjson
from aiohttp import web

from gateway.auth.handshake import SUBPROTOCOL, Handshake
from gateway.auth.upgrade import upgrade_error
from gateway.connections.connection import CLOSE_TIMEOUT_S, Connection
from gateway.connections.hub import Hub, Member
from gateway.connections.rate_limits import TokenBucket, TokenBuckets
from gateway.connections.socket_counter import SocketCounter
from gateway.delivery.memberships import MembershipTracker
from gateway.edge.problems import problem
from gateway.presence.reporter import PresenceReporter
from gateway.presence.subscriptions import PresenceSubscriptions
from gateway.settings import GatewaySettings
from gateway.sockets.admission import Admission
from gateway.sockets.commands import Commands
from gateway.sockets.reader import read
from gateway.sockets.socket_commands import end_views
from messenger_shared.contract import errors, timestamps
from messenger_shared.contract.close_codes import Close, reason
from messenger_shared.contract.errors import AppError
from messenger_shared.contract.identifiers import new_id
from messenger_shared.contract.tokens import Identity

PROTOCOL_VERSION: Final = 1
# What this server can do beyond the first version of the protocol.
FEATURES: Final = ("users", "reactions", "pins", "mentions", "search", "push")
FILES: Final = "files"
# A user may be refused this often per second, and ten times as often at once, before it is flooding.
REFUSALS_PER_S: Final = 20
REFUSALS_BURST_S: Final = 10


class WebSocketEndpoint:
    """The handler of both socket routes, `/ws` and `/ws/{user_id}`."""

    def __init__(
        self,
        hub: Hub,
        admission: Admission,
        socket_counter: SocketCounter,
        message_limits: TokenBuckets,
        memberships: MembershipTracker,
        subscriptions: PresenceSubscriptions,
        reporter: PresenceReporter,
        commands: Commands,
        handshake: Handshake,
        settings: GatewaySettings,
    ) -> None:
        self._hub = hub
        self._admission = admission
        self._socket_counter = socket_counter
        self._message_limits = message_limits
        # Per user: a client that is closed for flooding, reconnects and goes on is closed sooner.
        self._refusal_buckets = TokenBuckets(REFUSALS_PER_S, REFUSALS_BURST_S)
        self._memberships = memberships
        self._subscriptions = subscriptions
        self._reporter = reporter
        self._commands = commands
        self._handshake = handshake
        self._settings = settings
        self._loop = asyncio.get_running_loop()
        self._features = FEATURES if settings.files is None else (*FEATURES, FILES)
        # All sockets get the same limits, so they are encoded once.
        self._limits = orjson.Fragment(orjson.dumps(asdict(settings.limits)))

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Handles one socket, from the upgrade to its end."""
        identity = await self._handshake.identify(request)
        if (missing := upgrade_error(request)) is not None:
            if identity is None:
                raise AppError(errors.UNAUTHORIZED)
            return problem(missing, 400 if missing.kind is errors.INVALID_FRAME else None)
        if identity is None:
            return await self._accept_and_close(request, Close.UNAUTHORIZED)
        member = self._acquire_member(identity.user_id)
        try:
            with self._socket_counter.arriving(member) as arrival:
                # Before the upgrade, so that a client that can't be served gets a 503 and retries.
                async with self._admission.slot():
                    await self._memberships.arrive(member)
                    is_limit_reached = await self._socket_counter.is_limit_reached(member, arrival)
                if is_limit_reached:
                    return await self._accept_and_close(request, Close.TOO_MANY_SOCKETS)
                socket = self._socket()
                await socket.prepare(request)
                connection = self._connect(request, socket, identity, member)
            if connection is not None:
                await self._serve(connection, member)
                break_reference_cycle(socket)
            return socket
        finally:
            self._release_member(member)

    async def _accept_and_close(self, request: web.Request, code: Close) -> web.StreamResponse:
        """Accepts and closes at once: a page sees a close code, but never the status of a refused upgrade."""
        socket = self._socket()
        await socket.prepare(request)
        await socket.close(code=code, message=reason(code))
        return socket

    def _connect(
        self, request: web.Request, socket: web.WebSocketResponse, identity: Identity, member: Member
    ) -> Connection | None:
        """Adds the socket to its user's and welcomes it; returns None when the client is already gone."""
        transport = request.transport
        if transport is None:
            return None
        now = self._loop.time()
        connection = Connection(
            socket,
            transport,
            identity,
            new_id(),
            TokenBucket(self._settings.limits.frames_per_s, now),
            member.message_limit,
            self._refusal_buckets.of(identity.user_id, now),
            self._hub.flush_later,
        )
        self._hub.attach(member, connection)
        self._reporter.changed(identity.user_id)
        connection.send(self._connected_frame(connection))
        if not self._handshake.is_still_valid(identity):
            connection.close(Close.SESSION_REVOKED)
        return connection

    async def _serve(self, connection: Connection, member: Member) -> None:
        queue = self._commands.queue(connection)
        try:
            await read(connection, queue, self._commands)
        finally:
            self._hub.detach(member, connection)
            self._reporter.changed(connection.user_id)
            end_views(connection, self._hub, self._subscriptions)
            await queue.stop()
            if connection.closing is not None:
                await connection.closing

    def _acquire_member(self, user_id: int) -> Member:
        member = self._hub.members.get(user_id)
        if member is None:
            message_limit = self._message_limits.of(user_id, self._loop.time())
            member = self._hub.members[user_id] = Member(user_id, message_limit)
            self._reporter.changed(user_id)
        member.ref_count += 1
        return member

    def _release_member(self, member: Member) -> None:
        member.ref_count -= 1
        if not member.ref_count:
            del self._hub.members[member.user_id]
            self._memberships.depart(member)
            self._reporter.changed(member.user_id)

    def _socket(self) -> web.WebSocketResponse:
        # No compression: it costs memory per socket and allows decompression bombs. The reader answers
        # pings, so that they count against the rate limit.
        return web.WebSocketResponse(
            timeout=CLOSE_TIMEOUT_S,
            autoping=False,
            # aiohttp would echo some close codes that must not be sent; the reader answers closes.
            autoclose=False,
            protocols=(SUBPROTOCOL,),
            compress=False,
            # aiohttp refuses a frame of exactly `max_msg_size`.
            max_msg_size=self._settings.limits.frame_bytes + 1,
        )

    def _connected_frame(self, connection: Connection) -> dict[str, Any]:
        return {
            "type": "system",
            "event": "connected",
            "message": "Connected to messenger",
            "timestamp": timestamps.now_text(),
            "user_id": connection.user_id,
            "session_id": connection.session_id,
            "protocol": PROTOCOL_VERSION,
            "heartbeat_ms": self._settings.heartbeat_ms,
            "limits": self._limits,
            "features": self._features,
        }


def break_reference_cycle(socket: web.WebSocketResponse) -> None:
    """Lets an ended socket be freed at once.

    aiohttp keeps the error that ended the socket, and its traceback keeps the socket: a reference cycle of 50
    objects for each client that leaves without a close. Only the garbage collector would free them, in pauses
    of 200 ms after 10,000 such clients.
    """
    error: BaseException | None = socket.exception()
    while error is not None:
        error.__traceback__ = None
        error = error.__context__
