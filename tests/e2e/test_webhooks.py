"""Webhooks and events of a running stack: what hosts hear is what sockets get."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Any

import pytest

from tests.client import Socket, User
from tests.conftest import SharedStack
from tests.e2e.crowd import Crowd
from tests.e2e.hosts import webhook
from tests.integration.delivering import Receiver, receiving
from tests.waiting import eventually, until

SOON_S = 30.0


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    async with receiving() as receiver:
        yield receiver


async def test_the_life_of_a_webhook(exporter: User, receiver: Receiver) -> None:
    path = "/server/webhooks/a life"
    body = {"url": receiver.url, "types": ["message.new", "message.new"]}
    made = await exporter.call("PUT", path, body=body)
    assert (made.status, made.body["types"], made.body["disabled"]) == (200, ["message.new"], False)
    receiver.secrets = [made.body.pop("secret")]
    again = await exporter.call("PUT", path, body={**body, "disabled": True})
    assert again.body == {**made.body, "disabled": True, "disabled_reason": "host"}
    assert (await exporter.get(path)).body == again.body
    assert again.body in (await exporter.get("/server/webhooks")).body["items"]
    test = (await exporter.post(f"{path}/test", {})).body
    assert (test["delivered"], test["status"], test["failure"]) == (True, 204, None)
    [delivery] = receiver.deliveries
    assert (delivery.body["type"], delivery.body["data"]) == ("webhook.test", {"name": "a life"})
    assert delivery.id.startswith("evt_test_")
    rotated = (await exporter.post(f"{path}/rotate", {})).body
    assert rotated["secret"] not in receiver.secrets
    assert rotated["old_secret_until"] > rotated["created_at"]
    receiver.secrets.append(rotated["secret"])
    receiver.plan = lambda body: 500
    test = (await exporter.post(f"{path}/test", {})).body
    assert (test["delivered"], test["status"]) == (False, 500)
    assert (await exporter.get(f"{path}/attempts")).body == {"items": [], "next_cursor": None}
    assert (await exporter.post(f"{path}/redeliver", {})).body == {"conversations": 0}
    assert (await exporter.call("DELETE", path)).status == 204
    assert (await exporter.call("DELETE", path)).status == 404
    assert (await exporter.get(path)).status == 404


async def test_what_no_webhook_may_be(exporter: User) -> None:
    path, url = "/server/webhooks/refused", "https://receiver.invalid/"
    for fields, code, field in (
        ({"url": "http://10.0.0.1/"}, "bad_endpoint", "url"),
        ({"url": "https://10.0.0.1/"}, "bad_endpoint", "url"),
        ({"url": "https://169.254.169.254/latest"}, "bad_endpoint", "url"),
        ({"url": "x"}, "bad_endpoint", "url"),
        ({"url": ""}, "invalid_frame", "url"),
        ({"types": []}, "invalid_frame", "types"),
        ({"types": ["message.read"]}, "invalid_frame", "types"),
        ({"types": ["message.new"] * 13}, "invalid_frame", "types"),
        ({"disabled": 1}, "invalid_frame", "disabled"),
    ):
        refused = await exporter.call("PUT", path, body={"url": url, "types": ["message.new"]} | fields)
        assert (refused.status, refused.body.get("code")) == (422, code), (fields, refused)
        assert field in refused.body["errors"]
    refused = await exporter.post(f"{path}/redeliver", {"from_pos": 1})
    assert refused.body["code"] == "invalid_frame"
    there = len((await exporter.get("/server/webhooks")).body["items"])
    async with contextlib.AsyncExitStack() as exits:
        for _ in range(10 - there):
            await exits.enter_async_context(webhook(exporter, url, "message.new"))
        refused = await exporter.call("PUT", path, body={"url": url, "types": ["message.new"]})
        assert "name" in refused.body["errors"]


async def test_a_host_hears_what_sockets_get_pushed_and_pulled(
    exporter: User, receiver: Receiver, crowd: Crowd
) -> None:
    one, two = crowd.newcomers(2)
    start = await _end(exporter)
    async with webhook(exporter, receiver.url) as (path, secret):
        receiver.secrets = [secret]
        room = await one.create_group(two.user_id, title="Tea")
        socket = await two.connect()
        await socket.request("subscribe", conversation_id=room)
        sent = await one.post(f"/conversations/{room}/messages", {"content": "글"})
        await until(lambda: (room in receiver.taken) and 2 in receiver.taken[room], SOON_S)
        message = f"/messages/{sent.body['id']}"
        await one.call("PUT", message, body={"content": "말"})
        await one.call("PUT", f"{message}/reactions/👍", body={})
        await one.call("PUT", f"{message}/pin", body={})
        await one.call("PATCH", f"/conversations/{room}", body={"title": "Coffee"})
        await one.call("DELETE", f"/conversations/{room}/participants/{two.user_id}")
        await until(lambda: receiver.taken[room][-1] == 7, SOON_S)
        told = {d.id: d.body for d in receiver.deliveries if d.room == room}
        await eventually(lambda: _has_attempts(exporter, path, len(told)))
        attempts = (await exporter.get(f"{path}/attempts?limit=100")).body["items"]
        assert all(item["status"] == 204 for item in attempts)
    frames = {
        frame["pos"]: frame
        for frame in socket.frames
        if frame.get("conversation_id") == room and frame.get("pos")
    }
    assert_as_sockets_have_it(room, told, frames)
    items = [item for item in await _pull(exporter, start) if item["data"]["conversation_id"] == room]
    # A pull that comes later has what is still so.
    assert items
    for item in items:
        body = told[item["id"]]
        # Of those who were added first, one has left since.
        assert item["data"]["pos"] == 1 or item["data"].items() <= body["data"].items()
        assert item["type"] in (body["type"], "message.new")


def assert_as_sockets_have_it(room: str, told: dict[str, Any], frames: dict[int, Any]) -> None:
    """Fails unless the bodies have what the socket got, beside what is only for live frames."""
    for id_, body in told.items():
        pos = body["data"]["pos"]
        assert id_ == f"evt_{room}_{pos}"
        if pos > 1:
            frame = {name: value for name, value in frames[pos].items() if name != "changes"}
            assert {"type": body["type"], **body["data"]} == frame


async def test_who_waits_for_events_hears_at_once(exporter: User, crowd: Crowd, stack: SharedStack) -> None:
    cursor = await _end(exporter)
    begun = asyncio.get_running_loop().time()
    waiting = [
        asyncio.create_task(exporter.get("/server/events", cursor=cursor, wait_s=20)) for _ in range(3)
    ]
    await asyncio.sleep(0.2)
    room = await crowd.newcomer().create_group()
    for page in await asyncio.gather(*waiting):
        assert [item["id"] for item in page.body["items"]] == [f"evt_{room}_1"]
    assert asyncio.get_running_loop().time() - begun < 15
    refused = await exporter.get("/server/events", wait_s=21)
    assert refused.status == 422
    for bad in ("x", "WyJldmVudHMiLDFd"):
        assert (await exporter.get("/server/events", cursor=bad)).body["code"] == "invalid_frame"
    expired = await exporter.get("/server/events", cursor="WyJldmVudHMiLDAsMF0")
    assert (expired.status, expired.body["code"]) == (410, "cursor_expired")


async def test_a_webhook_that_asks_for_it_hears_who_comes_and_goes(
    exporter: User, receiver: Receiver, crowd: Crowd
) -> None:
    begin = await _end(exporter)
    came: list[tuple[User, Socket]] = []

    async def one_comes() -> bool:
        """Whether the host hears of a user who comes. At first, no feed may have the webhook yet."""
        user = crowd.newcomer()
        came.append((user, await user.connect()))
        with contextlib.suppress(AssertionError):
            await until(lambda: _of_user(receiver, user), 2.0)
        return bool(_of_user(receiver, user))

    async with webhook(exporter, receiver.url, "user.offline", "user.online") as (path, secret):
        receiver.secrets = [secret]
        await eventually(one_comes, SOON_S)
        user, socket = came[-1]
        await socket.close()
        await until(lambda: len(_of_user(receiver, user)) == 2, SOON_S)
        assert _of_user(receiver, user) == ["user.online", "user.offline"]
        assert (await exporter.get(f"{path}/attempts")).body["items"] == []
    assert all(body["ordered"] is False for body in (d.body for d in receiver.deliveries))
    items = await _pull(exporter, begin)
    assert not [item for item in items if item["type"].startswith("user.")]


def _of_user(receiver: Receiver, user: User) -> list[str]:
    return [d.body["type"] for d in receiver.deliveries if d.body["data"].get("user_id") == user.user_id]


async def _pull(exporter: User, cursor: str | None) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    while True:
        page = await exporter.get(
            "/server/events", **({} if cursor is None else {"cursor": cursor}), limit=100
        )
        assert page.status == 200, page
        found += page.body["items"]
        cursor = page.body["next_cursor"]
        if not page.body["has_more"]:
            return found


async def _end(exporter: User) -> str:
    """The cursor behind everything that there is, when nothing has come for a while."""
    cursor: str | None = None
    while True:
        asked = {} if cursor is None else {"cursor": cursor}
        page = await exporter.get("/server/events", **asked, limit=100, wait_s=3)
        cursor = page.body["next_cursor"]
        if not page.body["items"] and not page.body["has_more"]:
            return str(cursor)


async def _has_attempts(exporter: User, path: str, count: int) -> bool:
    return len((await exporter.get(f"{path}/attempts?limit=100")).body["items"]) >= count
