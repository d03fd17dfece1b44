"""Builds the chat-api application: settings, stores, handlers, and the order in which they start and stop."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from aiohttp import web

from chat_api.before_send.asking import LIMITS, Asker
from chat_api.before_send.checks import BeforeSend
from chat_api.handlers.contacts import ContactHandlers
from chat_api.handlers.conversations import ConversationHandlers
from chat_api.handlers.events import EventHandlers
from chat_api.handlers.files import FileHandlers
from chat_api.handlers.messages import MessageHandlers
from chat_api.handlers.operators import OperatorHandlers
from chat_api.handlers.participants import ParticipantHandlers
from chat_api.handlers.pins import PinHandlers
from chat_api.handlers.push import PushHandlers
from chat_api.handlers.reactions import ReactionHandlers
from chat_api.handlers.receipts import ReceiptHandlers
from chat_api.handlers.search import SearchHandlers
from chat_api.handlers.server_conversations import ServerConversationHandlers
from chat_api.handlers.server_keys import ServerKeyHandlers, audited
from chat_api.handlers.server_users import ServerUserHandlers
from chat_api.handlers.settings import SettingsHandlers
from chat_api.handlers.table import (
    file_handler_table,
    handler_table,
    push_handler_table,
    reaction_handler_table,
    user_handler_table,
    webhook_handler_table,
)
from chat_api.handlers.users import UserHandlers
from chat_api.handlers.webhooks import WebhookHandlers
from chat_api.high_water_marks import HighWaterMarks
from chat_api.outgoing.client import OutgoingClient
from chat_api.outgoing.destinations import Destinations
from chat_api.outgoing.urls import BadUrl
from chat_api.ports import MessageStore
from chat_api.publisher import Publisher
from chat_api.reaction_batcher import ReactionBatcher
from chat_api.rules.permissions import reacting_roles
from chat_api.search.searching import Searcher
from chat_api.send_batcher import SendBatcher
from chat_api.settings import BEFORE_SEND_URL, ChatSettings
from chat_api.storage.before_send import PgSendFacts
from chat_api.storage.changes import PgChanges
from chat_api.storage.contacts import PgContacts
from chat_api.storage.conversations import PgConversations
from chat_api.storage.event_log import PgEventLog
from chat_api.storage.files import PgFiles
from chat_api.storage.operators import PgOperators
from chat_api.storage.participants import PgParticipants
from chat_api.storage.pins import PgPins
from chat_api.storage.push import PgPush
from chat_api.storage.push_keys import PgPushKeys
from chat_api.storage.reactions import PgReactions
from chat_api.storage.receipts import PgReceipts
from chat_api.storage.row_level_security import check_row_level_security
from chat_api.storage.search import PgSearch
from chat_api.storage.server_conversations import PgServerConversations
from chat_api.storage.server_keys import PgServerKeys
from chat_api.storage.settings import PgSettings
from chat_api.storage.titles import PgTitles
from chat_api.storage.users import PgUsers
from chat_api.storage.webhooks import PgWebhooks
from chat_api.storage.write_check import WRITE_CHECK
from chat_api.tracing import make_message_store
from messenger_shared.bus.redis_bus import RedisBus
from messenger_shared.observability import logs
from messenger_shared.postgres.database import Database
from messenger_shared.postgres.pool import Limits
from messenger_shared.rpc.server import RequestHandler, RpcServer
from messenger_shared.runtime.service import add_health, run_component, worker_id
from messenger_shared.settings.environment import Environment, SettingsError
from messenger_shared.tracing.setup import make_spans

if TYPE_CHECKING:
    from messenger_shared.tracing.spans import Spans

SERVICE = "chat-api"
# Searches have connections of their own, so that they can't keep chat waiting.
SEARCH_CONNECTIONS = 2
SEARCH_STATEMENT_S = 0.3
# Different emoji on one message.
MAX_EMOJI = 30


async def create_app() -> web.Application:
    """The application that gunicorn's workers run. It reads its settings from the environment."""
    logs.configure(SERVICE)
    try:
        env = Environment(os.environ)
        return build_app(ChatSettings.read(env), make_spans(env, SERVICE))
    except SettingsError as error:
        raise SystemExit(f"{SERVICE}: {error}") from None


