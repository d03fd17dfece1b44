"""Conversations, a webhook, a receiver that fails by plan, and the feed that delivers, in one process."""

from __future__ import annotations

import asyncio
import contextlib
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any, Final, NamedTuple

import pytest
from aiohttp import web
from standardwebhooks import Webhook as Judge

from chat_api.feed.agenda import Agenda
from chat_api.feed.cursors import PgCursors
from chat_api.feed.event_log import EventLogger
from chat_api.feed.follower import Follower
from chat_api.feed.webhooks import dispatcher, receiver, supervisor
from chat_api.feed.webhooks.dispatcher import Dispatcher
from chat_api.feed.webhooks.model import Leased
from chat_api.feed.webhooks.postman import Postman
from chat_api.feed.webhooks.store import PgDeliveries
from chat_api.feed.webhooks.supervisor import Supervisor
from chat_api.outgoing.client import OutgoingClient
from chat_api.outgoing.settings import OutgoingSettings
from chat_api.outgoing.signatures import new_secret
from chat_api.outgoing.slots import Limits
from chat_api.storage.changes import PgChanges
from chat_api.storage.event_log import PgEventLog
from chat_api.storage.webhooks import PgWebhooks
from chat_api.webhooks import schedule
from chat_api.webhooks.store import NewSecret
from messenger_sdk import verify_webhook
from messenger_shared.bus.memory_bus import MemoryBroker, MemoryBus
from messenger_shared.contract.identifiers import new_id
from messenger_shared.contract.schemas.webhooks import EVENT_TYPES
from messenger_shared.postgres.database import Database
from tests.waiting import until

NAME: Final = "orders"
ROUND_S: Final = 0.03
TIMEOUT_S: Final = 0.3
# An answer that doesn't come in time, and a connection that breaks instead of it.
LATE, RESET = 0, -1


class Delivery(NamedTuple):
    """What a receiver was posted."""

    id: str
    body: Any
    answered: int

    @property
    def room(self) -> str:
        return str(self.body["data"].get("conversation_id"))


async def _nothing(body: Any) -> None:
    """Does nothing."""


class Receiver:
    """A host's server. `plan` says with which status it answers, or LATE, or RESET."""

    def __init__(self) -> None:
        self.secrets: list[str] = []
        self.deliveries: list[Delivery] = []
        self.plan: Callable[[Any], int] = lambda body: 204
        self.headers: dict[str, str] = {}
        # What happens while it handles a body.
        self.meanwhile: Callable[[Any], Awaitable[None]] = _nothing
        self.at_once = 0
        self.most_at_once = 0
        self.url = ""
        self._port = 0
        self._runner: web.AppRunner | None = None

    async def start(self) -> None:
        """Listens: on a free port, and after a crash on the same one again."""
        app = web.Application()
        app.router.add_post("/hook", self.handle)
        self._runner = web.AppRunner(app, shutdown_timeout=0.1)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", self._port, reuse_address=True).start()
        self._port = self._runner.addresses[0][1]
        self.url = f"http://127.0.0.1:{self._port}/hook"

    async def crash(self) -> None:
        """Stops to listen, and breaks every connection; what it has taken stays taken."""
        if self._runner is not None:
            await self._runner.cleanup()

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Checks the signatures with every secret, and answers as planned."""
        content = await request.read()
        for secret in self.secrets:
            body = verify_webhook(content, request.headers, secret)
            Judge(secret).verify(content, {name.lower(): v for name, v in request.headers.items()})
        assert request.content_type == "application/json"
        self.at_once += 1
        self.most_at_once = max(self.at_once, self.most_at_once)
        try:
            status = self.plan(body)
            self.deliveries.append(Delivery(request.headers["webhook-id"], body, status))
            # Half of it, since a busy machine may read the request long after it was sent.
            await asyncio.sleep(TIMEOUT_S / 2 if status == LATE else 0)
            await self.meanwhile(body)
        finally:
            self.at_once -= 1
        if status == LATE:
            await asyncio.sleep(TIMEOUT_S)
        if status == RESET:
            assert request.transport is not None
            request.transport.abort()
        # Whoever waits longer than it is late gets no success either.
        return web.Response(status=504 if status <= 0 else status, headers=self.headers)

    @property
    def taken(self) -> dict[str, list[int]]:
        """The positions that it took, in the order in which they came, by conversation."""
        found: dict[str, list[int]] = defaultdict(list)
        for delivery in self.deliveries:
            if 200 <= delivery.answered < 300:
                found[delivery.room].append(delivery.body["data"].get("pos"))
        return found

    @property
    def repeats(self) -> int:
        """How many events it took more than once, all counted."""
        taken = Counter(d.id for d in self.deliveries if 200 <= d.answered < 300)
        return sum(taken.values()) - len(taken)


@asynccontextmanager
async def receiving() -> AsyncIterator[Receiver]:
    """Yields a receiver that listens."""
    receiver = Receiver()
    await receiver.start()
    try:
        yield receiver
    finally:
        await receiver.crash()


async def make_webhook(database: Database, receiver: Receiver, *types: str, name: str = NAME) -> str:
    """Makes the webhook, or changes it; returns its id."""
    store, secret = PgWebhooks(database), new_secret()
    made = await store.put(
        name,
        receiver.url,
        types or EVENT_TYPES,
        disabled=False,
        new=NewSecret(new_id(), secret),
        at_most=10,
    )
    if made is not None:
        receiver.secrets = [secret]
    return (await store.find(name)).id


class Feed:
    """The part of the feed's process that is about events."""

    def __init__(self, database: Database, broker: MemoryBroker, outgoing: OutgoingClient) -> None:
        self.bus = MemoryBus(broker, new_id())
        log, changes, store = PgEventLog(database), PgChanges(database), PgDeliveries(database)
        postman = Postman(outgoing, TIMEOUT_S)

        def make(leased: Leased) -> Dispatcher:
            return Dispatcher(
                receiver.Receiver(leased.webhook, store, postman), leased.number, log, changes, store
            )

        consumer = EventLogger(log, self.bus, gather_s=0.0)
        self.follower = Follower(consumer, PgCursors(database, consumer.name), Agenda())
        self.supervisor = Supervisor(store, self.bus, make)

    async def start(self) -> None:
        """Starts to follow and to deliver."""
        await self.follower.start()
        await self.supervisor.start()

    async def stop(self) -> None:
        """Stops as a process that is told to."""
        await self.supervisor.stop()
        await self.follower.stop()

    async def crash(self) -> None:
        """Stops as a process that is killed: it writes nothing any more."""
        tasks = [task for task in (self.supervisor._task, *self.follower._tasks) if task is not None]
        for each in self.supervisor._dispatchers.values():
            tasks += [task for task in (each._task, *each._lanes, *each.presence._tasks) if task is not None]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def notice(self, *rooms: str) -> None:
        """Hears that these conversations have moved."""
        self.follower.on_marks(dict.fromkeys(rooms, 2**40))


