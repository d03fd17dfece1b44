"""Owns the wiring of presence: what gunicorn starts as `presence.app:create_app`."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Final

from aiohttp import web

from messenger_shared import logs, service
from messenger_shared.operations.operation import CHAT_API
from messenger_shared.postgres import Database
from messenger_shared.redis_bus import RedisBus
from messenger_shared.rpc_client import RpcClient
from messenger_shared.rpc_server import RpcServer
from messenger_shared.settings import Environment, SettingsError
from messenger_shared.tracing import spans_of
from presence.broadcast import Broadcast
from presence.choices import Choices
from presence.contacts import AskedContacts
from presence.figures import Figures
from presence.handlers import Handlers, handler_table
from presence.last_seen import LastSeen
from presence.noting import Noting
from presence.settings import PresenceSettings
from presence.store import RedisStore, Timing
from presence.sweeper import Sweeper
from presence.tracker import Tracker
from presence.views import Views

if TYPE_CHECKING:
    from messenger_shared.spans import Spans

SERVICE: Final = "presence"


async def create_app() -> web.Application:
    """The application that gunicorn's workers run; its settings are in the environment."""
    logs.configure(SERVICE)
    try:
        env = Environment(os.environ)
        return build_app(PresenceSettings.read(env), spans_of(env, SERVICE))
    except SettingsError as error:
        raise SystemExit(f"{SERVICE}: {error}") from None


def build_app(settings: PresenceSettings, spans: Spans | None = None) -> web.Application:
    """The application; its parts start in the order in which they are listed, and stop in reverse."""
    redis_urls = settings.store.redis_urls
    bus = RedisBus(redis_urls, service.worker_id(SERVICE))
    rpc = RpcClient(bus, (CHAT_API,))
    database = Database(settings.store.database_url, settings.store.pool_size, SERVICE)
    # Keys aren't spread over the servers as channels are: a step has to be atomic.
    store = RedisStore(redis_urls[0], Timing(grace_ms=settings.grace_ms))
    last_seen = LastSeen(database, store)
    choices = Choices(database, store, bus.worker)
    broadcast = Broadcast(bus, to_operators=settings.to_operators)
    tracker = Tracker(store, broadcast, choices.load, last_seen.tell)
    figures = Figures(store, redis_urls)
    views = Views(store, last_seen, AskedContacts(rpc))
    noting = Noting(store, last_seen)
    sweeper = Sweeper(tracker)
    handlers = handler_table(Handlers(tracker, store, choices, views, figures))
    server = RpcServer(bus, SERVICE, spans.handlers(handlers) if spans else handlers)

    app = web.Application()
    if spans is not None:
        service.run_component(app, spans.start, spans.stop)
    # PostgreSQL may be away for a while: last seen waits for it, and who is there is known without it.
    service.add_health(app, {"redis": lambda: bus.ready, "store": lambda: sweeper.healthy})
    for component in (database, bus, rpc, store, figures, last_seen, choices, noting, sweeper, server):
        service.run_component(app, component.start, component.stop)
    return app
