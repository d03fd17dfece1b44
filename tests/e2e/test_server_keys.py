"""Server keys: what they open, what they don't, and how they end."""

from __future__ import annotations

import asyncio
import subprocess

import pytest

from messenger_shared.contract.server_keys import new_key as random_key
from tests.client import User
from tests.conftest import SharedStack
from tests.e2e.crowd import Crowd
from tests.e2e.hosts import host_with, new_key, run_key
from tests.waiting import eventually

# Guesses.
MANY = 250


@pytest.fixture
def one(crowd: Crowd) -> User:
    return crowd.newcomer()


async def test_a_key_is_printed_alone_and_listed_without_its_secret(stack: SharedStack) -> None:
    key = await asyncio.to_thread(new_key, stack.data_dir, "users")
    assert len(key.split()) == 1
    assert key.startswith("msk_")
    listed = await asyncio.to_thread(run_key, stack.data_dir, "list")
    _, key_id, secret = key.split("_", 2)
    assert key_id in listed
    assert secret not in listed


async def test_an_unknown_scope_is_refused(stack: SharedStack) -> None:
    with pytest.raises(subprocess.CalledProcessError):
        await asyncio.to_thread(run_key, stack.data_dir, "create", "a test", "--scopes", "users,everything")


async def test_a_revoked_key_ends_at_once_and_others_stay(stack: SharedStack) -> None:
    key, other = await asyncio.gather(
        *(asyncio.to_thread(new_key, stack.data_dir, "users") for _ in range(2))
    )

    async def status(of: str) -> int:
        async with host_with(stack.url, of) as host:
            return (await host.get("/server/users", limit=1)).status

    assert [await status(key), await status(other)] == [200, 200]
    await asyncio.to_thread(run_key, stack.data_dir, "revoke", key.split("_")[1])

    async def is_refused() -> bool:
        return await status(key) == 401

    # Without the message about it, a gateway would accept it for a minute.
    await eventually(is_refused)
    assert await status(other) == 200


async def test_a_scope_opens_its_own_routes_alone(stack: SharedStack) -> None:
    key = await asyncio.to_thread(new_key, stack.data_dir, "conversations")
    async with host_with(stack.url, key) as host:
        refused = await host.get("/server/users")
        assert (refused.status, refused.body["code"]) == (403, "key_scope")
        assert (await host.get("/server/conversations/by-key/none")).status == 404


async def test_a_key_opens_no_other_door(stack: SharedStack) -> None:
    key = await asyncio.to_thread(new_key, stack.data_dir)
    async with host_with(stack.url, key) as host:
        for path in ("/conversations", "/users/me"):
            refused = await host.get(path)
            assert refused.status == 401
            assert "/server" in refused.body["errors"]["Authorization"][0]
        socket = await host.open(f"/ws?token={key}")
        assert (await socket.wait_end()).code == 1008
        refused = await host.call("GET", "/server/users", headers={"Origin": stack.url})
        assert refused.status == 403


async def test_a_users_token_does_not_open_the_servers_door(stack: SharedStack, one: User) -> None:
    refused = await one.get("/server/users")
    assert refused.status == 401
    assert "server key" in refused.body["errors"]["Authorization"][0]


@pytest.mark.parametrize("key", ["msk_", "msk_x", "msk_000000000000_" + "a" * 42])
async def test_a_malformed_key_is_refused(stack: SharedStack, key: str) -> None:
    async with host_with(stack.url, key) as host:

        async def is_refused() -> bool:
            # It is 429 for a while if other tests have sent wrong keys.
            return (await host.get("/server/users")).status == 401

        await eventually(is_refused)


async def guess(stack: SharedStack) -> int:
    async with host_with(stack.url, random_key()) as host:
        return (await host.get("/server/users")).status


async def test_guesses_are_limited_and_a_right_key_still_works(stack: SharedStack) -> None:
    key = await asyncio.to_thread(new_key, stack.data_dir, "users")
    async with host_with(stack.url, key) as right:
        # Each of the two gateway workers has to know it.
        await asyncio.gather(*(right.get("/server/users", limit=1) for _ in range(20)))
        # More than both gateway workers allow, and faster than they allow more.
        assert set(await asyncio.gather(*(guess(stack) for _ in range(MANY)))) == {401, 429}
        assert (await right.get("/server/users", limit=1)).status == 200
    # New keys of this address work again soon.
    other = await asyncio.to_thread(new_key, stack.data_dir, "users")

    async def is_accepted() -> bool:
        async with host_with(stack.url, other) as host:
            return (await host.get("/server/users", limit=1)).status == 200

    for _ in range(10):
        await eventually(is_accepted)
