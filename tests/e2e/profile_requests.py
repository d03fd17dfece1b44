"""Requests by which somebody may try to learn others' profiles: each operation, in all the ways that fit."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import NamedTuple

from tests.client import User
from tests.e2e.requesting import FRAME_TYPES, OPERATIONS, Fields, path_of
from tests.e2e.scene import Scene
from tests.e2e.scene_requests import ABSENT, DESTRUCTIVE, REQUESTS

# The users of a scene whose profiles are secret: all who are in the room.
IN_ROOM = ("admin", "member", "observer", "another")
# With these, the asking user would share a conversation with others, or leave their own.
_CHANGES_WHO_KNOWS_WHOM = ("participant.add who is in", "conversation.leave")


class Prober(NamedTuple):
    """Somebody who asks: their own room, and the beginning of the secret names."""

    user: User
    own_room: str
    name_start: str


def _ids(scene: Scene) -> list[int]:
    return [scene.users[role].user_id for role in IN_ROOM]


def _joined(scene: Scene) -> str:
    return ",".join(map(str, _ids(scene)))


def _of_users(scene: Scene, prober: Prober) -> list[Fields]:
    return [{"user_ids": _ids(scene)}, {"user_ids": [*_ids(scene), ABSENT]}]


def _nothing(scene: Scene, prober: Prober) -> list[Fields]:
    return [{}]


# Operations that concern no conversation, or only the user's own ones.
FOR_ALL: Mapping[str, Callable[[Scene, Prober], list[Fields]]] = {
    "conversation.create": lambda *_: [{"type": "group", "title": "own", "participant_ids": []}],
    "conversation.list": lambda *_: [{}, {"limit": 100}],
    "conversation.sync": _nothing,
    "resume": lambda scene, prober: [{"positions": {scene.room: 1, prober.own_room: 1}}],
    "unsubscribe": lambda scene, _: [{"conversation_id": scene.room}],
    "auth.refresh": lambda _, prober: [{"token": prober.user.token}],
    "ping": _nothing,
    "stats.get": _nothing,
    "ticket.give": _nothing,
    "file.create": lambda *_: [{"name": "a.txt", "size": 1, "mime": "text/plain"}],
    "user.list": lambda scene, prober: [{"ids": _joined(scene)}, {"q": prober.name_start}],
    "user.me": _nothing,
    "mention.list": _nothing,
    "push.subscribe": lambda *_: [{"kind": "webpush", "endpoint": "https://push.example/x"}],
    "push.unsubscribe": lambda *_: [{"endpoint": "https://push.example/x"}],
    "push.key": _nothing,
    "push.test": _nothing,
    "push.settings.get": _nothing,
    "push.settings.update": lambda *_: [{"quiet_hours": None}],
    "presence.online": lambda *_: [{}, {"limit": 100}],
    "presence.list": lambda scene, _: [{"user_ids": _joined(scene)}],
    "presence.set": lambda *_: [{"status": "online"}],
    "presence.watch": _of_users,
    "presence.unwatch": _of_users,
}


def requests(scene: Scene, prober: Prober) -> Iterator[tuple[str, Fields]]:
    """Yields (operation, request). About the room as its member would ask, and the same in one's own room."""
    for what, request in REQUESTS.items():
        fields = request(scene, "another")
        if what not in DESTRUCTIVE:
            yield what.partition(" ")[0], fields
        if "conversation_id" in fields and what not in _CHANGES_WHO_KNOWS_WHOM:
            yield what.partition(" ")[0], {**fields, "conversation_id": prober.own_room}
    for name, requests_of in FOR_ALL.items():
        for fields in requests_of(scene, prober):
            yield name, fields


async def answers(scene: Scene, prober: Prober) -> list[tuple[str, str]]:
    """Makes all requests by REST and over a socket. Returns (operation, whole answer as text)."""
    socket, found = await prober.user.connect(), []
    for name, fields in requests(scene, prober):
        operation = OPERATIONS[name]
        if operation.route is not None:
            path, others = path_of(operation, fields)
            sent = {"body": others} if operation.has_body else {"params": others}
            found.append((name, str(await prober.user.call(operation.route.method, path, **sent))))
        for type_, of_type in FRAME_TYPES.items():
            if of_type is operation:
                found.append((name, str(await socket.request(type_, **fields))))
    return found
