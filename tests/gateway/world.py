"""Owns a small world for the gateway's parts: an in-memory bus, a chat-api that remembers, and sockets that
note what they are sent."""

from __future__ import annotations

import asyncio
from typing import Any

import orjson

from chat_api.heads import Heads
from chat_api.model import MemberChange
from chat_api.publish import Publisher, member_event, message_event
from gateway.census import Census
from gateway.connection import Connection
from gateway.follower import Follower
from gateway.hub import Hub, Member
from gateway.limits import Bucket
from gateway.people import People
from gateway.reach import Reach
from gateway.revocations import Revocations
from gateway.rooms import Rooms
from gateway.watching import Watching
from messenger_shared import errors
from messenger_shared.errors import AppError
from messenger_shared.events import MESSAGE_NEW, Event
from messenger_shared.memory_bus import MemoryBroker, MemoryBus
from messenger_shared.operations import conversations
from messenger_shared.operations.operation import CHAT_API, PRESENCE
from messenger_shared.rpc import Request
from messenger_shared.rpc_client import RpcClient
from messenger_shared.rpc_server import RpcServer
from messenger_shared.tokens import Identity

# The settings that have no default.
FEWEST = {"MESSENGER_REDIS_URL": "redis://nowhere", "MESSENGER_JWT_SECRET": "s" * 32}


class NotingTransport(asyncio.WriteTransport):
    """Takes what is written, and tells of it as frames."""

    def __init__(self) -> None:
        super().__init__()
        self.written = b""
        self.writes: list[bytes] = []
        self.buffered = 0
        self.aborted = False
        self.closed = False

    def write(self, data: Any) -> None:
        self.written += data
        self.writes.append(bytes(data))

    def is_closing(self) -> bool:
        return self.aborted or self.closed

    def get_write_buffer_size(self) -> int:
        return self.buffered

    def abort(self) -> None:
        self.aborted = True

    def close(self) -> None:
        self.closed = True

    def frames(self) -> list[dict[str, Any]]:
        """Every text frame so far, parsed from the bytes of the wire."""
        rest, found = self.written, []
        while rest:
            length, head = rest[1], 2
            if length == 126:
                length, head = int.from_bytes(rest[2:4]), 4
            elif length == 127:
                length, head = int.from_bytes(rest[2:10]), 10
            found.append(orjson.loads(rest[head : head + length]))
            rest = rest[head + length :]
        return found


class ClosingSocket:
    """A WebSocketResponse as far as closing goes."""

    code: int | None = None

    async def close(self, *, code: int, message: bytes) -> None:
        self.code = code


def make_connection(user_id: int, hub: Hub | None = None) -> tuple[Connection, NotingTransport]:
    """A socket of `user_id`, and what it is sent."""
    transport = NotingTransport()
    socket: Any = ClosingSocket()
    free, identity = Bucket(0, 0), Identity(user_id, 9e9, 0)
    note = (hub or Hub()).note
    return Connection(socket, transport, identity, "session", free, free, free, note), transport


