"""What leaves in one turn leaves in its order, and its way is timed."""

import time

from prometheus_client import REGISTRY

from gateway.hub import Hub, Member, Room
from gateway.limits import Bucket
from messenger_shared.events import MESSAGE_NEW, TYPING_START, Event
from tests.gateway.world import NotingTransport, make_connection


def a_room(hub: Hub) -> tuple[Room, NotingTransport]:
    """A room with one member, who looks at it."""
    room, member = Room("r"), Member(1, Bucket(0, 0))
    connection, transport = make_connection(1, hub)
    hub.attach(member, connection)
    hub.join(member, room)
    hub.view(connection, room)
    return room, transport


async def test_typing_does_not_overtake_what_was_sent_before_it() -> None:
    hub = Hub()
    room, transport = a_room(hub)
    hub.emit(room, [Event(MESSAGE_NEW, "r", 1, 2, b"message")])
    hub.emit_ephemeral(room, Event(TYPING_START, "r", 0, 2, b"typing"))
    assert transport.written.index(b"message") < transport.written.index(b"typing")


async def test_the_time_from_the_commit_to_the_socket_is_counted() -> None:
    hub = Hub()
    room, _ = a_room(hub)

    def told(what: str) -> float:
        return REGISTRY.get_sample_value(f"messenger_delivery_seconds_{what}") or 0.0

    count, total = told("count"), told("sum")
    hub.emit(room, [Event(MESSAGE_NEW, "r", 1, 2, b"x", time.time() - 3)])
    hub.emit(room, [Event(MESSAGE_NEW, "r", 2, 2, b"x", time.time())])
    hub.flush()
    assert told("count") == count + 1
    assert 3 <= told("sum") - total < 60
