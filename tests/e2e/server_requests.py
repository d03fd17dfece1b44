"""Requests of each server operation in a scene, also about things that don't exist."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from typing import Any
from uuid import uuid4

from messenger_shared.contract.operations.operation import SERVER_PREFIX, Operation, ServerRoute
from messenger_shared.contract.operations.table import TABLE
from tests.client import Reply, User
from tests.e2e.requesting import Fields, fill
from tests.e2e.scene import Scene
from tests.e2e.scene_requests import ABSENT

# A name that no server answers for, ever.
NOWHERE = "https://receiver.invalid/hook"
SERVER_OPERATIONS = {name: operation for name, operation in TABLE.items() if operation.server}

ServerRequest = Callable[[Scene], Fields]


def room(**fields: Any) -> ServerRequest:
    return lambda scene: {"conversation_id": scene.room, **fields}


def about(role: str, /, **fields: Any) -> ServerRequest:
    return lambda scene: {"user_id": scene.users[role].user_id, **fields}


def in_room_about(role: str, /, **fields: Any) -> ServerRequest:
    return lambda scene: {**room(**fields)(scene), **about(role)(scene)}


def message_as(role: str) -> ServerRequest:
    return lambda scene: {**room(content="hello")(scene), "sender_id": scene.users[role].user_id}


def ensure(*roles: str, is_known: bool) -> ServerRequest:
    def request(scene: Scene) -> Fields:
        return {
            "external_key": key_of(scene) if is_known else secrets.token_hex(8),
            "type": scene.type,
            "title": None if scene.type == "direct" else "Order",
            "participant_ids": [scene.users[role].user_id for role in roles],
        }

    return request


def webhook(**fields: Any) -> ServerRequest:
    return lambda scene: {"name": "door", **fields}


def key_of(scene: Scene) -> str:
    """Returns the host's key of a conversation with the scene's members."""
    return f"order-{scene.room}"


SERVER_REQUESTS: dict[str, ServerRequest] = {
    "conversation.update": room(title="new"),
    "participant.add": lambda scene: {**room()(scene), "user_ids": [scene.users["stranger"].user_id]},
    "participant.remove": in_room_about("another"),
    "participant.update": in_room_about("another", role="observer"),
    "message.delete": lambda scene: {"message_id": scene.messages["another"]},
    "push.trace": lambda scene: {"message_id": scene.messages["another"], **about("another")(scene)},
    "server.conversation.ensure new": ensure("member", "another", is_known=False),
    "server.conversation.ensure known": ensure("member", "another", is_known=True),
    "server.conversation.by_key": lambda scene: {"external_key": key_of(scene)},
    "server.conversation.get": room(),
    "server.conversation.close": room(),
    **{
        f"server.message.send as {role}": message_as(role)
        for role in ("member", "observer", "former", "stranger")
    },
    "server.message.send as the system": room(content="hello", message_type="system"),
    "server.user.upsert": lambda scene: {"users": [{"id": scene.users["another"].user_id, "name": "Bo"}]},
    "server.user.get": about("another"),
    "server.user.list": lambda scene: {"limit": 1},
    "server.user.deactivate": about("another"),
    "server.user.reactivate": about("another"),
    "server.user.sessions.revoke": about("another"),
    "server.user.token": about("another", ttl_s=60),
    # All scenes have one webhook after the other: there may be ten.
    "server.webhook.put": webhook(url=NOWHERE, types=["message.new"], disabled=True),
    "server.webhook.list": lambda scene: {},
    **{
        f"server.webhook.{what}": webhook()
        for what in ("get", "rotate", "test", "attempts", "redeliver", "delete")
    },
    "server.events": lambda scene: {"limit": 1},
}


def absent(fields: Fields) -> Fields:
    """Returns the same request about things that don't exist."""
    others = {
        "conversation_id": str(uuid4()),
        "message_id": str(uuid4()),
        "external_key": secrets.token_hex(8),
        "name": "absent",
    }
    if "conversation_id" not in fields:
        others["user_id"] = str(ABSENT)
    return {name: others.get(name, value) for name, value in fields.items()}


def server_route(operation: Operation) -> ServerRoute:
    """Returns the server route of an operation that has one."""
    assert operation.server is not None
    return operation.server


async def over_server_route(caller: User, operation: Operation, fields: Fields, **headers: str) -> Reply:
    """Requests an operation at its server route."""
    route = server_route(operation)
    path, others = fill(SERVER_PREFIX + route.path, fields)
    if route.method in ("GET", "DELETE"):
        return await caller.call(route.method, path, params=others, headers=headers)
    return await caller.call(route.method, path, body=others, headers=headers)
