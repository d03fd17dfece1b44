"""Which events the SDK's client passes on."""

from __future__ import annotations

from typing import Any

from messenger_sdk.client.positions import Positions

ME = 7
C = "c"


def new(pos: int, seq: int, **more: Any) -> dict[str, Any]:
    return {"type": "message.new", "conversation_id": C, "pos": pos, "data": {"seq": seq}, **more}


def row(last_pos: int, last_seq: int) -> Any:
    return {"conversation_id": C, "last_pos": last_pos, "last_seq": last_seq, "read_seq": 0}


def offer(positions: Positions, *frames: dict[str, Any]) -> list[int]:
    """Offers the frames in this order. Returns the `pos` of those that are passed on."""
    passed = []
    for frame in frames:
        if positions.is_new(frame):
            positions.passed(frame, ME)
            passed.append(frame["pos"])
    return passed


def started() -> Positions:
    positions = Positions()
    positions.socket_opened()
    positions.listed([row(3, 2)], is_first_start=True)
    assert positions.paused() == {C: 3}
    assert positions.replayed(C, 3)
    return positions


def test_each_event_passes_once() -> None:
    assert offer(started(), new(3, 2), new(4, 3), new(4, 3), new(5, 4)) == [4, 5]


def test_until_the_replay_has_come_live_events_wait_for_it() -> None:
    positions = started()
    positions.socket_opened()
    positions.listed([row(6, 5)], is_first_start=False)
    assert positions.unread() == {}
    frames = [new(6, 5), new(4, 3, replay=True), new(5, 4, replay=True), new(6, 5, replay=True)]
    assert offer(positions, *frames) == [4, 5, 6]
    assert positions.replayed(C, 6)
    assert offer(positions, new(6, 5), new(7, 6)) == [7]


def test_live_events_that_are_read_before_the_end_of_the_replay_is_noticed_come_by_another_replay() -> None:
    positions = started()
    positions.socket_opened()
    assert offer(positions, new(4, 3, replay=True), new(5, 4)) == [4]
    assert not positions.replayed(C, 4)
    assert positions.paused() == {C: 4}
    assert offer(positions, new(5, 4, replay=True)) == [5]
    assert positions.replayed(C, 5)
    assert not positions.paused()


def test_events_without_room_come_by_another_replay() -> None:
    positions = started()
    positions.dropped(new(4, 3))
    assert offer(positions, new(5, 4), new(4, 3, replay=True)) == []
    assert not positions.replayed(C, 5)
    assert positions.paused() == {C: 3}
    assert offer(positions, new(4, 3, replay=True), new(5, 4, replay=True)) == [4, 5]
    assert positions.replayed(C, 5)
    assert not positions.paused()


def test_an_unknown_conversation_that_is_not_listed_yet_is_replayed_from_its_first_event() -> None:
    positions = Positions()
    positions.socket_opened()
    assert offer(positions, new(4, 1), new(5, 2)) == []
    positions.listed([], is_first_start=True)
    assert positions.paused() == {C: 3}


def test_a_new_conversation_begins_with_its_first_event() -> None:
    positions = Positions()
    created = {"type": "conversation.created", "conversation_id": C, "pos": 1, "data": {}}
    assert offer(positions, created, new(2, 1)) == [1, 2]
    assert positions.snapshot() == {C: {"pos": 2, "seq": 1}}


def test_who_is_removed_forgets_the_conversation_and_who_sees_it_does_not() -> None:
    positions = started()
    removed = {"type": "participant.removed", "conversation_id": C, "pos": 4, "user_id": 8}
    assert offer(positions, removed, {**removed, "pos": 5, "user_id": ME}) == [4, 5]
    assert positions.snapshot() == {}


def test_hiding_a_direct_conversation_passes_at_its_last_position() -> None:
    positions = started()
    assert offer(positions, {"type": "conversation.deleted", "conversation_id": C, "pos": 3, "data": {}}) == [
        3
    ]
    assert positions.snapshot() == {}


def test_after_a_gap_messages_that_were_read_do_not_come_again() -> None:
    positions = started()
    positions.socket_opened()
    positions.listed([row(900, 600)], is_first_start=False)
    positions.read(C, 600)
    positions.jump(C, 900)
    assert offer(positions, new(890, 600, replay=True), new(901, 601, replay=True)) == [901]


def test_positions_of_an_earlier_client_need_a_replay() -> None:
    positions = Positions({C: {"pos": 2, "seq": 1}})
    positions.socket_opened()
    positions.listed([row(5, 4)], is_first_start=False)
    assert positions.paused() == {C: 2}
    assert offer(positions, new(3, 2, replay=True), new(4, 3, replay=True)) == [3, 4]


def test_the_unread_messages_of_a_new_conversation_wait_for_being_read_over_interruptions() -> None:
    positions = Positions({})
    for read in (0, 1):
        positions.socket_opened()
        positions.listed([row(5, 3)], is_first_start=False)
        assert (positions.unread(), positions.seq_of(C)) == ({C: 3}, read)
        positions.read(C, read + 1)
    positions.read_all(C)
    assert (positions.unread(), positions.paused()) == ({}, {C: 5})
