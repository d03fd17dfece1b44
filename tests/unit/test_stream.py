"""The stream against a model, under every mixture of loss, repetition and reordering."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.stream import MAX_HELD, MAX_KEPT, Memory, Stream
from messenger_shared.events import MESSAGE_NEW, Event


def event(pos: int) -> Event:
    return Event(MESSAGE_NEW, "c", pos, 1, b"%d" % pos)


def positions(events: list[Event]) -> list[int]:
    return [e.pos for e in events]


def test_events_in_order_go_out_at_once() -> None:
    stream = Stream()
    stream.begin(4)
    assert [positions(stream.offer(event(pos))) for pos in (5, 6, 7)] == [[5], [6], [7]]
    assert not stream.incomplete


def test_a_repeat_is_dropped() -> None:
    stream = Stream()
    stream.begin(0)
    assert positions(stream.offer(event(1))) == [1]
    assert stream.offer(event(1)) == []


def test_a_hole_holds_what_follows_until_it_is_filled() -> None:
    stream = Stream()
    stream.begin(0)
    assert stream.offer(event(2)) == []
    assert stream.offer(event(3)) == []
    assert stream.incomplete
    assert positions(stream.offer(event(1))) == [1, 2, 3]
    assert not stream.incomplete


def test_what_comes_before_the_beginning_is_known_is_held() -> None:
    stream = Stream()
    assert stream.offer(event(7)) == []
    assert stream.offer(event(8)) == []
    assert positions(stream.begin(7)) == [8]


def test_a_head_above_the_last_position_shows_what_is_missing() -> None:
    stream = Stream()
    stream.begin(3)
    stream.expect(3)
    assert not stream.incomplete
    stream.expect(4)
    assert stream.incomplete
    assert positions(stream.cover([event(4)], 4)) == [4]


def test_a_covering_may_leave_out_positions_that_were_overtaken() -> None:
    """Position 2 was a message that was edited at 4: only its last state is told."""
    stream = Stream()
    stream.begin(1)
    stream.offer(event(5))
    assert positions(stream.cover([event(3), event(4)], 4)) == [3, 4, 5]


def test_what_is_not_held_for_lack_of_room_is_still_missing() -> None:
    stream = Stream()
    stream.begin(0)
    for pos in range(2, MAX_HELD + 10):
        stream.offer(event(pos))
    assert positions(stream.offer(event(1))) == list(range(1, MAX_HELD + 2))
    assert stream.incomplete


@given(
    total=st.integers(1, 40),
    start=st.integers(0, 5),
    loss=st.floats(0, 0.9),
    seed=st.integers(0, 2**32),
)
def test_under_any_bus_each_event_goes_out_once_and_in_order(
    total: int, start: int, loss: float, seed: int
) -> None:
    chance = random.Random(seed)
    end = start + total
    arriving = [pos for pos in range(1, end + 1) if chance.random() >= loss]
    arriving += [pos for pos in arriving if chance.random() < 0.3]
    chance.shuffle(arriving)
    stream, out = Stream(), []
    begin_at = chance.randrange(len(arriving) + 1)
    for index, pos in enumerate([*arriving, 0]):
        if index == begin_at:
            out += positions(stream.begin(start))
        if pos:
            out += positions(stream.offer(event(pos)))
        if stream.incomplete and chance.random() < 0.2:
            upto = chance.randint(stream.last_pos, end)
            out += positions(stream.cover(map(event, range(stream.last_pos + 1, upto + 1)), upto))
    stream.expect(end)
    if stream.incomplete:
        out += positions(stream.cover(map(event, range(stream.last_pos + 1, end + 1)), end))
    assert out == list(range(start + 1, end + 1))


@pytest.mark.parametrize("first", [0, 3])
def test_beginning_twice_changes_nothing(first: int) -> None:
    stream = Stream()
    stream.begin(first)
    stream.offer(event(first + 1))
    assert stream.begin(first) == []
    assert stream.last_pos == first + 1


def test_what_went_out_is_kept_for_who_comes_back() -> None:
    stream = Stream()
    stream.begin(3)
    assert stream.since(3) == []
    assert stream.since(2) is None
    for pos in (4, 5, 6):
        stream.offer(event(pos))
    assert positions(stream.since(4) or []) == [5, 6]
    assert positions(stream.since(3) or []) == [4, 5, 6]
    assert stream.since(2) is None
    assert stream.since(7) is None
    assert stream.kept_bytes == 3


def test_what_is_kept_is_bounded() -> None:
    stream = Stream()
    stream.begin(0)
    for pos in range(1, MAX_KEPT + 3):
        stream.offer(event(pos))
    assert stream.since(1) is None
    assert len(stream.since(2) or []) == MAX_KEPT
    assert stream.kept_bytes == sum(len(b"%d" % pos) for pos in range(3, MAX_KEPT + 3))
    stream.forget()
    assert (stream.since(2), stream.kept_bytes) == (None, 0)


def test_states_that_stand_for_several_changes_are_not_kept() -> None:
    stream = Stream()
    stream.begin(0)
    stream.offer(event(1))
    assert positions(stream.cover([event(4)], 4)) == [4]
    assert stream.since(1) is None
    stream.offer(event(5))
    assert positions(stream.since(4) or []) == [5]
    assert stream.since(3) is None


@given(st.lists(st.integers(1, 30), max_size=60), st.integers(0, 30))
def test_what_is_kept_is_what_went_out(offered: list[int], pos: int) -> None:
    stream = Stream()
    stream.begin(0)
    out = [e.pos for number in offered for e in stream.offer(event(number))]
    since = stream.since(pos)
    if since is not None:
        assert positions(since) == [number for number in out if number > pos]
    else:
        assert pos > stream.last_pos


def test_all_streams_together_keep_no_more_than_the_bound() -> None:
    memory = Memory(max_bytes=25)
    streams = [Stream() for _ in range(3)]
    for stream in streams:
        stream.begin(0)
    for stream, number in ((streams[0], 10), (streams[1], 10), (streams[0], 5), (streams[2], 5)):
        for pos in range(stream.last_pos + 1, stream.last_pos + number + 1):
            stream.offer(Event(MESSAGE_NEW, "c", pos, 1, b"x"))
        memory.used(stream)
    assert [stream.kept_bytes for stream in streams] == [15, 0, 5]
    memory.drop(streams[0])
    streams[2].offer(Event(MESSAGE_NEW, "c", 6, 1, b"x" * 20))
    memory.used(streams[2])
    assert streams[2].kept_bytes == 25
