"""Requests of each operation by each role in a scene, also for things that don't exist."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import uuid4

from tests.e2e.requesting import Fields
from tests.e2e.scene import Scene

# No user has this id: it is above those of tests, and far above the first ones of ours.
ABSENT = 2**53 - 10**9
# Nobody is a member by this id before they are added.
ADDED = ABSENT + 1

# (scene, role of the asking user) -> the request.
Request = Callable[[Scene, str], Fields]


def room(**fields: Any) -> Request:
    return lambda scene, _: {"conversation_id": scene.room, **fields}


def message(which: str, **fields: Any) -> Request:
    def request(scene: Scene, role: str) -> Fields:
        ids = scene.deleted if which == "deleted" else scene.messages
        return {"message_id": ids["another" if which == "another's" else role], **fields}

    return request


def about_user(which: str, **fields: Any) -> Request:
    def request(scene: Scene, role: str) -> Fields:
        who = ABSENT if which == "absent" else scene.users["another" if which == "another" else role].user_id
        return {"conversation_id": scene.room, "user_id": who, **fields}

    return request


def of_another(field: str, **fields: Any) -> Request:
    return lambda scene, _: {"conversation_id": scene.room, field: scene.messages["another"], **fields}


def about_users(*, is_in: bool) -> Request:
    def request(scene: Scene, role: str) -> Fields:
        who = scene.users["another"].user_id if is_in else ADDED
        return {"conversation_id": scene.room, "user_ids": [who]}

    return request


def another(scene: Scene, _: str) -> Fields:
    return {"user_id": scene.users["another"].user_id}


REQUESTS: dict[str, Request] = {
    "conversation.get": room(),
    "conversation.update": room(title="new"),
    "conversation.leave": room(),
    "conversation.read seq": room(seq=1),
    "conversation.read message": of_another("message_id"),
    "conversation.read mark": room(mark_unread_from=1),
    "message.history": room(limit=10),
    "message.history around": of_another("around"),
    "search.messages": room(q="of the"),
    "message.send": room(content="hello"),
    "message.send reply": of_another("reply_to", content="hello"),
    "message.send to all": room(content="hello", mentions={"all": True}),
    "message.edit to all": message("own", content="new", mentions={"all": True}),
    "message.read": message("another's"),
    "message.readers": message("another's"),
    "push.trace": message("another's"),
    "push.trace of another": lambda scene, role: {
        **message("another's")(scene, role),
        **another(scene, role),
    },
    "message.pin": message("another's"),
    "message.unpin": message("another's"),
    "pin.list": room(),
    "file.get": lambda scene, _: {"file_id": scene.file},
    "file.thumb": lambda scene, _: {"file_id": scene.file, "side": 320},
    "file.complete": lambda scene, _: {"file_id": scene.file},
    "reaction.set": message("another's", emoji="👍", on=True),
    "reaction.add": message("another's", emoji="👍"),
    "reaction.remove": message("another's", emoji="👍"),
    "reaction.list": message("another's"),
    "participant.list": room(),
    "participant.add": about_users(is_in=False),
    "participant.add who is in": about_users(is_in=True),
    "presence.get": another,
    "settings.get": room(),
    "settings.update": room(muted=True),
    "subscribe": room(),
    "typing.start": room(),
    "typing.stop": room(),
    **{f"message.edit {w}": message(w, content="new") for w in ("own", "another's", "deleted")},
    **{f"message.delete {w}": message(w) for w in ("own", "another's", "deleted")},
    **{f"message.versions {w}": message(w) for w in ("own", "another's", "deleted")},
    **{f"participant.remove {w}": about_user(w) for w in ("another", "oneself", "absent")},
    **{f"participant.update {w}": about_user(w, role="observer") for w in ("another", "oneself", "absent")},
}
# After these, the others in the scene can't make their requests any more.
DESTRUCTIVE = frozenset(
    (
        *("conversation.leave", "message.delete own", "message.delete another's"),
        *("participant.remove another", "participant.remove oneself", "participant.update another"),
    )
)


def other_ids(fields: Fields) -> Fields:
    """Returns the same request about things that don't exist."""
    if list(fields) == ["user_id"]:
        return {"user_id": ABSENT}
    names = ("conversation_id", "message_id", "file_id")
    return {name: str(uuid4()) if name in names else value for name, value in fields.items()}
