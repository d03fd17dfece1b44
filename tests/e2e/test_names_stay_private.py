"""Strangers and former members learn nobody's profile by any operation, answer, header or frame."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import quote

import pytest
from marshmallow import Schema, fields

from messenger_shared.contract.schemas.resources import UserSchema
from tests.client import User
from tests.conftest import SharedStack
from tests.e2e.crowd import Crowd
from tests.e2e.expectations import FOR_EVERYBODY
from tests.e2e.hosts import host_with, new_key
from tests.e2e.profile_requests import FOR_ALL, IN_ROOM, Prober, answers
from tests.e2e.requesting import OPERATIONS
from tests.e2e.scene import Scene, make_scene
from tests.e2e.scene_requests import REQUESTS


@pytest.fixture(scope="module")
def key(stack: SharedStack) -> str:
    return new_key(stack.data_dir, "users")


@pytest.fixture
async def host(stack: SharedStack, key: str) -> AsyncIterator[User]:
    async with host_with(stack.url, key) as host:
        yield host


@pytest.fixture
def secret() -> str:
    """A word that is in the profiles, and nowhere else."""
    return f"q{secrets.token_hex(8)}"


async def put_profiles(host: User, secret: str, *users: User) -> None:
    """Stores profiles that have the secret in all texts."""
    profiles = [
        {
            "id": user.user_id,
            "external_id": f"{secret}-{user.user_id}",
            "name": f"{secret} {secrets.token_hex(2)}",
            "avatar_url": f"https://example.org/{secret}/{secrets.token_hex(2)}.png",
            "custom": {"note": secret},
        }
        for user in users
    ]
    reply = await host.call("PUT", "/server/users", body={"users": profiles})
    assert reply.status == 200, reply


async def prober(user: User, secret: str) -> Prober:
    """Returns a prober with a room of their own, who knows how the names begin but not how they go on."""
    return Prober(user, await user.create_group(), secret[:-1])


def has_users(schema: Any) -> bool:
    """Whether answers of this schema may carry users."""
    if isinstance(schema, UserSchema):
        return True
    if isinstance(schema, Schema):
        return any(map(has_users, schema.fields.values()))
    if isinstance(schema, fields.Nested):
        return has_users(schema.schema)
    inner = {fields.List: "inner", fields.Dict: "value_field"}.get(type(schema))
    return inner is not None and has_users(getattr(schema, inner))


def test_every_operation_is_asked_for() -> None:
    """A new operation needs a request by which a stranger may try to learn a profile."""
    assert set(FOR_ALL) == FOR_EVERYBODY
    assert set(FOR_ALL) | {what.partition(" ")[0] for what in REQUESTS} == set(OPERATIONS)


@pytest.mark.parametrize("role", ["stranger", "former"])
async def test_no_profile_reaches_who_shares_no_conversation(
    crowd: Crowd, host: User, secret: str, role: str
) -> None:
    """The member, who makes the same requests meanwhile, learns profiles from every answer that has users."""
    scene = await make_scene(crowd, "group")
    spy, member = scene.users[role], scene.users["another"]
    await spy.connect()
    # The lists of a message's readers and reactions, of pins and of mentions have somebody in them.
    admin, message = scene.users["admin"], scene.messages["another"]
    for what in ("pin", f"reactions/{quote('🎉')}"):
        assert (await admin.call("PUT", f"/messages/{message}/{what}")).status == 200
    read = await admin.call("PUT", f"/conversations/{scene.room}/read", body={"message_id": message})
    assert read.status == 200
    mentions = {"user_ids": [member.user_id]}
    sent = await admin.post(f"/conversations/{scene.room}/messages", {"content": "x", "mentions": mentions})
    assert sent.status == 201
    await put_profiles(host, secret, *(scene.users[name] for name in IN_ROOM))
    told, (_, learnt) = await asyncio.gather(
        told_to(spy, scene, secret), asyncio.gather(live(scene, host, secret), told_to(member, scene, secret))
    )
    await pass_all_changes(host, spy)
    assert [(name, answer) for name, answer in told if secret in answer] == []
    frames = [frame for socket in spy.sockets for frame in socket.frames]
    assert [frame for frame in frames if secret in str(frame)] == []
    assert {name for name, answer in learnt if secret in answer} == {
        name for name, operation in OPERATIONS.items() if operation.route and has_users(operation.answer)
    }


async def test_whoever_is_removed_is_told_of_no_later_name(crowd: Crowd, host: User, secret: str) -> None:
    """Also at a socket that was open before."""
    admin, removed = crowd.newcomers(2)
    room = await admin.create_group(removed.user_id)
    own, socket = await admin.connect(), await removed.connect()
    path = f"/conversations/{room}/participants/{removed.user_id}"
    assert (await admin.call("DELETE", path)).status == 204
    await socket.expect("participant.removed", user_id=removed.user_id)
    await put_profiles(host, secret, admin)
    await own.expect("user.updated", user_id=admin.user_id)
    await pass_all_changes(host, removed)
    assert [frame for frame in socket.frames if secret in str(frame)] == []


async def told_to(user: User, scene: Scene, secret: str) -> list[tuple[str, str]]:
    return await answers(scene, await prober(user, secret))


async def live(scene: Scene, host: User, secret: str) -> None:
    """Lets the users in the room do what others are told of: come, type, write, and get another name."""
    socket = await scene.users["member"].connect()
    await socket.request("subscribe", conversation_id=scene.room)
    for type_ in ("typing.start", "typing.stop"):
        await socket.request(type_, conversation_id=scene.room)
    await socket.request("presence.set", status="away")
    await put_profiles(host, secret, *(scene.users[name] for name in IN_ROOM))
    for name in IN_ROOM:
        frame = await socket.expect("user.updated", user_id=scene.users[name].user_id)
        assert secret in str(frame)


async def pass_all_changes(host: User, spy: User) -> None:
    """Returns when the spy's gateway workers have told of a change later than all others."""
    body = {"users": [{"id": spy.user_id, "name": secrets.token_hex(4)}]}
    assert (await host.call("PUT", "/server/users", body=body)).status == 200
    for socket in spy.sockets:
        await socket.expect("user.updated", user_id=spy.user_id)