def build_app(settings: ChatSettings, spans: Spans | None = None) -> web.Application:
    """The application with these settings. With `spans`, its requests and batches are traced."""
    app = web.Application()
    if spans is not None:
        run_component(app, spans.start, spans.stop)
    database = Database(
        settings.store.database_url, settings.store.pool_size, SERVICE, write_check=WRITE_CHECK
    )
    search_database = Database(
        settings.store.database_url, SEARCH_CONNECTIONS, SERVICE, Limits(statement_s=SEARCH_STATEMENT_S)
    )
    bus = RedisBus(settings.store.redis_urls, worker_id(SERVICE))
    high_water_marks = HighWaterMarks(bus)
    publisher = Publisher(bus, high_water_marks)
    messages = make_message_store(database, spans)
    batcher = SendBatcher(messages, publisher)
    roles = reacting_roles(observers_react=settings.observers_react)
    reactions = PgReactions(database, sorted(roles), MAX_EMOJI)
    reaction_batcher = ReactionBatcher(reactions, publisher)
    before_send = _before_send(settings, database, messages, batcher)
    handlers = _handlers(settings, database, search_database, messages, batcher, publisher, before_send)
    files = PgFiles(database, settings.file_bytes_per_day, settings.files_per_day)
    handlers |= file_handler_table(FileHandlers(files, publisher))
    handlers |= _reaction_handlers(database, messages, reactions, reaction_batcher, publisher)
    server = RpcServer(bus, SERVICE, spans.handlers(handlers) if spans else handlers, lambda: database.ready)
    for component in (database, search_database, bus, high_water_marks, batcher, reaction_batcher):
        run_component(app, component.start, component.stop)
    if before_send is not None:
        run_component(app, before_send.start, before_send.stop)
    run_component(app, server.start, server.stop)
    app.on_startup.append(lambda _: _require_row_level_security(database))
    add_health(app, {"redis": lambda: bus.ready, "postgresql": lambda: database.ready})
    return app


def _handlers(
    settings: ChatSettings,
    database: Database,
    search_database: Database,
    messages: MessageStore,
    batcher: SendBatcher,
    publisher: Publisher,
    before_send: BeforeSend | None,
) -> dict[str, RequestHandler]:
    may_create_users = settings.may_create_users
    conversations = PgConversations(database, may_create_users=may_create_users)
    participants = PgParticipants(database, may_create_users=may_create_users)
    by_key = PgServerConversations(database, may_create_users=may_create_users)
    users, keys, receipts = PgUsers(database), PgServerKeys(database), PgReceipts(database)
    message_handlers = MessageHandlers(
        messages, conversations, receipts, users, batcher, publisher, before_send
    )
    operators = OperatorHandlers(PgOperators(database), conversations, publisher)
    table = handler_table(
        message_handlers,
        ReceiptHandlers(receipts, messages, conversations, users, publisher),
        ConversationHandlers(conversations, PgChanges(database), users, publisher, PgTitles(search_database)),
        ParticipantHandlers(participants, conversations, users, publisher),
        SettingsHandlers(PgSettings(database), conversations, publisher),
        ContactHandlers(PgContacts(database)),
        SearchHandlers(Searcher(PgSearch(search_database)), conversations, users),
    )
    table |= user_handler_table(
        UserHandlers(users, publisher, settings.directory),
        ServerUserHandlers(users, publisher),
        ServerConversationHandlers(conversations, by_key, users, message_handlers, operators, publisher),
        ServerKeyHandlers(keys, publisher),
        operators,
    )
    table |= _push_handlers(settings, database, messages)
    return audited(table | _webhook_handlers(settings, database), keys)


def _webhook_handlers(settings: ChatSettings, database: Database) -> dict[str, RequestHandler]:
    return webhook_handler_table(
        WebhookHandlers(PgWebhooks(database), Destinations(settings.outgoing).check),
        EventHandlers(PgEventLog(database), PgChanges(database)),
    )


def _before_send(
    settings: ChatSettings, database: Database, messages: MessageStore, batcher: SendBatcher
) -> BeforeSend | None:
    if settings.before_send is None:
        return None
    # The operator's own URL: its host may have any address, and use http.
    outgoing = settings.outgoing.trusting(settings.before_send.host)
    try:
        Destinations(outgoing).check(settings.before_send.url)
    except BadUrl as error:
        raise SettingsError(f"{BEFORE_SEND_URL.name}: {error}") from None
    client = OutgoingClient(outgoing, "before_send", LIMITS)
    asker = Asker(settings.before_send, client)
    return BeforeSend(client, asker, PgSendFacts(database), messages, batcher)


def _reaction_handlers(
    database: Database,
    messages: MessageStore,
    reactions: PgReactions,
    batcher: ReactionBatcher,
    publisher: Publisher,
) -> dict[str, RequestHandler]:
    users = PgUsers(database)
    return reaction_handler_table(
        ReactionHandlers(reactions, messages, users, batcher),
        PinHandlers(PgPins(database), PgConversations(database), users, publisher),
    )


def _push_handlers(
    settings: ChatSettings, database: Database, messages: MessageStore
) -> dict[str, RequestHandler]:
    store, keys = PgPush(database), PgPushKeys(database)
    return push_handler_table(
        PushHandlers(
            store, keys, messages, Destinations(settings.outgoing).check, takes_all_kinds=settings.push_stdout
        )
    )


async def _require_row_level_security(database: Database) -> None:
    await check_row_level_security(database)
