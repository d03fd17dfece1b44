"""A small world for the gateway's parts: an in-memory bus, a chat-api that remembers, and sockets that record
what they are sent.
"""

from __future__ import annotations

import asyncio
from typing import Any

import orjson

from chat_api.high_water_marks import HighWaterMarks
from chat_api.model import MemberChange
from chat_api.publisher import Publisher, member_events, message_event
from gateway.auth.revocations import Revocations
from gateway.connections.connection import Connection
from gateway.connections.hub import Hub, Member
from gateway.connections.rate_limits import TokenBucket
from gateway.connections.socket_counter import SocketCounter
from gateway.delivery.memberships import MembershipTracker
from gateway.delivery.rooms import Rooms
from gateway.presence.cache import PresenceCache
from gateway.presence.client import PresenceClient
from gateway.presence.subscriptions import PresenceSubscriptions
from messenger_shared.bus.memory_bus import MemoryBroker, MemoryBus
from messenger_shared.contract import errors
from messenger_shared.contract.errors import AppError
from messenger_shared.contract.events import MESSAGE_NEW, PARTICIPANT_ADDED, Event, joined, joined_event
from messenger_shared.contract.operations import conversations
from messenger_shared.contract.operations.operation import CHAT_API, PRESENCE
from messenger_shared.contract.tokens import Identity
from messenger_shared.rpc.client import RpcClient
from messenger_shared.rpc.messages import Request
from messenger_shared.rpc.server import RpcServer

# The settings that have no default.
REQUIRED_SETTINGS = {"MESSENGER_REDIS_URL": "redis://nowhere", "MESSENGER_JWT_SECRET": "s" * 32}


class RecordingTransport(asyncio.WriteTransport):
    """Takes the written bytes, and returns them as frames."""

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
        """Returns every text frame so far, parsed from the bytes."""
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


class FakeSocket:
    """A WebSocketResponse, as far as closing is concerned."""

    code: int | None = None

    async def close(self, *, code: int, message: bytes) -> None:
        self.code = code


def make_connection(user_id: int, hub: Hub | None = None) -> tuple[Connection, RecordingTransport]:
    """Returns a socket of `user_id` and its transport."""
    transport = RecordingTransport()
    socket: Any = FakeSocket()
    free, identity = TokenBucket(0, 0), Identity(user_id, 9e9, 0)
    flush_later = (hub or Hub()).flush_later
    return Connection(socket, transport, identity, "session", free, free, free, flush_later), transport


class FakeChatApi:
    """chat-api without a database: memberships and messages, published as the real one does."""

    def __init__(self, broker: MemoryBroker) -> None:
        self.bus = MemoryBus(broker, "chat-api")
        self.members: dict[str, set[int]] = {}
        self.log: dict[str, list[Event]] = {}
        # (conversation, user) -> the pos at which the user came back.
        self.returns: dict[tuple[str, int], int] = {}
        self.asked: list[str] = []
        self.away = False
        # While this is cleared, memberships are read but not yet answered.
        self.may_answer_memberships = asyncio.Event()
        self.may_answer_memberships.set()
        # The same for the state of a conversation, and for missed events.
        self.may_answer_view, self.may_answer_changes = asyncio.Event(), asyncio.Event()
        self.may_answer_view.set()
        self.may_answer_changes.set()
        self._high_water_marks = HighWaterMarks(self.bus)
        self.publisher = Publisher(self.bus, self._high_water_marks)
        self._server = RpcServer(
            self.bus,
            CHAT_API,
            {
                conversations.MEMBERSHIPS.name: self._memberships,
                conversations.LAST_POSITIONS.name: self._last_positions,
                conversations.CHANGES.name: self._changes,
                conversations.VIEW.name: self._view,
            },
        )

    async def start(self) -> None:
        await self.bus.start()
        await self._high_water_marks.start()
        await self._server.start()

    async def stop(self) -> None:
        await self._server.stop()
        await self._high_water_marks.stop()
        await self.bus.stop()

    def create(self, conversation_id: str, *users: int) -> None:
        """Adds a conversation that exists already."""
        self.members[conversation_id] = set(users)
        self.log[conversation_id] = []

    def announce(self, conversation_id: str, *users: int) -> None:
        """Creates a conversation, and publishes that."""
        self.create(conversation_id, *users)
        self.publisher.publish_new_conversation({"id": conversation_id}, users)

    def say(self, conversation_id: str, content: str) -> None:
        """Commits and publishes a message."""
        log = self.log[conversation_id]
        pos = len(log) + 2
        message = {"conversation_id": conversation_id, "pos": pos, "sender_id": 1, "content": content}
        log.append(message_event(message, is_new=True))
        self.publisher.publish_new_messages(conversation_id, [(message, orjson.dumps(message))])

    def change_member(self, conversation_id: str, kind: str, *user_ids: int) -> None:
        """Commits and publishes that one user was `added` or `removed`, or several were `added` at once."""
        members, log = self.members[conversation_id], self.log[conversation_id]
        members |= set(user_ids)
        if kind == "removed":
            members -= set(user_ids)
        changes = [MemberChange(kind, user_id, "member", len(log) + 2) for user_id in user_ids]
        log += member_events(conversation_id, changes)
        self.publisher.publish_member_changes(conversation_id, changes)

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
        await self.may_answer_memberships.wait()
        return found

    async def _last_positions(self, request: Request) -> Any:
        self._note(request)
        return {id_: len(self.log[id_]) + 1 for id_ in request.body["conversation_ids"]}

    async def _view(self, request: Request) -> Any:
        self._note(request)
        id_ = request.body["conversation_id"]
        await self.may_answer_view.wait()
        counters = {"last_seq": 0, "last_pos": len(self.log[id_]) + 1, "read_seq": 0}
        return {**counters, "member_ids": list(self.members[id_])}

    async def _changes(self, request: Request) -> Any:
        self._note(request)
        id_, after = request.body["conversation_id"], request.body["after_pos"]
        answer = {
            "to": len(self.log[id_]) + 1,
            "events": [
                [e.type, e.conversation_id, e.pos, e.user_id, e.frame.decode()]
                for e in latest_states(self.log[id_])
                if e.pos > after
            ],
        }
        await self.may_answer_changes.wait()
        return answer

    def _note(self, request: Request) -> None:
        self.asked.append(request.operation)
        if self.away:
            raise AppError(errors.UNAVAILABLE)


