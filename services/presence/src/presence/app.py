"""Builds the presence application, which gunicorn starts as `presence.app:create_app`."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Final

from aiohttp import web

from messenger_shared.bus.redis_bus import RedisBus
from messenger_shared.contract.operations.operation import CHAT_API
from messenger_shared.observability import logs
from messenger_shared.postgres.database import Database
from messenger_shared.rpc.client import RpcClient
from messenger_shared.rpc.server import RpcServer
from messenger_shared.runtime import service
from messenger_shared.settings.environment import Environment, SettingsError
from messenger_shared.tracing.setup import make_spans
from presence.broadcast import Broadcast
from presence.choices import Choices
from presence.contacts import RpcContacts
from presence.handlers import Handlers, handler_table
from presence.last_seen import LastSeen
from presence.online_checkpoint import OnlineCheckpoint
from presence.settings import PresenceSettings
from presence.statistics import Statistics
from presence.store import RedisStore, Timing
from presence.sweeper import Sweeper
from presence.tracker import Tracker
from presence.visibility import Visibility

if TYPE_CHECKING:
    from messenger_shared.tracing.spans import Spans

SERVICE: Final = "presence"


async def create_app() -> web.Application:
    """The application that gunicorn's workers run. It reads its settings from the environment."""
    logs.configure(SERVICE)
    try:
        env = Environment(os.environ)
        return build_app(PresenceSettings.read(env), make_spans(env, SERVICE))
    except SettingsError as error:
        raise SystemExit(f"{SERVICE}: {error}") from None


def build_app(settings: PresenceSettings, spans: Spans | None = None) -> web.Application:
    """The application with these settings. Its components start in the listed order and stop in reverse."""
    redis_urls = settings.store.redis_urls
    bus = RedisBus(redis_urls, service.worker_id(SERVICE))
    rpc = RpcClient(bus, (CHAT_API,))
    database = Database(settings.store.database_url, settings.store.pool_size, SERVICE)
    # All keys are on one server, unlike the channels, because each step has to be atomic.
    store = RedisStore(redis_urls[0], Timing(grace_ms=settings.grace_ms))
    last_seen = LastSeen(database, store)
    choices = Choices(database, store, bus.worker)
    broadcast = Broadcast(bus, publish_online_status=settings.publish_online_status)
    tracker = Tracker(store, broadcast, choices.load, last_seen.enqueue)
    statistics = Statistics(store, redis_urls)
    visibility = Visibility(store, last_seen, RpcContacts(rpc))
    checkpoint = OnlineCheckpoint(store, last_seen)
    sweeper = Sweeper(tracker)
    handlers = handler_table(Handlers(tracker, store, choices, visibility, statistics))
    server = RpcServer(bus, SERVICE, spans.handlers(handlers) if spans else handlers)

    app = web.Application()
    if spans is not None:
        service.run_component(app, spans.start, spans.stop)
    # No check of PostgreSQL: presence works without it for a while, and last-seen times wait for it.
    service.add_health(app, {"redis": lambda: bus.ready, "store": lambda: sweeper.is_healthy})
    for component in (database, bus, rpc, store, statistics, last_seen, choices, checkpoint, sweeper, server):
        service.run_component(app, component.start, component.stop)
    return app