class RememberingChatApi:
    """chat-api without a database: who is where, and every message, published as the real one does."""

    def __init__(self, broker: MemoryBroker) -> None:
        self.bus = MemoryBus(broker, "chat-api")
        self.members: dict[str, set[int]] = {}
        self.log: dict[str, list[Event]] = {}
        # (conversation, user) -> pos at which he came back.
        self.returns: dict[tuple[str, int], int] = {}
        self.asked: list[str] = []
        self.away = False
        # Cleared, memberships are read and not yet told.
        self.answering = asyncio.Event()
        self.answering.set()
        # The same for how a conversation looks, and for what was missed.
        self.showing, self.telling = asyncio.Event(), asyncio.Event()
        self.showing.set()
        self.telling.set()
        self._heads = Heads(self.bus)
        self.publisher = Publisher(self.bus, self._heads)
        self._server = RpcServer(
            self.bus,
            CHAT_API,
            {
                conversations.MEMBERSHIPS.name: self._memberships,
                conversations.HEADS.name: self._where,
                conversations.CHANGES.name: self._changes,
                conversations.VIEW.name: self._view,
            },
        )

    async def start(self) -> None:
        await self.bus.start()
        await self._heads.start()
        await self._server.start()

    async def stop(self) -> None:
        await self._server.stop()
        await self._heads.stop()
        await self.bus.stop()

    def create(self, conversation_id: str, *users: int) -> None:
        """A conversation that exists already."""
        self.members[conversation_id] = set(users)
        self.log[conversation_id] = []

    def announce(self, conversation_id: str, *users: int) -> None:
        """A conversation that comes to be now."""
        self.create(conversation_id, *users)
        self.publisher.created({"id": conversation_id}, users)

    def say(self, conversation_id: str, content: str) -> None:
        """A message, committed and published."""
        log = self.log[conversation_id]
        pos = len(log) + 2
        message = {"conversation_id": conversation_id, "pos": pos, "sender_id": 1, "content": content}
        log.append(message_event(message, is_new=True))
        self.publisher.messages(conversation_id, [(message, orjson.dumps(message))])

    def change_member(self, conversation_id: str, kind: str, user_id: int) -> None:
        """Somebody was `added` or `removed`, committed and published."""
        {"added": self.members[conversation_id].add, "removed": self.members[conversation_id].discard}[kind](
            user_id
        )
        log = self.log[conversation_id]
        change = MemberChange(kind, user_id, "member", len(log) + 2)
        log.append(member_event(conversation_id, change))
        self.publisher.members(conversation_id, [change])

    async def _memberships(self, request: Request) -> Any:
        self._note(request)
        found = {
            str(user_id): [
                [id_, len(self.log[id_]) + 1, self.returns.get((id_, user_id), 0)]
                for id_, users in self.members.items()
                if user_id in users
            ]
            for user_id in request.body["user_ids"]
        }
        await self.answering.wait()
        return found

    async def _where(self, request: Request) -> Any:
        self._note(request)
        return {id_: len(self.log[id_]) + 1 for id_ in request.body["conversation_ids"]}

    async def _view(self, request: Request) -> Any:
        self._note(request)
        id_ = request.body["conversation_id"]
        await self.showing.wait()
        stands = {"last_seq": 0, "last_pos": len(self.log[id_]) + 1, "read_seq": 0}
        return {**stands, "member_ids": list(self.members[id_])}

    async def _changes(self, request: Request) -> Any:
        self._note(request)
        id_, after = request.body["conversation_id"], request.body["after_pos"]
        # Each member in his latest state alone, as the real one has it.
        last = {event.user_id: event.pos for event in self.log[id_] if event.type != MESSAGE_NEW}
        events = [
            event
            for event in self.log[id_]
            if event.pos > after and (event.type == MESSAGE_NEW or last[event.user_id] == event.pos)
        ]
        answer = {
            "to": len(self.log[id_]) + 1,
            "events": [[e.type, e.conversation_id, e.pos, e.user_id, e.frame.decode()] for e in events],
        }
        await self.telling.wait()
        return answer

    def _note(self, request: Request) -> None:
        self.asked.append(request.operation)
        if self.away:
            raise AppError(errors.UNAVAILABLE)


class GatewayWorld:
    """One gateway worker's inside, and the chat-api that it hears from."""

    def __init__(self) -> None:
        self.broker = MemoryBroker()
        self.chat = RememberingChatApi(self.broker)
        self.bus = MemoryBus(self.broker, "gateway")
        self.rpc = RpcClient(self.bus, [CHAT_API, PRESENCE])
        self.hub = Hub()
        reach = Reach(self.rpc, self.bus.worker)
        self.people = People(self.bus, reach)
        self.watching = Watching(self.people, reach)
        rooms = Rooms(self.bus, self.rpc, self.hub, self.watching)
        redis: Any = None
        self.revocations = Revocations(redis, self.bus, self.hub, 0)
        census = Census(self.bus, 0)
        self.follower = Follower(self.bus, self.rpc, self.hub, rooms, census, self.revocations)

    async def start(self) -> None:
        await self.chat.start()
        await self.bus.start()
        await self.rpc.start()
        await self.follower.start()

    async def stop(self) -> None:
        await self.follower.stop()
        await self.rpc.stop()
        await self.bus.stop()
        await self.chat.stop()

    async def connect(self, user_id: int) -> NotingTransport:
        """One more socket of `user_id`, as the socket door makes it."""
        member = self.hub.members.get(user_id)
        if member is None:
            member = self.hub.members[user_id] = Member(user_id, Bucket(0, 0))
        member.claims += 1
        await self.follower.arrive(member)
        connection, transport = make_connection(user_id)
        self.hub.attach(member, connection)
        return transport


def contents(transport: NotingTransport) -> list[str]:
    """What the messages among the frames say."""
    return [frame["data"]["content"] for frame in transport.frames() if frame["type"] == "message.new"]
