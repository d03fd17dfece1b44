"""A host application's requests by the SDK."""

from __future__ import annotations

import json
import re
import secrets
from collections.abc import AsyncIterator
from pathlib import Path
from typing import TypeVar

import aiohttp
import pytest

from messenger_sdk import MessengerError, Server
from messenger_sdk.rest import BASE_PATH
from tests.conftest import SharedStack
from tests.e2e.crowd import Crowd
from tests.e2e.hosts import new_key
from tests.e2e.server_requests import NOWHERE

T = TypeVar("T")
DOCUMENT = Path(__file__).parents[2] / "services/gateway/web/contract/openapi.json"


async def live_through(server: Server) -> None:
    """The life of a host: uses every method."""
    ada, bo = secrets.token_hex(8), secrets.token_hex(8)
    one, two = await server.put_users(
        [{"external_id": ada, "name": "Ada"}, {"external_id": bo, "name": "Bo"}]
    )
    assert (await server.get_user(one["id"]))["name"] == "Ada"
    assert [user["id"] for user in await server.find_users([bo, ada, "unknown"])] == [two["id"], one["id"]]
    key = f"order {secrets.token_hex(4)}/1"
    room = await server.ensure_conversation(key, "group", [one["id"], two["id"]], "Order", {"number": 1})
    assert (await server.ensure_conversation(key, "group", [two["id"]], "Other"))["id"] == room["id"]
    assert (await server.get_conversation_by_key(key))["custom"] == {"number": 1}
    assert (await server.get_conversation(room["id"]))["external_keys"] == [key]
    assert (await server.rename_conversation(room["id"], "Order 1"))["title"] == "Order 1"
    sent = await server.send_message(room["id"], one["id"], "Hello", idempotency_key="first")
    assert (await server.send_message(room["id"], one["id"], "Hello", idempotency_key="first")) == sent
    system = await server.send_message(room["id"], None, "Closed", message_type="system")
    assert system["seq"] == 2
    assert (await server.notification_trace(sent["id"], two["id"]))["message_id"] == sent["id"]
    await server.delete_message(sent["id"])
    await server.remove_participant(room["id"], two["id"])
    await server.add_participants(room["id"], [two["id"]], "observer")
    assert (await server.change_role(room["id"], two["id"], "admin"))["role"] == "admin"
    await server.close_conversation(room["id"])
    assert (await server.create_token(one["id"], 60))["token"].count(".") == 2
    await server.revoke_sessions(one["id"])
    await server.deactivate_user(one["id"])
    await server.reactivate_user(one["id"])
    await live_with_webhooks(server)


async def live_with_webhooks(server: Server) -> None:
    """Uses every method for webhooks and events."""
    name = secrets.token_hex(4)
    webhook = await server.put_webhook(name, NOWHERE, ["message.new"], disabled=True)
    assert webhook["secret"].startswith("whsec_")
    assert "secret" not in await server.put_webhook(name, NOWHERE, ["message.edited"], disabled=True)
    assert (await server.get_webhook(name))["types"] == ["message.edited"]
    assert name in [one["name"] for one in await server.list_webhooks()]
    assert (await server.rotate_webhook(name))["secret"] != webhook["secret"]
    assert (await server.test_webhook(name))["delivered"] is False
    assert [attempt async for attempt in server.list_webhook_attempts(name)] == []
    assert await server.redeliver_webhook(name) == 0
    await server.delete_webhook(name)
    seen = [event["id"] async for event, _ in first(server.events(), 3)]
    assert len(set(seen)) == 3


async def first(items: AsyncIterator[T], count: int) -> AsyncIterator[T]:
    """Yields so many items, and ends the iterator."""
    async for item in items:
        yield item
        count -= 1
        if not count:
            return


async def test_every_route_of_the_servers_door_has_a_method(
    stack: SharedStack, server_key: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: set[tuple[str, str]] = set()
    request = aiohttp.ClientSession._request

    async def recorded(self: aiohttp.ClientSession, method: str, url: str, **options: object) -> object:
        made.add((method, url.removeprefix(stack.url + BASE_PATH)))
        return await request(self, method, url, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(aiohttp.ClientSession, "_request", recorded)
    async with Server(stack.url, server_key) as server:
        await live_through(server)
    paths = json.loads(DOCUMENT.read_text())["paths"]
    routes = [
        (method.upper(), path)
        for path, methods in paths.items()
        for method in methods
        if path.startswith("/server/") and method != "parameters"
    ]
    for method, path in routes:
        pattern = re.sub(r"\\\{\w+\\\}", "[^/]+", re.escape(path))
        assert any(method == one and re.fullmatch(pattern, url) for one, url in made), f"{method} {path}"


async def test_users_come_in_any_number(server: Server) -> None:
    mark = secrets.token_hex(8)
    profiles = [{"external_id": f"{mark}-{n}", "name": f"User {n}"} for n in range(250)]
    stored = await server.put_users(profiles)  # type: ignore[arg-type]
    assert [user["name"] for user in stored] == [profile["name"] for profile in profiles]
    found = await server.find_users(profile["external_id"] for profile in profiles)
    assert {user["id"] for user in found} == {user["id"] for user in stored}
    listed = {user["id"] async for user in server.list_users()}
    assert listed >= {user["id"] for user in stored}


async def test_a_refusal_says_what_is_wrong(server: Server) -> None:
    with pytest.raises(MessengerError) as refusal:
        await server.put_users([{"external_id": "x", "name": "\u200b"}])
    assert (refusal.value.code, refusal.value.status, refusal.value.retryable) == (
        "invalid_frame",
        422,
        False,
    )
    assert refusal.value.errors
    with pytest.raises(MessengerError) as missing:
        await server.get_user(1 + secrets.randbelow(2**52))
    assert missing.value.code == "not_found"


async def test_a_key_without_the_scope_and_a_wrong_key_are_refused(stack: SharedStack) -> None:
    async with Server(stack.url, new_key(stack.data_dir, "messages")) as server:
        with pytest.raises(MessengerError, match="key_scope"):
            await server.put_users([{"id": 1, "name": "Ada"}])
    async with Server(stack.url, "msk_wrong") as server:
        with pytest.raises(MessengerError, match="unauthorized"):
            await server.get_user(1)


async def test_a_token_opens_the_users_own_socket(server: Server, crowd: Crowd) -> None:
    one = crowd.newcomer()
    await server.put_users([{"id": one.user_id, "name": "Ada"}])
    one.token = (await server.create_token(one.user_id))["token"]
    assert (await one.get("/users/me")).body["name"] == "Ada"
    await one.connect()


@pytest.mark.parametrize("url", ["", "127.0.0.1:8080", "ws://127.0.0.1"])
def test_an_address_that_is_not_http_is_refused_at_once(url: str) -> None:
    with pytest.raises(ValueError, match="URL"):
        Server(url, "msk_x")
