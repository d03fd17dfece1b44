"""Wires the gateway: settings, components, routes, and the order of start and stop."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

from aiohttp import hdrs, web

from gateway.admin.http import add_admin
from gateway.auth.credentials import Credentials
from gateway.auth.handshake import Handshake
from gateway.auth.server_keys import ServerKeys
from gateway.connections.rate_limits import TokenBuckets
from gateway.connections.socket_counter import SocketCounter
from gateway.delivery.memberships import MembershipTracker
from gateway.delivery.resume import Resumer
from gateway.delivery.rooms import Rooms
from gateway.delivery.tracing import make_hub, make_rpc
from gateway.delivery.user_updates import UserUpdates
from gateway.delivery.viewers import Viewers
from gateway.edge.docs import add_docs
from gateway.edge.headers import add_common_headers
from gateway.edge.origins import origins_middleware
from gateway.edge.pages import add_pages
from gateway.edge.problems import problems_middleware
from gateway.edge.rest import BASE_PATH, MAX_BODY_BYTES, OperationHandler, add_rest
from gateway.edge.server import add_server
from gateway.edge.server_events import ServerEvents
from gateway.edge.server_users import ServerUsers
from gateway.edge.uploads import PartsDoor, UploadDoor
from gateway.edge.websocket import WebSocketEndpoint
from gateway.file_settings import FileSettings
from gateway.files.examination import Examination
from gateway.files.fs_store import FsStore
from gateway.files.operations import FileOperations
from gateway.files.processing import FileProcessing
from gateway.files.remover import FileRemover
from gateway.files.store import ByteStore
from gateway.files.transfers import Transfers
from gateway.media.processor import MediaProcessor
from gateway.media.scanner import scanner_of
from gateway.presence.cache import PresenceCache
from gateway.presence.client import PresenceClient
from gateway.presence.reporter import PresenceReporter
from gateway.presence.subscriptions import PresenceSubscriptions
from gateway.settings import GatewaySettings
from gateway.sockets.admission import Admission
from gateway.sockets.commands import Commands
from gateway.sockets.drain import Drain
from gateway.sockets.heartbeat import Heartbeat
from gateway.sockets.presence_commands import PresenceCommands
from gateway.sockets.socket_commands import SocketCommands
from messenger_shared.bus.redis_bus import RedisBus
from messenger_shared.contract.operations import search
from messenger_shared.contract.operations.messages import SEND
from messenger_shared.contract.operations.operation import CHAT_API
from messenger_shared.contract.operations.push import devices
from messenger_shared.observability import logs
from messenger_shared.rpc.client import RpcClient
from messenger_shared.runtime.service import BEFORE_STOP, add_health, run_component, worker_id
from messenger_shared.settings.environment import Environment, SettingsError
from messenger_shared.tracing.setup import make_spans

if TYPE_CHECKING:
    from messenger_shared.tracing.spans import Spans

SERVICE = "gateway"
SEARCHES_PER_S: Final = 5
PUSH_TESTS_PER_S: Final = 1
# Asks the other services, for an application that adds routes of its own to these.
RPC: Final = web.AppKey[RpcClient]("rpc")
# How many uploads, and how many downloads, one user and all users have at once on a worker.
TRANSFERS_OF_USER: Final = 20
TRANSFERS_AT_ONCE: Final = 500
# Of the body that a client sends faster than it is read, twice as much waits in memory.
READ_BUFFER_BYTES: Final = 32 * 1024
# 500 of the longest user ids in a query, their commas encoded.
MAX_LINE_BYTES = 16 * 1024


async def create_app() -> web.Application:
    """The application that gunicorn's workers run; its settings are in the environment."""
    logs.configure(SERVICE)
    try:
        env = Environment(os.environ)
        return build_app(GatewaySettings.read(env), make_spans(env, SERVICE))
    except SettingsError as error:
        raise SystemExit(f"{SERVICE}: {error}") from None


def build_app(settings: GatewaySettings, spans: Spans | None = None) -> web.Application:
    """The application with `settings`, followed by `spans`."""
    app = _bare_app(settings, spans)
    # Keys aren't spread over several servers as channels are.
    limits, redis = settings.limits, settings.redis_urls[0]
    bus = RedisBus(settings.redis_urls, worker_id(SERVICE))
    rpc, hub = make_rpc(bus, spans), make_hub(spans)
    presence_client = PresenceClient(rpc, bus.worker)
    cache = PresenceCache(bus, presence_client)
    subscriptions = PresenceSubscriptions(cache, presence_client)
    rooms = Rooms(bus, rpc, hub, subscriptions)
    counter = SocketCounter(bus, limits.max_sockets)
    credentials = Credentials(settings.jwt_keys, settings.jwt_rules, redis, limits.max_sockets, bus, rpc, hub)
    updates = UserUpdates(bus, hub)
    memberships = MembershipTracker(bus, rpc, hub, rooms, counter, credentials.revocations)
    resumer = Resumer(hub, rooms, limits.resume_max_events)
    reporter = PresenceReporter(bus, presence_client, hub)
    heartbeat = Heartbeat(hub, settings.heartbeat_ms)
    live = (memberships, updates, reporter, heartbeat, Viewers(bus, hub))
    for component in (bus, credentials, rpc, cache, subscriptions, *live):
        run_component(app, component.start, component.stop)
    socket_commands = SocketCommands(
        bus, rpc, hub, subscriptions, resumer, credentials.authenticator, settings
    )
    presence_commands = PresenceCommands(presence_client, subscriptions, reporter)
    commands = Commands(rpc, socket_commands.handlers | presence_commands.handlers)
    admission = Admission(settings.admit_at_once, settings.admit_waiting)
    buckets = TokenBuckets(limits.messages_per_s)
    handshake = Handshake(credentials.authenticator, credentials.tickets)
    endpoint = WebSocketEndpoint(
        hub, admission, counter, buckets, memberships, subscriptions, reporter, commands, handshake, settings
    )
    for path in ("/ws", "/ws/{user_id}"):
        app.router.add_get(BASE_PATH + path, endpoint.handle)
    _add_http(app, settings, rpc, credentials, buckets)
    if settings.server_api:
        _add_server_api(app, settings, bus, rpc, credentials)
    _add_health(app, bus, rpc, presence_client)
    app[BEFORE_STOP] = Drain(hub, admission, settings.drain_s).run
    return app


