"""Owns a gateway worker and the real presence over a store in memory, with sockets that take notes."""

from __future__ import annotations

import asyncio
from collections.abc import Collection
from typing import Any

from gateway.connection import Connection
from gateway.hub import Hub, Member
from gateway.limits import Bucket
from gateway.people import People
from gateway.reach import Reach
from gateway.reporting import Reporting
from gateway.watching import Watching
from messenger_shared import errors
from messenger_shared.errors import AppError
from messenger_shared.memory_bus import MemoryBroker, MemoryBus
from messenger_shared.operations.operation import PRESENCE
from messenger_shared.rpc import Request
from messenger_shared.rpc_client import RpcClient
from messenger_shared.rpc_server import RequestHandler, RpcServer
from presence.broadcast import Broadcast
from presence.figures import Figures
from presence.handlers import Handlers, handler_table
from presence.last_seen import LastSeen
from presence.ports import Choice, Store
from presence.tracker import Tracker
from presence.views import Views
from tests.gateway.world import NotingTransport, make_connection
from tests.presence.people import KnownContacts, Loading
from tests.presence.stores import NO_GRACE, MemoryBench, changes, full, settle
from tests.presence.test_handlers import MemoryChoices

ELSEWHERE = "another-gateway"
ROOM = "room"


class Diary(LastSeen):
    """When everybody was last seen, as the store has it, without a database."""

    def __init__(self, store: Store) -> None:
        self._kept = store

    async def read(self, user_ids: Collection[int]) -> dict[int, int]:
        return await self._kept.seen(user_ids)


class InnerPresence:
    """One presence worker; users of a gateway elsewhere come and go as a test wants."""

    def __init__(self, broker: MemoryBroker) -> None:
        self.bus = MemoryBus(broker, "presence")
        self.bench = MemoryBench(NO_GRACE)
        self.contacts = KnownContacts(range(1, 1_000))
        self.asked: list[str] = []
        self.away = False
        # Cleared, nothing is answered.
        self.answering = asyncio.Event()
        self.answering.set()
        store, figures = self.bench.store, Figures.__new__(Figures)
        broadcast = Broadcast(self.bus, to_operators=False)
        self.tracker = Tracker(store, broadcast, Loading(self.bench))
        views = Views(store, Diary(store), self.contacts)
        table = handler_table(Handlers(self.tracker, store, MemoryChoices(), views, figures))
        self._server = RpcServer(
            self.bus, PRESENCE, {name: self._noted(handler) for name, handler in table.items()}
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

    def _noted(self, handler: RequestHandler) -> RequestHandler:
        async def handle(request: Request) -> Any:
            self.asked.append(request.operation)
            if self.away:
                raise AppError(errors.UNAVAILABLE)
            answer = await handler(request)
            await self.answering.wait()
            return answer

        return handle


class PresenceWorld:
    """What of a gateway worker has to do with presence."""

    def __init__(self) -> None:
        self.broker = MemoryBroker()
        self.presence = InnerPresence(self.broker)
        self.bus = MemoryBus(self.broker, "gateway")
        self.rpc = RpcClient(self.bus, [PRESENCE])
        self.hub = Hub()
        self.reach = Reach(self.rpc, self.bus.worker)
        self.people = People(self.bus, self.reach)
        self.watching = Watching(self.people, self.reach)
        self.reporting = Reporting(self.bus, self.reach, self.hub)

    async def start(self) -> None:
        await self.presence.start()
        await self.bus.start()
        await self.rpc.start()
        await asyncio.sleep(0)
        await self.people.start()

    async def stop(self) -> None:
        await self.watching.stop()
        await self.people.stop()
        await self.rpc.stop()
        await self.bus.stop()
        await self.presence.stop()

    def connect(self, user_id: int) -> tuple[Connection, NotingTransport]:
        """A socket that is attached as the door does it."""
        member = self.hub.members.get(user_id)
        if member is None:
            member = self.hub.members[user_id] = Member(user_id, Bucket(0, 0))
        connection, transport = make_connection(user_id)
        self.hub.attach(member, connection)
        return connection, transport

    async def look(self, connection: Connection, *members: int, room: str = ROOM) -> list[int]:
        """The socket looks at a conversation of these and of its user."""
        connection.viewing = {*(connection.viewing or ()), room}
        return await self.watching.view(connection, room, members, [])


def told(transport: NotingTransport) -> list[list[tuple[int, str]]]:
    """Frame by frame, who was told to be how."""
    found = []
    for frame in transport.frames():
        if frame["type"] == "presence.batch":
            found.append([(row["user_id"], row["status"]) for row in frame["users"]])
        else:
            found.append([(frame["user_id"], frame["type"].removeprefix("user."))])
    return found


def flat(transport: NotingTransport) -> list[tuple[int, str]]:
    """The same without the frames."""
    return [row for rows in told(transport) for row in rows]