class GatewayWorld:
    """The inside of one gateway worker, and the chat-api that it talks to."""

    def __init__(self) -> None:
        self.broker = MemoryBroker()
        self.chat = FakeChatApi(self.broker)
        self.bus = MemoryBus(self.broker, "gateway")
        self.rpc = RpcClient(self.bus, [CHAT_API, PRESENCE])
        self.hub = Hub()
        presence_client = PresenceClient(self.rpc, self.bus.worker)
        self.cache = PresenceCache(self.bus, presence_client)
        self.subscriptions = PresenceSubscriptions(self.cache, presence_client)
        rooms = Rooms(self.bus, self.rpc, self.hub, self.subscriptions)
        redis: Any = None
        self.revocations = Revocations(redis, self.bus, self.hub, 0)
        socket_counter = SocketCounter(self.bus, 0)
        self.memberships = MembershipTracker(
            self.bus, self.rpc, self.hub, rooms, socket_counter, self.revocations
        )

    async def start(self) -> None:
        await self.chat.start()
        await self.bus.start()
        await self.rpc.start()
        await self.memberships.start()

    async def stop(self) -> None:
        await self.memberships.stop()
        await self.rpc.stop()
        await self.bus.stop()
        await self.chat.stop()

    async def connect(self, user_id: int) -> RecordingTransport:
        """Opens one more socket of `user_id`, as the WebSocket endpoint does."""
        member = self.hub.members.get(user_id)
        if member is None:
            member = self.hub.members[user_id] = Member(user_id, TokenBucket(0, 0))
        member.ref_count += 1
        await self.memberships.arrive(member)
        connection, transport = make_connection(user_id)
        self.hub.attach(member, connection)
        return transport


def latest_states(log: list[Event]) -> list[Event]:
    """Returns the log with only the last state of each member, like the real one."""
    last: dict[int, int] = {}
    for event in log:
        if event.type != MESSAGE_NEW:
            last |= dict.fromkeys(joined(event) or (event.user_id,), event.pos)
    found = []
    for event in log:
        if event.type == PARTICIPANT_ADDED:
            roles = {user: role for user, role in joined(event).items() if last[user] == event.pos}
            found += [joined_event(event.conversation_id, event.pos, roles)] if roles else []
        elif event.type == MESSAGE_NEW or last[event.user_id] == event.pos:
            found.append(event)
    return found


def contents(transport: RecordingTransport) -> list[str]:
    """Returns the contents of the messages among the frames."""
    return [frame["data"]["content"] for frame in transport.frames() if frame["type"] == "message.new"]
