"""A replay holds each changed thing once, in its latest state, as a client that saw none of it needs it."""

from __future__ import annotations

from typing import Any

import orjson

from chat_api.model import MemberChange
from chat_api.publisher import files_event, member_events, message_event
from gateway.delivery.replay import latest_states, replay_frames
from messenger_shared.contract.events import Event


def message(id_: str, pos: int, *, new: bool = False, deleted: bool = False, version: int = 1) -> Event:
    data: dict[str, Any] = {
        "id": id_,
        "conversation_id": "c",
        "pos": pos,
        "sender_id": 1,
        "content": None if deleted else f"v{version}",
        "version": version,
        "deleted_at": "2025-11-26T10:30:00Z" if deleted else None,
    }
    return message_event(data, is_new=new)


def member(kind: str, user_id: int, pos: int) -> Event:
    return member_events("c", [MemberChange(kind, user_id, "member", pos)])[0]


def told(events: list[Event]) -> list[tuple[str, int]]:
    frames = [orjson.loads(frame) for frame in replay_frames(latest_states(events))]
    assert all(frame["replay"] is True for frame in frames)
    assert [frame["pos"] for frame in frames] == [event.pos for event in latest_states(events)]
    return [(frame["type"], frame["pos"]) for frame in frames]


def test_new_messages_are_told_as_they_are() -> None:
    assert told([message("a", 2, new=True), message("b", 3, new=True)]) == [
        ("message.new", 2),
        ("message.new", 3),
    ]


def test_a_new_message_that_was_edited_comes_once_as_new_in_its_latest_version() -> None:
    events = [message("a", 2, new=True), message("b", 3, new=True), message("a", 4, version=2)]
    assert told(events) == [("message.new", 3), ("message.new", 4)]
    frame = orjson.loads(replay_frames(latest_states(events))[1])
    assert (frame["data"]["content"], frame["conversation_id"]) == ("v2", "c")
    assert "message_id" not in frame


def test_a_new_message_that_is_gone_comes_as_deleted() -> None:
    assert told([message("a", 2, new=True), message("a", 3, deleted=True)]) == [("message.deleted", 3)]


def test_an_old_message_comes_as_edited_or_deleted() -> None:
    events = [message("a", 2, version=2), message("b", 3, version=2), message("b", 4, deleted=True)]
    assert told(events) == [("message.edited", 2), ("message.deleted", 4)]


def test_members_come_in_their_latest_state() -> None:
    events = [
        member("added", 5, 2),
        member("updated", 5, 3),
        member("removed", 6, 4),
        member("added", 6, 5),
        member("updated", 6, 6),
        member("added", 7, 7),
        member("removed", 7, 8),
        member("updated", 8, 9),
    ]
    assert told(events) == [
        ("participant.added", 3),
        ("participant.added", 6),
        ("participant.removed", 8),
        ("participant.updated", 9),
    ]


def test_of_many_who_came_together_each_comes_in_the_latest_state() -> None:
    came = [MemberChange("added", user_id, "member", 2) for user_id in (5, 6, 7, 8)]
    events = [*member_events("c", came), member("updated", 5, 3), member("removed", 6, 4)]
    frames = [orjson.loads(event.frame) for event in latest_states(events)]
    assert [(frame["type"], frame["pos"]) for frame in frames] == [
        ("participant.added", 2),
        ("participant.added", 3),
        ("participant.removed", 4),
    ]
    assert [[row["user_id"] for row in frame["users"]] for frame in frames[:2]] == [[7, 8], [5]]
    assert "user_id" not in frames[0]
    assert (frames[1]["user_id"], frames[1]["role"]) == (5, "member")


def test_who_is_left_of_two_is_told_as_one() -> None:
    came = [MemberChange("added", user_id, "member", 2) for user_id in (5, 6)]
    [first, _] = latest_states([*member_events("c", came), member("removed", 6, 3)])
    assert orjson.loads(first.frame)["user_id"] == first.user_id == 5


def test_the_files_of_each_message_come_once_in_their_latest_state() -> None:
    events = [
        files_event("c", message_id, pos, [{"state": state}])
        for message_id, pos, state in (("a", 2, "pending"), ("b", 3, "rejected"), ("a", 4, "ready"))
    ]
    assert latest_states(events) == events[1:]
    assert told(events) == [("message.files", 3), ("message.files", 4)]