def _add_http(
    app: web.Application,
    settings: GatewaySettings,
    rpc: RpcClient,
    credentials: Credentials,
    buckets: TokenBuckets,
) -> None:
    app[RPC] = rpc
    files = _add_files(app, settings.files, rpc) if settings.files is not None else {}
    limits = {
        SEND.name: buckets,
        search.MESSAGES.name: TokenBuckets(SEARCHES_PER_S, burst_s=1),
        devices.TEST.name: TokenBuckets(PUSH_TESTS_PER_S),
    }
    add_rest(app, rpc, limits, credentials.authenticator, {**credentials.tickets.handlers, **files})
    add_docs(app, BASE_PATH)
    add_pages(app, settings)
    if settings.admin_api:
        add_admin(app, rpc, credentials.authenticator, credentials.revocations)


def _add_files(
    app: web.Application, settings: FileSettings, rpc: RpcClient
) -> Mapping[str, OperationHandler]:
    store = _add_store(app, settings, rpc)
    media, remover = MediaProcessor(settings.keeps_metadata), FileRemover(rpc, store)
    examination = Examination(store, media, scanner_of(settings.scanner), is_required=settings.scan_required)
    processing = FileProcessing(rpc, store, examination)
    for component in (store, media, processing, remover):
        run_component(app, component.start, component.stop)
    return FileOperations(rpc, store, processing, settings.max_bytes, settings.accepted).handlers


def _add_store(app: web.Application, settings: FileSettings, rpc: RpcClient) -> ByteStore:
    """The store of the files' bytes, with the routes for uploads to it."""
    path = BASE_PATH + "/uploads"
    transfers = Transfers(TRANSFERS_OF_USER, TRANSFERS_AT_ONCE)
    if settings.s3 is not None:
        # botocore takes 25 MB and a second, which other gateways don't pay.
        from gateway.files.s3.store import S3Store

        bucket = S3Store(settings.s3, path, settings.max_bytes)
        app.router.add_get(f"{path}/{{file_id}}", PartsDoor(rpc, bucket, transfers).get)
        return bucket
    if settings.folder is None:
        raise SettingsError("there is no place for files")
    folder = FsStore(settings.folder, path, Transfers(TRANSFERS_OF_USER, TRANSFERS_AT_ONCE))
    door = UploadDoor(rpc, folder, transfers)
    app.router.add_route(hdrs.METH_HEAD, f"{path}/{{file_id}}", door.head)
    app.router.add_route(hdrs.METH_PATCH, f"{path}/{{file_id}}", door.patch)
    # Before aiohttp awaits the requests under way: a slow upload would take all the time for that.
    app.on_shutdown.append(lambda _: door.stop())
    return folder


def _add_server_api(
    app: web.Application, settings: GatewaySettings, bus: RedisBus, rpc: RpcClient, credentials: Credentials
) -> None:
    server_keys = ServerKeys(rpc, bus)
    run_component(app, server_keys.start, server_keys.stop)
    users = ServerUsers(rpc, credentials.revocations, settings.jwt_rules, settings.signing_secret)
    events = ServerEvents(rpc, bus)
    run_component(app, events.start, events.stop)
    # Before aiohttp awaits the requests under way.
    app.on_shutdown.append(lambda _: events.release())
    add_server(app, rpc, server_keys, {**users.handlers, **events.handlers})


def _add_health(app: web.Application, bus: RedisBus, rpc: RpcClient, presence_client: PresenceClient) -> None:
    required = {"redis": lambda: bus.connected, "chat-api": lambda: rpc.has_worker(CHAT_API)}
    # Sockets live on while chat-api can't write, or one of several Redis servers is away. What can still be
    # done is done.
    optional = {
        "chat-api": lambda: rpc.has_healthy_worker(CHAT_API),
        "presence": lambda: not presence_client.is_degraded,
    }
    if len(bus.lanes) > 1:
        optional["redis"] = lambda: bus.ready
    add_health(app, required, optional)


def _bare_app(settings: GatewaySettings, spans: Spans | None) -> web.Application:
    app = web.Application(
        middlewares=[problems_middleware, origins_middleware(settings.allowed_origins)],
        client_max_size=MAX_BODY_BYTES,
        # A packed body is refused, and until then it stays as it is.
        handler_args={
            "max_line_size": MAX_LINE_BYTES,
            "auto_decompress": False,
            "read_bufsize": READ_BUFFER_BYTES,
        },
    )
    app.on_response_prepare.append(add_common_headers)
    if spans is not None:
        run_component(app, spans.start, spans.stop)
    return app
