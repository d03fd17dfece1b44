"""A conversation with a user in every role, each of whom has written something while they could."""

from __future__ import annotations

import asyncio
from typing import Any

from tests.client import User
from tests.e2e.crowd import Crowd
from tests.e2e.requesting import Fields
from tests.e2e.uploads import PICTURE, upload

# The members besides `another` at the time when everybody writes.
_WRITERS = {
    "group": ("admin", "member", "observer", "former", "another"),
    "announcement": ("admin", "member", "observer", "former", "another"),
    "direct": ("member", "another"),
}


class Scene:
    """The room, the users by role, and the ids of their messages; `deleted` holds deleted messages."""

    def __init__(self, type_: str, room: str, users: dict[str, User]) -> None:
        self.type = type_
        self.room = room
        self.users = users
        self.messages: dict[str, str] = {}
        self.deleted: dict[str, str] = {}
        # A picture in the message of `another`, with one preview.
        self.file = ""

    @property
    def witness(self) -> User:
        """Returns a user who may see everything, and who makes none of the tested requests."""
        return self.users["another"]

    async def state(self) -> Any:
        """Returns all that a refused request must not have changed."""
        parts = ("", "/messages", "/participants")
        replies = await asyncio.gather(
            *(self.witness.get(f"/conversations/{self.room}{part}") for part in parts),
            self.witness.get(f"/messages/{self.messages['another']}/readers"),
        )
        assert [reply.status for reply in replies] == [200] * 4
        return [reply.body for reply in replies]


async def make_scene(crowd: Crowd, type_: str) -> Scene:
    """Creates a new scene with new users."""
    names = ("admin", "member", "observer", "former", "another", "stranger")
    users = dict(zip(names, crowd.newcomers(len(names)), strict=True))
    writers = _WRITERS[type_]
    founder = users[writers[0]]
    body: Fields = {
        "type": type_,
        "participant_ids": [users["another"].user_id] if type_ == "direct" else [],
    }
    if type_ != "direct":
        body["title"] = "a room"
    room = (await founder.post("/conversations", body)).body["id"]
    scene = Scene(type_, room, users)
    if type_ != "direct":
        # As admins, since nobody else writes in an announcement.
        user_ids = [users[name].user_id for name in writers[1:]]
        await _done(
            founder.post(f"/conversations/{room}/participants", {"user_ids": user_ids, "role": "admin"})
        )
    await asyncio.gather(*(_write(scene, name) for name in writers))
    if type_ != "direct":
        await _settle(scene)
    return scene


async def _write(scene: Scene, name: str) -> None:
    user, path = scene.users[name], f"/conversations/{scene.room}/messages"
    message: Fields = {"content": f"of the {name}"}
    if name == "another":
        scene.file = await upload(user, PICTURE)
        message["attachments"] = [scene.file]
    scene.messages[name] = (await user.post(path, message)).body["id"]
    scene.deleted[name] = (await user.post(path, {"content": "gone"})).body["id"]
    await _done(user.call("DELETE", f"/messages/{scene.deleted[name]}"))


async def _settle(scene: Scene) -> None:
    """Gives every user the role of their name; `another` is a member."""
    admin, path = scene.users["admin"], f"/conversations/{scene.room}/participants"
    for name, role in (("member", "member"), ("observer", "observer"), ("another", "member")):
        await _done(admin.call("PATCH", f"{path}/{scene.users[name].user_id}", body={"role": role}))
    await _done(admin.call("DELETE", f"{path}/{scene.users['former'].user_id}"))


async def _done(asked: Any) -> None:
    reply = await asked
    assert reply.status < 300, reply
