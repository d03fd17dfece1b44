"""Users, as the host application stores them and as other users see them."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator
from typing import Any

import pytest

from tests.client import NoSuchFrame, User
from tests.conftest import SharedStack
from tests.e2e.crowd import Crowd
from tests.e2e.hosts import host_with, new_key
from tests.waiting import eventually

NAME = "Ada Lovelace"


@pytest.fixture
def one(crowd: Crowd) -> User:
    return crowd.newcomer()


@pytest.fixture(scope="module")
def key(stack: SharedStack) -> str:
    return new_key(stack.data_dir)


@pytest.fixture
async def host(stack: SharedStack, key: str) -> AsyncIterator[User]:
    async with host_with(stack.url, key) as host:
        yield host


async def put(host: User, *users: dict[str, Any]) -> list[dict[str, Any]]:
    reply = await host.call("PUT", "/server/users", body={"users": list(users)})
    assert reply.status == 200, reply
    items: list[dict[str, Any]] = reply.body["items"]
    return items


async def test_fields_left_out_stay_and_null_removes(host: User, one: User) -> None:
    [made] = await put(host, {"id": one.user_id, "name": NAME, "custom": {"plan": "gold"}})
    assert (made["name"], made["custom"]) == (NAME, {"plan": "gold"})
    [changed] = await put(host, {"id": one.user_id, "avatar_url": "https://example.org/a.png"})
    assert (changed["name"], changed["custom"]) == (NAME, {"plan": "gold"})
    assert changed["version"] == made["version"] + 1
    [cleared] = await put(host, {"id": one.user_id, "avatar_url": None})
    assert cleared["avatar_url"] is None
    [same] = await put(host, {"id": one.user_id, "name": NAME})
    assert same["version"] == cleared["version"]


async def test_an_external_id_gets_an_id_of_ours_once(host: User) -> None:
    external = secrets.token_hex(8)
    first, again = await put(host, {"external_id": external, "name": "A"}, {"external_id": external})
    assert first["id"] == again["id"] > 2**52
    [later] = await put(host, {"external_id": external, "name": "B"})
    assert (later["id"], later["name"]) == (first["id"], "B")
    reply = await host.get("/server/users", external_ids=f"{external},{secrets.token_hex(8)}")
    assert [user["id"] for user in reply.body["items"]] == [first["id"]]


async def test_an_external_id_of_another_user_is_a_conflict_and_changes_nothing(
    host: User, crowd: Crowd
) -> None:
    external, one = secrets.token_hex(8), crowd.newcomer()
    await put(host, {"external_id": external})
    body = {"users": [{"id": one.user_id, "external_id": external, "name": "X"}]}
    reply = await host.call("PUT", "/server/users", body=body)
    assert (reply.status, reply.body["code"]) == (409, "key_conflict")
    assert (await host.get(f"/server/users/{one.user_id}")).status == 404


async def test_two_items_of_one_user_are_refused_unless_they_name_the_user_alike(
    host: User, one: User
) -> None:
    external = secrets.token_hex(8)
    await put(host, {"id": one.user_id, "external_id": external, "name": NAME})
    body = {"users": [{"id": one.user_id, "name": "A"}, {"external_id": external, "locale": "ko"}]}
    refused = await host.call("PUT", "/server/users", body=body)
    assert (refused.status, refused.body["code"]) == (422, "invalid_frame")
    assert str(one.user_id) in refused.body["errors"]["users"][0]
    assert (await host.get(f"/server/users/{one.user_id}")).body["name"] == NAME
    [*_, same] = await put(host, {"id": one.user_id, "name": "A"}, {"id": one.user_id, "locale": "ko"})
    assert (same["name"], same["locale"]) == ("A", "ko")


@pytest.mark.parametrize(
    "user",
    [
        {},
        {"id": 0},
        {"id": 2**53},
        {"id": 1, "name": ""},
        {"id": 1, "name": "\u200b"},
        {"id": 1, "name": "x" * 101},
        {"id": 1, "avatar_url": "http://example.org/a.png"},
        {"id": 1, "avatar_url": "javascript:alert(1)"},
        {"id": 1, "custom": "text"},
        {"id": 1, "custom": {"x": "y" * 4_096}},
        {"external_id": ""},
        {"external_id": "x" * 129},
    ],
)
async def test_a_bad_profile_is_refused(host: User, user: dict[str, Any]) -> None:
    reply = await host.call("PUT", "/server/users", body={"users": [user]})
    assert (reply.status, reply.body["code"]) == (422, "invalid_frame")


async def test_at_most_a_hundred_users_in_one_request(host: User) -> None:
    users = [{"external_id": secrets.token_hex(8)} for _ in range(101)]
    assert (await host.call("PUT", "/server/users", body={"users": users})).status == 422
    assert len(await put(host, *users[:100])) == 100


async def test_pages_of_all_users_have_each_once(host: User) -> None:
    await put(host, *({"external_id": secrets.token_hex(8)} for _ in range(5)))
    seen: list[int] = []
    query: dict[str, Any] = {"limit": 100}
    while True:
        reply = await host.get("/server/users", **query)
        seen += [user["id"] for user in reply.body["items"]]
        if reply.body["next_cursor"] is None:
            break
        query["cursor"] = reply.body["next_cursor"]
    assert len(set(seen)) == len(seen) >= 5


async def test_many_callers_who_send_the_same_users_make_each_once(host: User) -> None:
    names = [secrets.token_hex(8) for _ in range(50)]
    batches = [[{"external_id": name, "name": name} for name in order] for order in (names, names[::-1]) * 4]
    stored = await asyncio.gather(*(put(host, *batch) for batch in batches))
    ids = {user["external_id"]: user["id"] for user in stored[0]}
    assert len(set(ids.values())) == len(names)
    for users in stored:
        assert {user["external_id"]: user["id"] for user in users} == ids


async def test_names_come_with_every_answer_and_to_no_stranger(host: User, crowd: Crowd) -> None:
    one, two, stranger = crowd.newcomers(3)
    await put(host, {"id": one.user_id, "name": NAME}, {"id": two.user_id, "name": "Bo"})
    room = await one.create_group(two.user_id)
    sent = await one.post(f"/conversations/{room}/messages", {"content": "hello"})
    await two.call("PUT", f"/conversations/{room}/read", body={"seq": 1})
    for path in (
        "/conversations",
        f"/conversations/{room}",
        f"/conversations/{room}/participants",
        f"/conversations/{room}/messages",
    ):
        assert (await two.get(path)).body["users"][str(one.user_id)]["name"] == NAME, path
    readers = await one.get(f"/messages/{sent.body['id']}/readers")
    assert readers.body["users"][str(two.user_id)]["name"] == "Bo"
    found = await two.get("/users", ids=f"{one.user_id},{two.user_id},{stranger.user_id}")
    assert [user["name"] for user in found.body["items"]] == [NAME, "Bo"]
    assert (await stranger.get("/users", ids=str(one.user_id))).body["items"] == []
    assert (await stranger.get("/users", q="ada")).body["items"] == []
    assert [user["id"] for user in (await two.get("/users", q="LOVE a")).body["items"]] == [one.user_id]
    assert (await two.get("/users", q="ovelace")).body["items"] == []


async def test_one_frame_tells_an_acquaintance_of_a_new_name(host: User, crowd: Crowd) -> None:
    one, two, stranger = crowd.newcomers(3)
    for _ in range(5):
        await one.create_group(two.user_id)
    acquaintance, own, other = await two.connect(), await one.connect(), await stranger.connect()
    await put(host, {"id": one.user_id, "name": NAME})
    for socket in (acquaintance, own):
        frame = await socket.expect("user.updated", user_id=one.user_id)
        assert frame["data"]["name"] == NAME
    with pytest.raises(NoSuchFrame):
        await other.wait(lambda frame: frame["type"] == "user.updated", timeout_s=0.5)
    assert len(acquaintance.collected("user.updated")) == 1


async def test_claims_fill_a_profile_that_the_host_has_not_set(
    host: User, stack: SharedStack, crowd: Crowd
) -> None:
    one, two = crowd.newcomers(2)
    one.token = stack.token(one.user_id, name=NAME, picture="https://example.org/a.png")
    me = (await one.get("/users/me")).body
    assert (me["name"], me["avatar_url"]) == (NAME, "https://example.org/a.png")
    one.token = stack.token(one.user_id, name="Older", iat=1)
    assert (await one.get("/users/me")).body["name"] == NAME
    await put(host, {"id": two.user_id, "name": "Bo"})
    two.token = stack.token(two.user_id, name="Claimed")
    assert (await two.get("/users/me")).body["name"] == "Bo"


async def test_a_deactivated_user_is_out_until_reactivated(host: User, one: User) -> None:
    room = await one.create_group()
    socket = await one.connect()
    path = f"/server/users/{one.user_id}"
    assert (await host.call("POST", f"{path}/deactivate")).status == 204
    assert (await socket.wait_end()).code == 4503
    # The other gateway may hear of it later.
    await eventually(lambda: is_refused(one))
    body = {"sender_id": one.user_id, "content": "hello"}
    for route, sent in ((f"/server/conversations/{room}/messages", body), (f"{path}/token", {})):
        refused = await host.post(route, sent)
        assert (refused.status, refused.body["code"]) == (403, "user_deactivated")
    assert (await host.get(path)).body["deactivated"] is True
    assert (await host.call("POST", f"{path}/reactivate")).status == 204
    one.token = (await host.post(f"{path}/token", {"ttl_s": 60})).body["token"]
    assert (await one.get("/conversations")).status == 200


async def is_refused(user: User) -> bool:
    return (await user.get("/conversations")).status == 401


async def test_revoked_sessions_close_and_a_new_token_works(host: User, one: User) -> None:
    socket = await one.connect()
    await host.call("PUT", "/server/users", body={"users": [{"id": one.user_id}]})
    path = f"/server/users/{one.user_id}"
    assert (await host.call("POST", f"{path}/sessions/revoke")).status == 204
    assert (await socket.wait_end()).code == 4503
    one.token = (await host.post(f"{path}/token", {})).body["token"]
    assert (await one.get("/conversations")).status == 200


@pytest.mark.parametrize(
    ("method", "tail"),
    [
        ("GET", ""),
        ("POST", "/deactivate"),
        ("POST", "/reactivate"),
        ("POST", "/sessions/revoke"),
        ("POST", "/token"),
    ],
)
async def test_an_unknown_user_is_not_found(host: User, crowd: Crowd, method: str, tail: str) -> None:
    path = f"/server/users/{crowd.newcomer().user_id}{tail}"
    assert (await host.call(method, path)).status == 404
