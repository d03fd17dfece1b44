"""Owns the wiring of chat-api: settings, stores, handlers, and the order in which they start and stop."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from aiohttp import web

from chat_api.handlers.contacts import ContactHandlers
from chat_api.handlers.conversations import ConversationHandlers
from chat_api.handlers.messages import MessageHandlers
from chat_api.handlers.operators import OperatorHandlers
from chat_api.handlers.participants import ParticipantHandlers
from chat_api.handlers.receipts import ReceiptHandlers
from chat_api.handlers.settings import SettingsHandlers
from chat_api.handlers.table import handler_table
from chat_api.heads import Heads
from chat_api.intake import Intake
from chat_api.publish import Publisher
from chat_api.storage.changes import PgChanges
from chat_api.storage.contacts import PgContacts
from chat_api.storage.conversations import PgConversations
from chat_api.storage.operators import PgOperators
from chat_api.storage.participants import PgParticipants
from chat_api.storage.receipts import PgReceipts
from chat_api.storage.settings import PgSettings
from chat_api.storage.wall import look_at_wall
from chat_api.tracing import make_messages
from messenger_shared import logs
from messenger_shared.common_settings import StoreSettings
from messenger_shared.postgres import Database
from messenger_shared.redis_bus import RedisBus
from messenger_shared.rpc_server import RpcServer
from messenger_shared.service import add_health, run_component, worker_id
from messenger_shared.settings import Environment, SettingsError
from messenger_shared.tracing import spans_of

if TYPE_CHECKING:
    from messenger_shared.spans import Spans

SERVICE = "chat-api"


async def create_app() -> web.Application:
    """The application that gunicorn's workers run; its settings are in the environment."""
    logs.configure(SERVICE)
    try:
        env = Environment(os.environ)
        return build_app(StoreSettings.read(env), spans_of(env, SERVICE))
    except SettingsError as error:
        raise SystemExit(f"{SERVICE}: {error}") from None


def build_app(settings: StoreSettings, spans: Spans | None = None) -> web.Application:
    """The application with `settings`, followed by `spans`."""
    app = web.Application()
    if spans is not None:
        run_component(app, spans.start, spans.stop)
    database = Database(settings.database_url, settings.pool_size, SERVICE)
    bus = RedisBus(settings.redis_urls, worker_id(SERVICE))
    heads = Heads(bus)
    publisher = Publisher(bus, heads)
    messages, conversations = make_messages(database, spans), PgConversations(database)
    intake = Intake(messages, publisher)
    handlers = handler_table(
        MessageHandlers(messages, conversations, intake, publisher),
        ReceiptHandlers(PgReceipts(database), messages, conversations, publisher),
        ConversationHandlers(conversations, PgChanges(database), publisher),
        ParticipantHandlers(PgParticipants(database), conversations, publisher),
        SettingsHandlers(PgSettings(database), conversations, publisher),
        ContactHandlers(PgContacts(database)),
        OperatorHandlers(PgOperators(database), conversations, publisher),
    )
    server = RpcServer(bus, SERVICE, spans.handlers(handlers) if spans else handlers)
    for component in (database, bus, heads, intake, server):
        run_component(app, component.start, component.stop)
    app.on_startup.append(lambda _: _check_wall(database))
    add_health(app, {"redis": lambda: bus.ready, "postgresql": lambda: database.ready})
    return app


async def _check_wall(database: Database) -> None:
    await look_at_wall(database)
