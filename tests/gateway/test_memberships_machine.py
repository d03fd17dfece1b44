"""Members come and go over a bus that loses, repeats and delays: outsiders get nothing, members everything.

Requests and answers always get through. Other tests cover their loss, which would take time here.
"""

from __future__ import annotations

import asyncio
import random
from collections import defaultdict
from collections.abc import Coroutine
from typing import Any
from unittest.mock import patch

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from messenger_shared.bus.memory_bus import MemoryBus
from messenger_shared.contract.events import MESSAGE_NEW
from tests.gateway.world import GatewayWorld, RecordingTransport
from tests.waiting import until

USERS, ROOMS = range(1, 5), ("c", "d")
MAX_SOCKETS = 8
SETTLED_S = 4.0
UNRELIABLE = ("conversation:", "user:", "heads")
# So that a run takes no longer than it has to.
QUICK = {
    "chat_api.high_water_marks.PUBLISH_INTERVAL_S": 0.02,
    "gateway.delivery.rooms.HOLE_TIMEOUT_S": 0.001,
    "gateway.delivery.rooms.REPAIR_RETRY_S": 0.01,
}

users, rooms = st.sampled_from(USERS), st.sampled_from(ROOMS)


class ClientSocket:
    """One socket: its user, and the positions of the conversations when it connected."""

    def __init__(
        self, user_id: int, transport: RecordingTransport, positions_at_start: dict[str, int]
    ) -> None:
        self.user_id = user_id
        self.transport = transport
        self.positions_at_start = positions_at_start

    def positions(self, room: str) -> list[int]:
        """Returns the positions of all durable events of a conversation that the socket got, in order."""
        frames = self.transport.frames()
        return [frame["pos"] for frame in frames if frame.get("conversation_id") == room and "pos" in frame]


