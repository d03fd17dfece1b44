"""What an operator sets for host applications: the ids in tokens, the directory, and the server's door."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote

from messenger_shared.contract import tokens
from tests.client import User
from tests.e2e.crowd import Crowd, open_crowd_at
from tests.e2e.hosts import host_with, new_key
from tests.stack import RunningStack, running_stack

WORKERS = "gateway=2,chat-api=1,presence=1"
NAME = "Ada Lovelace"


async def newcomer(crowd: Crowd, stack: RunningStack, subject: str, **claims: str) -> User:
    """The user whom the host knows as `subject`, under the id that the service gives them."""
    secret = (stack.data_dir / "secret").read_text().strip().encode()
    user = crowd.newcomer()
    user.token = tokens.mint(subject, secret, 60, **claims)
    me = (await user.get("/users/me")).body
    assert me["external_id"] == subject
    user.user_id = me["id"]
    return user


async def test_users_come_under_the_hosts_own_ids(
    tmp_path: Path, unused_tcp_port_factory: Callable[[], int]
) -> None:
    env = {"MESSENGER_USER_IDS": "external", "MESSENGER_DIRECTORY": "everyone"}
    port = unused_tcp_port_factory()
    async with running_stack(tmp_path / "data", port, WORKERS, env) as stack, open_crowd_at(stack) as crowd:
        ada, bo = "ada/1 ä", secrets.token_hex(8)
        one = await newcomer(crowd, stack, ada, name=NAME)
        two = await newcomer(crowd, stack, bo)
        assert two.user_id > one.user_id > 2**52
        found = await two.get("/users", q="love")
        assert [(user["id"], user["name"]) for user in found.body["items"]] == [(one.user_id, NAME)]

        room = await one.create_group(two.user_id)
        socket = await two.open(f"/ws/{bo}", two.bearer)
        await socket.expect("system", event="connected", user_id=two.user_id)
        await one.post(f"/conversations/{room}/messages", {"content": "hello"})
        frame = await socket.expect("message.new", conversation_id=room)
        assert frame["data"]["sender_id"] == one.user_id
        other = await one.open(f"/ws/{bo}", one.bearer)
        assert (await other.wait_end()).code == 1008

        key = await asyncio.to_thread(new_key, stack.data_dir)
        async with host_with(stack.url, key) as host:
            [known] = (await host.get("/server/users", external_ids=ada)).body["items"]
            assert known["id"] == one.user_id
            unknown = {"type": "group", "title": "x", "participant_ids": [one.user_id, 1]}
            refused = await host.call("PUT", "/server/conversations/by-key/k", body=unknown)
            assert refused.body["code"] == "unknown_user"
            one.token = (await host.post(f"/server/users/{one.user_id}/token", {})).body["token"]
        assert (await one.get("/users/me")).body["external_id"] == ada


async def test_directory_servers_door_and_observers_reactions_can_be_off(
    tmp_path: Path, unused_tcp_port_factory: Callable[[], int]
) -> None:
    env = {"MESSENGER_SERVER_API": "0", "MESSENGER_DIRECTORY": "off", "MESSENGER_OBSERVERS_REACT": "0"}
    port = unused_tcp_port_factory()
    async with running_stack(tmp_path / "data", port, WORKERS, env) as stack, open_crowd_at(stack) as crowd:
        one, two = crowd.newcomers(2)
        room = await one.create_group(two.user_id)
        message = (await one.post(f"/conversations/{room}/messages", {"content": "hello"})).body["id"]
        react = f"/messages/{message}/reactions/{quote('👍')}"
        assert (await two.call("PUT", react)).status == 200
        role = {"role": "observer"}
        await one.call("PATCH", f"/conversations/{room}/participants/{two.user_id}", body=role)
        assert (await two.call("PUT", react)).body["code"] == "forbidden"
        assert (await one.get("/users", q="a")).body["code"] == "forbidden"
        assert len((await one.get("/users", ids=str(two.user_id))).body["items"]) == 1
        key = await asyncio.to_thread(new_key, stack.data_dir)
        async with host_with(stack.url, key) as host:
            # There is such a user, so it's the route that isn't there.
            assert (await host.get(f"/server/users/{one.user_id}")).status == 404
