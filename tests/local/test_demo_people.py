"""The demo's people: an empty stack gets them, one with users never gets them by itself."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from messenger_local.demo import CONVERSATIONS, PEOPLE
from tests.client import User
from tests.e2e.crowd import Crowd, open_crowd_at
from tests.e2e.hosts import host_with, new_key, run_key
from tests.local.conftest import verify
from tests.stack import RunningStack, StackFailed, running_stack

FEW = "gateway=1,chat-api=1"
DEV = "/api/v1/messenger/dev"
NAMES = [person.name for person in PEOPLE]
KEYS = [conversation.external_key for conversation in CONVERSATIONS]


@pytest.fixture
def port(unused_tcp_port_factory: Callable[[], int]) -> int:
    return unused_tcp_port_factory()


async def offered(stack: RunningStack) -> list[dict[str, Any]]:
    """Returns the people whom the page offers."""
    async with aiohttp.ClientSession() as http, http.get(f"{stack.url}{DEV}/users") as response:
        assert response.status == 200
        people: list[dict[str, Any]] = (await response.json())["items"]
        return people


async def dev_token(stack: RunningStack, user_id: int) -> str:
    """Returns the token that the page gets for a user."""
    url = f"{stack.url}{DEV}/token"
    async with aiohttp.ClientSession() as http, http.post(url, json={"user_id": user_id}) as response:
        token: str = (await response.json())["token"]
        return token


async def rows(crowd: Crowd, user_id: int) -> list[dict[str, Any]]:
    """Returns the conversations of a user, as their list shows them."""
    reply = await crowd.newcomer(user_id).get("/conversations", limit=100)
    found: list[dict[str, Any]] = reply.body["items"]
    return found


async def state(host: User) -> list[Any]:
    """Returns all users, and all conversations of the demo with their last numbers."""
    users = (await host.get("/server/users", limit=100)).body["items"]
    conversations = [(await host.get(f"/server/conversations/by-key/{key}")).body for key in KEYS]
    return [users, *conversations]


def active_keys(stack: RunningStack) -> list[str]:
    """Returns the lines of the server keys that are not revoked."""
    _, *lines = run_key(stack.data_dir, "list").splitlines()
    return [line for line in lines if line.endswith("\t-")]


async def test_an_empty_stack_gets_six_people_and_what_they_wrote_once(tmp_path: Path, port: int) -> None:
    data_dir = tmp_path / "data"
    async with running_stack(data_dir, port, FEW, demo=True) as stack, open_crowd_at(stack) as crowd:
        people = await offered(stack)
        assert [person["name"] for person in people] == NAMES
        assert " warning " not in stack.output
        before = [await rows(crowd, person["id"]) for person in people]
        assert all(len(list_) >= 2 for list_ in before)
        assert sum(row["unread"] > 0 for list_ in before for row in list_) >= len(people)
        types = {row["id"]: row["type"] for list_ in before for row in list_}
        assert sorted(types.values()) == ["direct"] * 3 + ["group"] * 2
        assert active_keys(stack) == []
        assert "rules, 0 findings" in await stack.command("check")
    async with running_stack(data_dir, port, FEW, demo=True) as stack, open_crowd_at(stack) as crowd:
        assert await offered(stack) == people
        assert [await rows(crowd, person["id"]) for person in people] == before


async def test_a_stack_with_users_gets_them_only_by_hand_and_once(tmp_path: Path, port: int) -> None:
    data_dir = tmp_path / "data"
    async with running_stack(data_dir, port, FEW) as stack, open_crowd_at(stack) as crowd:
        assert await offered(stack) == []
        one, two = crowd.newcomers(2)
        await one.create_group(two.user_id)
    async with running_stack(data_dir, port, FEW, demo=True) as stack, open_crowd_at(stack) as crowd:
        assert await offered(stack) == []
        assert len(await rows(crowd, one.user_id)) == 1
        key = await asyncio.to_thread(new_key, data_dir)
        async with host_with(stack.url, key) as host:
            users = (await host.get("/server/users")).body["items"]
            assert sorted(user["id"] for user in users) == sorted([one.user_id, two.user_id])
            await stack.command("seed-demo")
            assert [person["name"] for person in await offered(stack)] == NAMES
            await change_something(host)
            changed = await state(host)
            await stack.command("seed-demo")
            assert await state(host) == changed
        assert len(active_keys(stack)) == 1


async def change_something(host: User) -> None:
    """A host renames a person, and takes another one out of a group."""
    people = (await host.get("/server/users", external_ids="demo-tom,demo-haeun")).body["items"]
    renamed = {"users": [{"external_id": "demo-tom", "name": "Thomas"}]}
    assert (await host.call("PUT", "/server/users", body=renamed)).status == 200
    group = (await host.get("/server/conversations/by-key/demo-hiking")).body["id"]
    left = await host.call("DELETE", f"/server/conversations/{group}/participants/{people[1]['id']}")
    assert left.status == 204


async def test_half_of_it_is_completed_by_hand_and_a_deactivated_person_is_not_offered(
    tmp_path: Path, port: int
) -> None:
    async with running_stack(tmp_path / "data", port, FEW, demo=True) as stack:
        key = await asyncio.to_thread(new_key, stack.data_dir)
        async with host_with(stack.url, key) as host:
            room = (await host.get("/server/conversations/by-key/demo-launch")).body["id"]
            await host.call("DELETE", f"/server/conversations/{room}")
            await stack.command("seed-demo")
            again = (await host.get("/server/conversations/by-key/demo-launch")).body
            assert again["id"] != room
            assert again["last_seq"] == len(CONVERSATIONS[KEYS.index("demo-launch")].messages)
            first, *others = await offered(stack)
            await host.post(f"/server/users/{first['id']}/deactivate", {})
            assert await offered(stack) == others


async def test_an_empty_stack_may_stay_empty(tmp_path: Path, port: int) -> None:
    data_dir = tmp_path / "data"
    async with running_stack(data_dir, port, FEW, {"MESSENGER_DEMO": "0"}, demo=True) as stack:
        assert await offered(stack) == []
        assert run_key(data_dir, "list").count("\n") == 0


async def test_without_the_servers_door_the_stack_starts_and_says_so_in_one_line(
    tmp_path: Path, port: int
) -> None:
    env = {"MESSENGER_SERVER_API": "0"}
    async with running_stack(tmp_path / "data", port, FEW, env, demo=True) as stack:
        [warning] = [line for line in stack.output.splitlines() if " warning " in line]
        assert "`messenger seed-demo` adds what is missing" in warning
        assert active_keys(stack) == []
        with pytest.raises(StackFailed, match="messenger: the demo is not complete: GET /users"):
            await stack.command("seed-demo")


async def test_with_the_hosts_own_ids_the_page_gets_tokens_for_them_too(tmp_path: Path, port: int) -> None:
    env = {"MESSENGER_USER_IDS": "external"}
    async with running_stack(tmp_path / "data", port, FEW, env, demo=True) as stack:
        async with open_crowd_at(stack) as crowd:
            for person, known in zip(await offered(stack), PEOPLE, strict=True):
                user = crowd.newcomer(person["id"])
                user.token = await dev_token(stack, person["id"])
                me = (await user.get("/users/me")).body
                assert (me["id"], me["external_id"]) == (person["id"], known.external_id)
        secret = (stack.data_dir / "secret").read_text().strip().encode()
        assert verify(await dev_token(stack, 5), secret).user_id == 5