class MembershipMachine(RuleBasedStateMachine):
    """One gateway worker with a few users, two conversations, and a bus with every kind of mishap."""

    def __init__(self) -> None:
        super().__init__()
        self.patches = [patch(name, value) for name, value in QUICK.items()]
        for one in self.patches:
            one.start()
        self.runner = asyncio.Runner()
        self.world: GatewayWorld = self.runner.run(self.make_world())
        self.clients: list[ClientSocket] = []
        self.late: list[tuple[MemoryBus, str, bytes]] = []
        self.chance = random.Random(0)
        self.loss = 0.0
        # (conversation, user) -> the spans [from, to] in which the user was out; the last one may be open.
        self.absences: dict[tuple[str, int], list[list[float]]] = defaultdict(list)

    async def make_world(self) -> GatewayWorld:
        world = GatewayWorld()
        world.broker.publish = self.publish  # type: ignore[method-assign]
        await world.start()
        for room in ROOMS:
            world.chat.create(room, *USERS)
        return world

    def publish(self, channel: str, payload: bytes) -> int:
        """Delivers, loses, repeats or keeps a message for later."""
        reached = [bus for bus in self.world_buses() if channel in bus.handlers]
        for bus in reached:
            fate = self.chance.random() if channel.startswith(UNRELIABLE) else 1.0
            if fate < self.loss / 2:
                continue
            if fate < self.loss:
                self.late.append((bus, channel, payload))
                continue
            # chat-api publishes a stored message again when its sender repeats it, but not a membership
            # change.
            is_repeated = fate < 1.5 * self.loss and channel.startswith("conversation:")
            for _ in range(1 + is_repeated):
                asyncio.get_running_loop().call_soon(bus.handle, channel, payload)
        return len(reached)

    def world_buses(self) -> list[MemoryBus]:
        return self.world.broker.buses if hasattr(self, "world") else []

    @initialize(seed=st.integers(0, 2**32))
    def has_luck(self, seed: int) -> None:
        self.chance.seed(seed)

    @rule(loss=st.sampled_from([0.0, 0.2, 0.6]))
    def bus_gets_worse_or_better(self, loss: float) -> None:
        self.loss = loss

    @rule(which=st.floats(0, 1, exclude_max=True))
    def bus_delivers_late(self, which: float) -> None:
        """Delivers something late, if there is anything. That depends on timing, so it can't be a
        precondition.
        """
        if self.late:
            bus, channel, payload = self.late.pop(int(which * len(self.late)))
            self.run(self.handled(bus, channel, payload))

    @rule()
    def bus_is_interrupted(self) -> None:
        self.run(self.world.bus.interrupt())

    @rule()
    def time_passes(self) -> None:
        self.run(asyncio.sleep(0.005))

    @precondition(lambda self: len(self.clients) < MAX_SOCKETS)
    @rule(user_id=users)
    def somebody_connects(self, user_id: int) -> None:
        transport = self.run(self.world.connect(user_id))
        self.clients.append(ClientSocket(user_id, transport, {room: self.head(room) for room in ROOMS}))

    @rule(room=rooms, number=st.integers(1, 3))
    def somebody_speaks(self, room: str, number: int) -> None:
        for _ in range(number):
            self.world_says(room)
        self.run(asyncio.sleep(0))

    @rule(room=rooms, user_id=users)
    def somebody_goes(self, room: str, user_id: int) -> None:
        if user_id in self.world.chat.members[room]:
            self.change(room, "removed", user_id)
            self.absences[room, user_id].append([self.head(room), float("inf")])

    @rule(room=rooms, user_id=users)
    def somebody_comes(self, room: str, user_id: int) -> None:
        if user_id not in self.world.chat.members[room]:
            self.change(room, "added", user_id)
            self.absences[room, user_id][-1][1] = self.head(room)

    def teardown(self) -> None:
        try:
            self.loss = 0.0
            for room in ROOMS:
                self.world_says(room)
            self.run(until(self.is_settled, SETTLED_S))
            for client in self.clients:
                for room in ROOMS:
                    self.check(client, room)
        finally:
            self.run(self.world.stop())
            self.runner.close()
            for one in self.patches:
                one.stop()

    def check(self, client: ClientSocket, room: str) -> None:
        positions = client.positions(room)
        assert positions == sorted(set(positions)), "each once, and in order"
        for out, back in self.absences[room, client.user_id]:
            assert not [pos for pos in positions if out < pos < back], "nothing from while they were out"

    def is_settled(self) -> bool:
        """Whether every user who was a member all the time has everything since they connected."""
        return all(
            self.wanted(client, room) <= set(client.positions(room))
            for client in self.clients
            for room in ROOMS
            if not self.absences[room, client.user_id]
        )

    def wanted(self, client: ClientSocket, room: str) -> set[int]:
        """Returns the positions that must be delivered. A state that was passed through may be left out."""
        log = self.world.chat.log[room]
        last = {event.user_id: event.pos for event in log if event.type != MESSAGE_NEW}
        return {
            event.pos
            for event in log
            if event.pos > client.positions_at_start[room]
            and (event.type == MESSAGE_NEW or last[event.user_id] == event.pos)
        }

    def head(self, room: str) -> int:
        return len(self.world.chat.log[room]) + 1

    def world_says(self, room: str) -> None:
        async def say() -> None:
            self.world.chat.say(room, f"{room}{self.head(room)}")

        self.run(say())

    async def handled(self, bus: MemoryBus, channel: str, payload: bytes) -> None:
        bus.handle(channel, payload)

    def change(self, room: str, kind: str, user_id: int) -> None:
        async def change() -> None:
            self.world.chat.change_member(room, kind, user_id)

        self.run(change())

    def run(self, work: Coroutine[Any, Any, Any]) -> Any:
        return self.runner.run(work)


MembershipMachine.TestCase.settings = settings(max_examples=50, stateful_step_count=40)
test_who_is_out_hears_nothing_and_who_is_in_hears_all = MembershipMachine.TestCase
