"""What leaves in one turn of the loop keeps its order, and its latency is measured."""

import time

import pytest
from prometheus_client import REGISTRY

from gateway.connections.hub import Hub, Member, Room
from gateway.connections.rate_limits import TokenBucket
from messenger_shared.contract.events import MESSAGE_NEW, TYPING_START, Event
from tests.gateway.world import RecordingTransport, make_connection


def make_room(hub: Hub) -> tuple[Room, RecordingTransport]:
    """Returns a room with one member, who views it."""
    room, member = Room("r"), Member(1, TokenBucket(0, 0))
    connection, transport = make_connection(1, hub)
    hub.attach(member, connection)
    hub.join(member, room)
    hub.view(connection, room)
    return room, transport


async def test_typing_does_not_overtake_what_was_sent_before_it() -> None:
    hub = Hub()
    room, transport = make_room(hub)
    hub.emit(room, [Event(MESSAGE_NEW, "r", 1, 2, b"message")])
    hub.emit_ephemeral(room, Event(TYPING_START, "r", 0, 2, b"typing"))
    assert transport.written.index(b"message") < transport.written.index(b"typing")


async def test_the_delivery_time_is_measured_from_the_commit() -> None:
    hub = Hub()
    room, _ = make_room(hub)

    def sample(what: str) -> float:
        return REGISTRY.get_sample_value(f"messenger_delivery_seconds_{what}") or 0.0

    count, total = sample("count"), sample("sum")
    hub.emit(room, [Event(MESSAGE_NEW, "r", 1, 2, b"x", time.time() - 3)])
    hub.emit(room, [Event(MESSAGE_NEW, "r", 2, 2, b"x", time.time())])
    hub.flush()
    assert sample("count") == count + 1
    assert 3 <= sample("sum") - total < 60


@pytest.mark.parametrize("jump_s", [3_600, -3_600])
async def test_a_jump_of_the_clock_does_not_count_as_a_delivery_time(jump_s: int) -> None:
    hub = Hub()
    room, _ = make_room(hub)
    before = REGISTRY.get_sample_value("messenger_delivery_seconds_sum") or 0.0
    hub.emit(room, [Event(MESSAGE_NEW, "r", 1, 2, b"x", time.time() + jump_s)])
    hub.flush()
    assert REGISTRY.get_sample_value("messenger_delivery_seconds_sum") == before
