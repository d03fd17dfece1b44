"""Builds the application of the feed: settings, consumers, and the order in which they start and stop."""

from __future__ import annotations

import os

from aiohttp import web

from chat_api.feed.agenda import Agenda
from chat_api.feed.consumer import Consumer
from chat_api.feed.cursors import PgCursors
from chat_api.feed.event_log import EventLogger
from chat_api.feed.follower import Follower
from chat_api.feed.indexer import Indexer
from chat_api.feed.marks import Marks
from chat_api.feed.push.wiring import push_parts
from chat_api.feed.retention import Retention
from chat_api.feed.settings import FeedSettings
from chat_api.feed.webhooks.dispatcher import LANES, Dispatcher
from chat_api.feed.webhooks.model import Leased
from chat_api.feed.webhooks.postman import Postman
from chat_api.feed.webhooks.presence import PRESENCE_LANES
from chat_api.feed.webhooks.receiver import Receiver
from chat_api.feed.webhooks.store import PgDeliveries
from chat_api.feed.webhooks.supervisor import Supervisor
from chat_api.feed.webhooks.testing import TIMEOUT_S, WebhookTests
from chat_api.handlers.server_keys import audited
from chat_api.outgoing.client import OutgoingClient
from chat_api.outgoing.slots import Limits
from chat_api.storage.changes import PgChanges
from chat_api.storage.event_log import PgEventLog
from chat_api.storage.server_keys import PgServerKeys
from chat_api.storage.webhooks import PgWebhooks
from chat_api.storage.write_check import WRITE_CHECK
from messenger_shared.bus.redis_bus import RedisBus
from messenger_shared.contract.operations.operation import FEED
from messenger_shared.contract.operations.server import webhooks as webhook_operations
from messenger_shared.contract.schemas.webhooks import WEBHOOKS_MAX
from messenger_shared.observability import logs
from messenger_shared.postgres.database import Database
from messenger_shared.rpc.server import RpcServer
from messenger_shared.runtime.service import add_health, run_component, worker_id
from messenger_shared.settings.environment import Environment, SettingsError

SERVICE = FEED


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
    marks, log = Marks(bus), PgEventLog(database)
    planner, push = push_parts(settings.push, settings.outgoing, database, bus)
    consumers: tuple[Consumer, ...] = (Indexer(database), EventLogger(log, bus), planner)
    followers = [Follower(consumer, PgCursors(database, consumer.name), Agenda()) for consumer in consumers]
    for follower in followers:
        marks.add(follower.on_marks)
        bus.on_gap(follower.on_gap)
    retention = Retention(database, log, settings.events_days)
    run_component(app, database.start, database.stop)
    run_component(app, bus.start, bus.stop)
    for component in (*push, *followers):
        run_component(app, component.start, component.stop)
    run_component(app, marks.start, marks.stop)
    run_component(app, retention.start, retention.stop)
    _add_webhooks(app, settings, database, bus, log)
    add_health(app, {"redis": lambda: bus.ready, "postgresql": lambda: database.ready})
    return app


def _add_webhooks(
    app: web.Application, settings: FeedSettings, database: Database, bus: RedisBus, log: PgEventLog
) -> None:
    most = (LANES + PRESENCE_LANES) * WEBHOOKS_MAX
    limits = Limits(running=most, per_host=most, idle=LANES)
    outgoing = OutgoingClient(settings.outgoing, "webhooks", limits)
    store, changes, postman = PgDeliveries(database), PgChanges(database), Postman(outgoing)

    def make(leased: Leased) -> Dispatcher:
        return Dispatcher(Receiver(leased.webhook, store, postman), leased.number, log, changes, store)

    supervisor = Supervisor(store, bus, make)
    tests = WebhookTests(PgWebhooks(database), Postman(outgoing, TIMEOUT_S))
    handlers = audited({webhook_operations.TEST.name: tests.test}, PgServerKeys(database))
    server = RpcServer(bus, FEED, handlers, lambda: database.ready)
    for component in (outgoing, supervisor, server):
        run_component(app, component.start, component.stop)
