"""Owns the wiring of the gateway: settings, components, routes, and the order of start and stop."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator

from aiohttp import web

from gateway.commands import Commands
from gateway.docs import add_docs
from gateway.follower import Follower
from gateway.hub import Hub
from gateway.origins import origins_middleware
from gateway.pages import add_pages
from gateway.people import People
from gateway.presence import PresenceSession
from gateway.problems import problems_middleware
from gateway.pulse import Pulse
from gateway.reach import Reach
from gateway.reporting import Reporting
from gateway.rest import BASE_PATH, MAX_BODY_BYTES, add_rest
from gateway.resuming import Resuming
from gateway.rooms import Rooms
from gateway.session import Session
from gateway.settings import GatewaySettings
from gateway.socket import SocketDoor
from gateway.watching import Watching
from messenger_shared import logs
from messenger_shared.closes import Close
from messenger_shared.operations.operation import CHAT_API, PRESENCE
from messenger_shared.redis_bus import RedisBus
from messenger_shared.rpc_client import RpcClient
from messenger_shared.service import add_health, freeze_garbage, run_component, worker_id
from messenger_shared.settings import Environment, SettingsError

SERVICE = "gateway"
# 500 of the longest user ids in a query, their commas encoded.
MAX_LINE_BYTES = 16 * 1024


async def create_app() -> web.Application:
    """The application that gunicorn's workers run; its settings are in the environment."""
    logs.configure(SERVICE)
    try:
        return build_app(GatewaySettings.read(Environment(os.environ)))
    except SettingsError as error:
        raise SystemExit(f"{SERVICE}: {error}") from None


def build_app(settings: GatewaySettings) -> web.Application:
    """The application with `settings`."""
    app = web.Application(
        middlewares=[problems_middleware, origins_middleware(settings.allowed_origins)],
        client_max_size=MAX_BODY_BYTES,
        handler_args={"max_line_size": MAX_LINE_BYTES},
    )
    bus = RedisBus(settings.redis_urls, worker_id(SERVICE))
    rpc = RpcClient(bus, (CHAT_API, PRESENCE))
    hub = Hub()
    reach = Reach(rpc, bus.worker)
    people = People(bus, reach)
    watching = Watching(people, reach)
    rooms = Rooms(bus, rpc, hub, watching)
    follower = Follower(bus, rpc, hub, rooms)
    resuming = Resuming(hub, rooms, settings.limits.resume_max_events)
    reporting = Reporting(bus, reach, hub)
    pulse = Pulse(hub, settings.heartbeat_ms)
    for component in (bus, rpc, people, watching, follower, reporting, pulse):
        run_component(app, component.start, component.stop)
    session = Session(bus, rpc, hub, watching, resuming, settings)
    commands = Commands(rpc, session.handlers | PresenceSession(reach, watching, reporting).handlers)
    door = SocketDoor(hub, follower, watching, reporting, commands, settings)
    app.router.add_get(f"{BASE_PATH}/ws", door.handle)
    app.router.add_get(f"{BASE_PATH}/ws/{{user_id}}", door.handle)
    add_rest(app, rpc, settings.jwt_secret)
    add_docs(app, BASE_PATH)
    add_pages(app)
    add_health(
        app,
        {"redis": lambda: bus.ready, "chat-api": lambda: rpc.has_worker(CHAT_API)},
        {"presence": lambda: not reach.degraded},
    )
    app.on_shutdown.append(lambda _: _close_sockets(hub))
    app.cleanup_ctx.append(_steady)
    return app


async def _close_sockets(hub: Hub) -> None:
    """Every socket is told to come back; whoever doesn't close in time is cut off."""
    connections = hub.connections()
    for connection in connections:
        connection.close(Close.DRAINING)
    await asyncio.gather(*(c.closing for c in connections if c.closing is not None))


async def _steady(_: web.Application) -> AsyncIterator[None]:
    freeze_garbage()
    yield
