"""Owns the wiring of presence: what gunicorn starts as `presence.app:create_app`."""

from __future__ import annotations

import os
from typing import Final

from aiohttp import web

from messenger_shared import logs, service
from messenger_shared.postgres import Database
from messenger_shared.redis_bus import RedisBus
from messenger_shared.rpc_server import RpcServer
from messenger_shared.settings import Environment, SettingsError, StoreSettings
from presence.broadcast import Broadcast
from presence.handlers import handler_table
from presence.last_seen import LastSeen
from presence.store import RedisStore
from presence.sweeper import Sweeper
from presence.tracker import Tracker

SERVICE: Final = "presence"


async def create_app() -> web.Application:
    """The application that gunicorn's workers run; its settings are in the environment."""
    logs.configure(SERVICE)
    try:
        return build_app(StoreSettings.read(Environment(os.environ)))
    except SettingsError as error:
        raise SystemExit(f"{SERVICE}: {error}") from None


def build_app(settings: StoreSettings) -> web.Application:
    """The application; its parts start in the order in which they are listed, and stop in reverse."""
    bus = RedisBus(settings.redis_urls, service.worker_id(SERVICE))
    database = Database(settings.database_url, settings.pool_size, SERVICE)
    last_seen = LastSeen(database)
    # Keys aren't spread over the servers as channels are: a step has to be atomic.
    store = RedisStore(settings.redis_urls[0])
    tracker = Tracker(store, (Broadcast(bus).tell, last_seen.tell))
    sweeper = Sweeper(tracker)
    server = RpcServer(bus, SERVICE, handler_table(tracker))

    app = web.Application()
    # PostgreSQL may be away for a while: last seen waits for it, and nothing else needs it.
    service.add_health(app, {"redis": lambda: bus.ready, "store": lambda: sweeper.healthy})
    for component in (database, bus, store, last_seen, sweeper, server):
        service.run_component(app, component.start, component.stop)
    return app
