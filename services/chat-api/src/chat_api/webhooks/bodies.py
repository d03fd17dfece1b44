"""Makes the bodies in which hosts get events, pushed or pulled: the frames of sockets, in an envelope."""

from __future__ import annotations

from typing import Any, Final

import orjson

from messenger_shared.contract.events import MESSAGE_DELETED, MESSAGE_EDITED, MESSAGE_NEW, Event
from messenger_shared.contract.presence_states import TYPES, Change, fields_of

TEST: Final = "webhook.test"
# Where a message has the time of what happened to it.
_TIMES: Final = {MESSAGE_NEW: "created_at", MESSAGE_EDITED: "edited_at", MESSAGE_DELETED: "deleted_at"}


def event_id(event: Event) -> str:
    """The id of an event, the same each time that it is told."""
    return f"evt_{event.conversation_id}_{event.pos}"


def body_of(event: Event, at: str) -> dict[str, Any]:
    """The body of an event: {type, timestamp, data}, `data` as a socket gets it.

    The time is the message's own. Other events have `at`, which is when the feed noticed them.
    """
    frame = orjson.loads(event.frame)
    type_ = frame.pop("type")
    message = frame.get("data") or {}
    return {"type": type_, "timestamp": message.get(_TIMES.get(type_)) or at, "data": frame}


def presence_id(change: Change) -> str:
    """The id of a transition of a user."""
    return f"evt_presence_{change.user_id}_{change.version}"


def presence_body(change: Change) -> dict[str, Any]:
    """The body of a transition: as that of an event, and that there is no order between these."""
    data = fields_of(change.user_id, change.at_ms, change.seen_ms)
    return {"type": TYPES[change.status], "timestamp": data["timestamp"], "data": data, "ordered": False}


def test_body(name: str, at: str) -> dict[str, Any]:
    """The body of a test of the webhook `name`."""
    return {"type": TEST, "timestamp": at, "data": {"name": name}}