class World:
    """A database, and feeds that may be started and killed."""

    def __init__(self, database: Database, outgoing: OutgoingClient) -> None:
        self.database = database
        self.deliveries = PgDeliveries(database)
        self.webhooks = PgWebhooks(database)
        self.broker = MemoryBroker()
        self._outgoing = outgoing

    @asynccontextmanager
    async def feed(self) -> AsyncIterator[Feed]:
        """Yields a feed at work."""
        feed = self.make_feed()
        await feed.start()
        try:
            yield feed
        finally:
            await feed.stop()

    def make_feed(self) -> Feed:
        """A feed that isn't started."""
        feed = Feed(self.database, self.broker, self._outgoing)
        self.broker.buses.append(feed.bus)
        return feed


@asynccontextmanager
async def delivering(database: Database, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[World]:
    """Yields a world in which everything is tried again soon."""
    monkeypatch.setattr(dispatcher, "TICK_S", ROUND_S)
    monkeypatch.setattr(supervisor, "ROUND_S", ROUND_S)
    monkeypatch.setattr(schedule, "DELAYS_S", (ROUND_S,) * len(schedule.DELAYS_S))
    limits = Limits(running=64, per_host=64)
    outgoing = OutgoingClient(OutgoingSettings(loopback=True), "webhooks", limits)
    async with AsyncExitStack() as exits:
        await outgoing.start()
        exits.push_async_callback(outgoing.stop)
        yield World(database, outgoing)


async def last_pos(database: Database, room: str) -> int:
    """The last position of a conversation."""
    return int((await database.rows("SELECT * FROM messenger.heads(%s::uuid[])", ([room],)))[0][1])


async def waits(database: Database) -> list[tuple[Any, ...]]:
    """The backlog: conversation, pos, attempts, whether it is parked, why."""
    sql = """
    SELECT conversation_id::text, pos, attempts, parked_at IS NOT NULL, failure
      FROM messenger.webhook_backlog ORDER BY conversation_id"""
    return await database.rows(sql, user_id=-1)


async def quiet(receiver: Receiver) -> None:
    """Returns when nothing has come for a while."""
    with contextlib.suppress(AssertionError):
        while True:
            count = len(receiver.deliveries)
            await until(lambda count=count: len(receiver.deliveries) > count, 0.3)  # type: ignore[misc]


async def is_empty(database: Database) -> bool:
    return not await waits(database)


async def is_parked(database: Database) -> bool:
    return any(row[3] for row in await waits(database))


async def is_disabled(world: World) -> bool:
    return (await world.webhooks.all(NAME))[0].disabled_reason == "gone"
