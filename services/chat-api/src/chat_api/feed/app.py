"""Builds the application of the feed: settings, consumers, and the order in which they start and stop."""

from __future__ import annotations

import os

from aiohttp import web

from chat_api.feed.agenda import Agenda
from chat_api.feed.consumer import Consumer
from chat_api.feed.cursors import PgCursors
from chat_api.feed.follower import Follower
from chat_api.feed.indexer import Indexer
from chat_api.feed.marks import Marks
from chat_api.feed.push.wiring import push_parts
from chat_api.feed.settings import FeedSettings
from chat_api.storage.write_check import WRITE_CHECK
from messenger_shared.bus.redis_bus import RedisBus
from messenger_shared.observability import logs
from messenger_shared.postgres.database import Database
from messenger_shared.runtime.service import add_health, run_component, worker_id
from messenger_shared.settings.environment import Environment, SettingsError

SERVICE = "feed"


async def create_app() -> web.Application:
    """The application that gunicorn's worker runs. It reads its settings from the environment."""
    logs.configure(SERVICE)
    try:
        return build_app(FeedSettings.read(Environment(os.environ)))
    except SettingsError as error:
        raise SystemExit(f"{SERVICE}: {error}") from None


def build_app(settings: FeedSettings) -> web.Application:
    """The application with these settings."""
    app = web.Application()
    database = Database(
        settings.store.database_url, settings.store.pool_size, SERVICE, write_check=WRITE_CHECK
    )
    bus = RedisBus(settings.store.redis_urls, worker_id(SERVICE))
    marks = Marks(bus)
    planner, push = push_parts(settings.push, settings.outgoing, database, bus)
    consumers: tuple[Consumer, ...] = (Indexer(database), planner)
    followers = [Follower(consumer, PgCursors(database, consumer.name), Agenda()) for consumer in consumers]
    for follower in followers:
        marks.add(follower.on_marks)
        bus.on_gap(follower.on_gap)
    run_component(app, database.start, database.stop)
    run_component(app, bus.start, bus.stop)
    for component in (*push, *followers):
        run_component(app, component.start, component.stop)
    run_component(app, marks.start, marks.stop)
    add_health(app, {"redis": lambda: bus.ready, "postgresql": lambda: database.ready})
    return app
