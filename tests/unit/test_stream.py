"""The ordered stream against a model, under every mixture of loss, repetition and reordering."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.connections.ordered_stream import MAX_HELD, MAX_RING_EVENTS, OrderedStream, RingBudget
from messenger_shared.contract.events import MESSAGE_NEW, PARTICIPANT_ADDED, Event


def event(pos: int) -> Event:
    return Event(MESSAGE_NEW, "c", pos, 1, b"%d" % pos)


def positions(events: list[Event]) -> list[int]:
    return [e.pos for e in events]


def test_events_in_order_go_out_at_once() -> None:
    stream = OrderedStream()
    stream.begin(4)
    assert [positions(stream.offer(event(pos))) for pos in (5, 6, 7)] == [[5], [6], [7]]
    assert not stream.has_hole


def test_a_repeat_is_dropped() -> None:
    stream = OrderedStream()
    stream.begin(0)
    assert positions(stream.offer(event(1))) == [1]
    assert stream.offer(event(1)) == []


def test_a_hole_holds_what_follows_until_it_is_filled() -> None:
    stream = OrderedStream()
    stream.begin(0)
    assert stream.offer(event(2)) == []
    assert stream.offer(event(3)) == []
    assert stream.has_hole
    assert positions(stream.offer(event(1))) == [1, 2, 3]
    assert not stream.has_hole


def test_events_are_held_until_the_start_position_is_known() -> None:
    stream = OrderedStream()
    assert stream.offer(event(7)) == []
    assert stream.offer(event(8)) == []
    assert positions(stream.begin(7)) == [8]


def test_an_expected_position_above_the_last_shows_a_hole() -> None:
    stream = OrderedStream()
    stream.begin(3)
    stream.expect(3)
    assert not stream.has_hole
    stream.expect(4)
    assert stream.has_hole
    assert positions(stream.fill([event(4)], 4)) == [4]


def test_filling_may_leave_out_superseded_positions() -> None:
    """Position 2 was a message that was edited at 4: only its last state is delivered."""
    stream = OrderedStream()
    stream.begin(1)
    stream.offer(event(5))
    assert positions(stream.fill([event(3), event(4)], 4)) == [3, 4, 5]


def test_an_event_dropped_at_the_bound_is_still_a_hole() -> None:
    stream = OrderedStream()
    stream.begin(0)
    for pos in range(2, MAX_HELD + 10):
        stream.offer(event(pos))
    assert positions(stream.offer(event(1))) == list(range(1, MAX_HELD + 2))
    assert stream.has_hole


@given(
    total=st.integers(1, 40),
    start=st.integers(0, 5),
    loss=st.floats(0, 0.9),
    seed=st.integers(0, 2**32),
)
def test_under_any_bus_each_event_is_released_once_and_in_order(
    total: int, start: int, loss: float, seed: int
) -> None:
    chance = random.Random(seed)
    end = start + total
    arriving = [pos for pos in range(1, end + 1) if chance.random() >= loss]
    arriving += [pos for pos in arriving if chance.random() < 0.3]
    chance.shuffle(arriving)
    stream, out = OrderedStream(), []
    begin_at = chance.randrange(len(arriving) + 1)
    for index, pos in enumerate([*arriving, 0]):
        if index == begin_at:
            out += positions(stream.begin(start))
        if pos:
            out += positions(stream.offer(event(pos)))
        if stream.has_hole and chance.random() < 0.2:
            upto = chance.randint(stream.last_pos, end)
            out += positions(stream.fill(map(event, range(stream.last_pos + 1, upto + 1)), upto))
    stream.expect(end)
    if stream.has_hole:
        out += positions(stream.fill(map(event, range(stream.last_pos + 1, end + 1)), end))
    assert out == list(range(start + 1, end + 1))


@pytest.mark.parametrize("first", [0, 3])
def test_beginning_twice_changes_nothing(first: int) -> None:
    stream = OrderedStream()
    stream.begin(first)
    stream.offer(event(first + 1))
    assert stream.begin(first) == []
    assert stream.last_pos == first + 1


def test_released_events_are_kept_for_replay() -> None:
    stream = OrderedStream()
    stream.begin(3)
    assert stream.released_above(3) == []
    assert stream.released_above(2) is None
    for pos in (4, 5, 6):
        stream.offer(event(pos))
    assert positions(stream.released_above(4) or []) == [5, 6]
    assert positions(stream.released_above(3) or []) == [4, 5, 6]
    assert stream.released_above(2) is None
    assert stream.released_above(7) is None
    assert stream.ring_bytes == 3


def test_the_ring_is_bounded() -> None:
    stream = OrderedStream()
    stream.begin(0)
    for pos in range(1, MAX_RING_EVENTS + 3):
        stream.offer(event(pos))
    assert stream.released_above(1) is None
    assert len(stream.released_above(2) or []) == MAX_RING_EVENTS
    assert stream.ring_bytes == sum(len(b"%d" % pos) for pos in range(3, MAX_RING_EVENTS + 3))
    stream.clear_ring()
    assert (stream.released_above(2), stream.ring_bytes) == (None, 0)


def test_events_that_cover_several_changes_are_not_kept_in_the_ring() -> None:
    stream = OrderedStream()
    stream.begin(0)
    stream.offer(event(1))
    assert positions(stream.fill([event(4)], 4)) == [4]
    assert stream.released_above(1) is None
    stream.offer(event(5))
    assert positions(stream.released_above(4) or []) == [5]
    assert stream.released_above(3) is None


@given(st.lists(st.integers(1, 30), max_size=60), st.integers(0, 30))
def test_the_ring_holds_what_was_released(offered: list[int], pos: int) -> None:
    stream = OrderedStream()
    stream.begin(0)
    out = [e.pos for number in offered for e in stream.offer(event(number))]
    since = stream.released_above(pos)
    if since is not None:
        assert positions(since) == [number for number in out if number > pos]
    else:
        assert pos > stream.last_pos


def test_all_rings_together_stay_within_the_budget() -> None:
    memory = RingBudget(max_bytes=25)
    streams = [OrderedStream() for _ in range(3)]
    for stream in streams:
        stream.begin(0)
    for stream, number in ((streams[0], 10), (streams[1], 10), (streams[0], 5), (streams[2], 5)):
        for pos in range(stream.last_pos + 1, stream.last_pos + number + 1):
            stream.offer(Event(MESSAGE_NEW, "c", pos, 1, b"x"))
        memory.touch(stream)
    assert [stream.ring_bytes for stream in streams] == [15, 0, 5]
    memory.drop(streams[0])
    streams[2].offer(Event(MESSAGE_NEW, "c", 6, 1, b"x" * 20))
    memory.touch(streams[2])
    assert streams[2].ring_bytes == 25


def test_a_partial_join_event_is_not_kept_in_the_ring() -> None:
    """A position between the joining and a later change of one of the users gets only that change."""
    stream = OrderedStream()
    stream.begin(1)
    left = [Event(PARTICIPANT_ADDED, "c", pos, 0, b"{}") for pos in (2, 3)]
    assert stream.fill(left, 3) == left
    assert stream.released_above(2) is None
