"""Owns the wiring of the gateway: settings, components, routes, and the order of start and stop."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from aiohttp import web

from gateway.admin import add_admin
from gateway.admission import Admission
from gateway.census import Census
from gateway.commands import Commands
from gateway.credentials import Credentials
from gateway.docs import add_docs
from gateway.drain import Drain
from gateway.follower import Follower
from gateway.handshake import Handshake
from gateway.headers import add_common
from gateway.limits import Allowances
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
from gateway.tracing import make_hub, make_rpc
from gateway.watching import Watching
from messenger_shared import logs
from messenger_shared.operations.operation import CHAT_API
from messenger_shared.redis_bus import RedisBus
from messenger_shared.service import LEAVE, add_health, run_component, worker_id
from messenger_shared.settings import Environment, SettingsError
from messenger_shared.tracing import spans_of

if TYPE_CHECKING:
    from messenger_shared.spans import Spans

SERVICE = "gateway"
# 500 of the longest user ids in a query, their commas encoded.
MAX_LINE_BYTES = 16 * 1024


async def create_app() -> web.Application:
    """The application that gunicorn's workers run; its settings are in the environment."""
    logs.configure(SERVICE)
    try:
        env = Environment(os.environ)
        return build_app(GatewaySettings.read(env), spans_of(env, SERVICE))
    except SettingsError as error:
        raise SystemExit(f"{SERVICE}: {error}") from None


def build_app(settings: GatewaySettings, spans: Spans | None = None) -> web.Application:
    """The application with `settings`, followed by `spans`."""
    app = _bare_app(settings, spans)
    bus = RedisBus(settings.redis_urls, worker_id(SERVICE))
    rpc, hub = make_rpc(bus, spans), make_hub(spans)
    reach = Reach(rpc, bus.worker)
    people = People(bus, reach)
    watching = Watching(people, reach)
    rooms = Rooms(bus, rpc, hub, watching)
    census = Census(bus, settings.limits.max_sockets)
    credentials = Credentials(settings, bus, hub)
    verifier, tickets = credentials.verifier, credentials.tickets
    follower = Follower(bus, rpc, hub, rooms, census, credentials.revocations)
    resuming = Resuming(hub, rooms, settings.limits.resume_max_events)
    reporting = Reporting(bus, reach, hub)
    pulse = Pulse(hub, settings.heartbeat_ms)
    for component in (bus, credentials, rpc, people, watching, follower, reporting, pulse):
        run_component(app, component.start, component.stop)
    session = Session(bus, rpc, hub, watching, resuming, verifier, settings)
    commands = Commands(rpc, session.handlers | PresenceSession(reach, watching, reporting).handlers)
    admission = Admission(settings.admit_at_once, settings.admit_waiting)
    allowances = Allowances(settings.limits.messages_per_s)
    handshake = Handshake(verifier, tickets)
    door = SocketDoor(
        hub, admission, census, allowances, follower, watching, reporting, commands, handshake, settings
    )
    app.router.add_get(f"{BASE_PATH}/ws", door.handle)
    app.router.add_get(f"{BASE_PATH}/ws/{{user_id}}", door.handle)
    add_rest(app, rpc, allowances, verifier, tickets.handlers)
    add_docs(app, BASE_PATH)
    add_pages(app, settings)
    if settings.admin_api:
        add_admin(app, rpc, verifier, credentials.revocations)
    required = {"redis": lambda: bus.ready, "chat-api": lambda: rpc.has_worker(CHAT_API)}
    add_health(app, required, {"presence": lambda: not reach.degraded})
    app[LEAVE] = Drain(hub, admission, settings.drain_s).run
    return app


def _bare_app(settings: GatewaySettings, spans: Spans | None) -> web.Application:
    app = web.Application(
        middlewares=[problems_middleware, origins_middleware(settings.allowed_origins)],
        client_max_size=MAX_BODY_BYTES,
        # A packed body is refused, and until then it stays as it is.
        handler_args={"max_line_size": MAX_LINE_BYTES, "auto_decompress": False},
    )
    app.on_response_prepare.append(add_common)
    if spans is not None:
        run_component(app, spans.start, spans.stop)
    return app
