"""Owns a conversation with somebody in every role, each of whom has written something while he could."""

from __future__ import annotations

import asyncio
from typing import Any

from tests.client import Person
from tests.e2e.asking import Fields
from tests.e2e.crowd import Crowd

# Who is in, next to `another`, when everybody writes.
_WRITERS = {
    "group": ("admin", "member", "observer", "former", "another"),
    "announcement": ("admin", "member", "observer", "former", "another"),
    "direct": ("member", "another"),
}


class Scene:
    """The room, the people by role, and the ids of their messages; `deleted` are messages that are gone."""

    def __init__(self, type_: str, room: str, people: dict[str, Person]) -> None:
        self.type = type_
        self.room = room
        self.people = people
        self.messages: dict[str, str] = {}
        self.deleted: dict[str, str] = {}

    @property
    def witness(self) -> Person:
        """Somebody who may see everything, and is not among those who ask."""
        return self.people["another"]

    async def state(self) -> Any:
        """All that a refused request must not have changed."""
        parts = ("", "/messages", "/participants")
        replies = await asyncio.gather(
            *(self.witness.get(f"/conversations/{self.room}{part}") for part in parts),
            self.witness.get(f"/messages/{self.messages['another']}/readers"),
        )
        assert [reply.status for reply in replies] == [200] * 4
        return [reply.body for reply in replies]


async def make_scene(crowd: Crowd, type_: str) -> Scene:
    """A new scene with new people."""
    names = ("admin", "member", "observer", "former", "another", "stranger")
    people = dict(zip(names, crowd.newcomers(len(names)), strict=True))
    writers = _WRITERS[type_]
    founder = people[writers[0]]
    body: Fields = {
        "type": type_,
        "participant_ids": [people["another"].user_id] if type_ == "direct" else [],
    }
    if type_ != "direct":
        body["title"] = "a room"
    room = (await founder.post("/conversations", body)).body["id"]
    scene = Scene(type_, room, people)
    if type_ != "direct":
        # As admins, since in an announcement nobody else writes.
        users = [people[name].user_id for name in writers[1:]]
        await _done(founder.post(f"/conversations/{room}/participants", {"user_ids": users, "role": "admin"}))
    await asyncio.gather(*(_write(scene, name) for name in writers))
    if type_ != "direct":
        await _settle(scene)
    return scene


async def _write(scene: Scene, name: str) -> None:
    person, path = scene.people[name], f"/conversations/{scene.room}/messages"
    scene.messages[name] = (await person.post(path, {"content": f"of the {name}"})).body["id"]
    scene.deleted[name] = (await person.post(path, {"content": "gone"})).body["id"]
    await _done(person.call("DELETE", f"/messages/{scene.deleted[name]}"))


async def _settle(scene: Scene) -> None:
    """Everybody gets the role of his name; `another` is a member."""
    admin, path = scene.people["admin"], f"/conversations/{scene.room}/participants"
    for name, role in (("member", "member"), ("observer", "observer"), ("another", "member")):
        await _done(admin.call("PATCH", f"{path}/{scene.people[name].user_id}", body={"role": role}))
    await _done(admin.call("DELETE", f"{path}/{scene.people['former'].user_id}"))


async def _done(asked: Any) -> None:
    reply = await asked
    assert reply.status < 300, reply
