"""What is replayed: each changed thing once, in its latest state, as what it is to who saw nothing of it."""

from __future__ import annotations

from typing import Any

import orjson

from chat_api.model import MemberChange
from chat_api.publish import member_event, message_event
from gateway.replay import latest, marked
from messenger_shared.events import Event


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
    return member_event("c", MemberChange(kind, user_id, "member", pos))


def told(events: list[Event]) -> list[tuple[str, int]]:
    frames = [orjson.loads(frame) for frame in marked(latest(events))]
    assert all(frame["replay"] is True for frame in frames)
    assert [frame["pos"] for frame in frames] == [event.pos for event in latest(events)]
    return [(frame["type"], frame["pos"]) for frame in frames]


def test_new_messages_are_told_as_they_are() -> None:
    assert told([message("a", 2, new=True), message("b", 3, new=True)]) == [
        ("message.new", 2),
        ("message.new", 3),
    ]


def test_a_new_message_that_was_edited_comes_once_as_new_in_its_latest_version() -> None:
    events = [message("a", 2, new=True), message("b", 3, new=True), message("a", 4, version=2)]
    assert told(events) == [("message.new", 3), ("message.new", 4)]
    frame = orjson.loads(marked(latest(events))[1])
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
