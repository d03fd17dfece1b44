"""A gateway worker and the real presence over an in-memory store, with sockets that record their frames."""

from __future__ import annotations

import asyncio
from collections.abc import Collection
from typing import Any

from gateway.connections.connection import Connection
from gateway.connections.hub import Hub, Member
from gateway.connections.rate_limits import TokenBucket
from gateway.presence.cache import PresenceCache
from gateway.presence.client import PresenceClient
from gateway.presence.reporter import PresenceReporter
from gateway.presence.subscriptions import PresenceSubscriptions
from messenger_shared.bus.memory_bus import MemoryBroker, MemoryBus
from messenger_shared.contract import errors
from messenger_shared.contract.errors import AppError
from messenger_shared.contract.operations.operation import PRESENCE
from messenger_shared.rpc.client import RpcClient
from messenger_shared.rpc.messages import Request
from messenger_shared.rpc.server import RequestHandler, RpcServer
from presence.broadcast import Broadcast
from presence.handlers import Handlers, handler_table
from presence.last_seen import LastSeen
from presence.ports import Choice, Store
from presence.statistics import Statistics
from presence.tracker import Tracker
from presence.visibility import Visibility
from tests.gateway.world import RecordingTransport, make_connection
from tests.presence.fakes import ChoiceLoader, KnownContacts
from tests.presence.stores import NO_GRACE, MemoryHarness, changes, full, settle
from tests.presence.test_handlers import MemoryChoices

ELSEWHERE = "another-gateway"
ROOM = "room"


class FakeLastSeen(LastSeen):
    """The last-seen times of the store, without a database."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def read(self, user_ids: Collection[int]) -> dict[int, int]:
        return await self._store.get_unwritten(user_ids)


class PresenceWorker:
    """One presence worker; a test lets the users of another gateway come and go."""

    def __init__(self, broker: MemoryBroker) -> None:
        self.bus = MemoryBus(broker, "presence")
        self.bench = MemoryHarness(NO_GRACE)
        self.contacts = KnownContacts(range(1, 1_000))
        self.asked: list[str] = []
        self.away = False
        # While this is cleared, no request is answered.
        self.may_answer = asyncio.Event()
        self.may_answer.set()
        store, statistics = self.bench.store, Statistics.__new__(Statistics)
        broadcast = Broadcast(self.bus, publish_online_status=False)
        self.tracker = Tracker(store, broadcast, ChoiceLoader(self.bench))
        visibility = Visibility(store, FakeLastSeen(store), self.contacts)
        table = handler_table(Handlers(self.tracker, store, MemoryChoices(), visibility, statistics))
        self._server = RpcServer(
            self.bus, PRESENCE, {name: self._recorded(handler) for name, handler in table.items()}
        )
        self._number = 0

    async def start(self) -> None:
        await settle(self.bench)
        await self.bus.start()
        await self._server.start()
        await self.tracker.report(full(ELSEWHERE, 0))

    async def stop(self) -> None:
        await self._server.stop()
        await self.bus.stop()

    async def come(self, *users: int) -> None:
        await self._report(opened=users)

    async def go(self, *users: int) -> None:
        await self._report(closed=users)

    async def go_away(self, *users: int) -> None:
        await self._report(away=users)

    async def choose(self, choice: Choice) -> None:
        await self.tracker.choose(choice)

    async def _report(self, **users: tuple[int, ...]) -> None:
        self._number += 1
        assert await self.tracker.report(changes(ELSEWHERE, self._number, **users))

    def _recorded(self, handler: RequestHandler) -> RequestHandler:
        async def handle(request: Request) -> Any:
            self.asked.append(request.operation)
            if self.away:
                raise AppError(errors.UNAVAILABLE)
            answer = await handler(request)
            await self.may_answer.wait()
            return answer

        return handle


class PresenceWorld:
    """The parts of a gateway worker that deal with presence."""

    def __init__(self) -> None:
        self.broker = MemoryBroker()
        self.presence = PresenceWorker(self.broker)
        self.bus = MemoryBus(self.broker, "gateway")
        self.rpc = RpcClient(self.bus, [PRESENCE])
        self.hub = Hub()
        self.presence_client = PresenceClient(self.rpc, self.bus.worker)
        self.cache = PresenceCache(self.bus, self.presence_client)
        self.subscriptions = PresenceSubscriptions(self.cache, self.presence_client)
        self.reporter = PresenceReporter(self.bus, self.presence_client, self.hub)

    async def start(self) -> None:
        await self.presence.start()
        await self.bus.start()
        await self.rpc.start()
        await asyncio.sleep(0)
        await self.cache.start()

    async def stop(self) -> None:
        await self.subscriptions.stop()
        await self.cache.stop()
        await self.rpc.stop()
        await self.bus.stop()
        await self.presence.stop()

    def connect(self, user_id: int) -> tuple[Connection, RecordingTransport]:
        """Returns a socket that is attached as the WebSocket endpoint attaches it."""
        member = self.hub.members.get(user_id)
        if member is None:
            member = self.hub.members[user_id] = Member(user_id, TokenBucket(0, 0))
        connection, transport = make_connection(user_id)
        self.hub.attach(member, connection)
        return connection, transport

    async def view(self, connection: Connection, *members: int, room: str = ROOM) -> list[int]:
        """The socket views a conversation of its user and these members."""
        connection.viewing = {*(connection.viewing or ()), room}
        return await self.subscriptions.view(connection, room, members, [])


def presence_frames(transport: RecordingTransport) -> list[list[tuple[int, str]]]:
    """Returns the (user, status) pairs of each presence frame."""
    found = []
    for frame in transport.frames():
        if frame["type"] == "presence.batch":
            found.append([(row["user_id"], row["status"]) for row in frame["users"]])
        else:
            found.append([(frame["user_id"], frame["type"].removeprefix("user."))])
    return found


def presence_changes(transport: RecordingTransport) -> list[tuple[int, str]]:
    """Returns the same pairs without the division into frames."""
    return [row for rows in presence_frames(transport) for row in rows]
