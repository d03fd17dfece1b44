"""`messenger up` as a whole: what it prints, what survives it, what it leaves behind."""

import os
import signal
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import aiohttp
import pytest
import pytest_asyncio

from chat_api.check import RULES
from tests.e2e.crowd import open_crowd
from tests.local.conftest import is_running, verify
from tests.stack import STOP_LIMIT_S, RunningStack, StackFailed, launch, running_stack
from tests.waiting import until

WORKERS = "gateway=2,chat-api=1,presence=1,feed=1,redis=2"
RESTART_LIMIT_S = 30.0
TOKEN_PATH = "/api/v1/messenger/dev/token"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def stack(
    tmp_path_factory: pytest.TempPathFactory, unused_tcp_port_factory: Callable[[], int]
) -> AsyncIterator[RunningStack]:
    """Yields a stack for the tests that leave it running."""
    data_dir = tmp_path_factory.mktemp("whole") / "data"
    async with running_stack(data_dir, unused_tcp_port_factory(), WORKERS) as running:
        yield running


@pytest.fixture
async def own_stack(
    tmp_path: Path, unused_tcp_port_factory: Callable[[], int]
) -> AsyncIterator[RunningStack]:
    """Yields a stack of the test's own, which it may end."""
    async with running_stack(tmp_path / "data", unused_tcp_port_factory(), WORKERS) as running:
        yield running


async def all_pids(stack: RunningStack) -> list[int]:
    return [row["pid"] for row in (await stack.status())["processes"]]


async def post_token(stack: RunningStack, body: Any, **headers: str) -> tuple[int, dict[str, Any]]:
    url = stack.url + TOKEN_PATH
    async with aiohttp.ClientSession() as http, http.post(url, json=body, headers=headers) as response:
        return response.status, await response.json(content_type=None)


async def test_it_says_where_it_is_and_as_which_processes_it_runs(stack: RunningStack) -> None:
    for user_id in (1, 2):
        assert f"{stack.url}/?user_id={user_id}" in stack.output
    rows = (await stack.status())["processes"]
    counted = sorted((row["service"], row["role"]) for row in rows)
    assert counted == [
        ("chat-api", "master"),
        ("chat-api", "worker"),
        ("feed", "master"),
        ("feed", "worker"),
        ("gateway", "master"),
        ("gateway", "worker"),
        ("gateway", "worker"),
        ("postgres", "server"),
        ("presence", "master"),
        ("presence", "worker"),
        ("redis", "server"),
        ("redis-2", "server"),
    ]
    assert all(is_running(row["pid"]) for row in rows)
    assert len({urlsplit(url).port for url in stack.redis_url.split(",")}) == 2
    assert " error " not in stack.output


async def test_presence_and_the_feed_stand_back_behind_the_others_and_are_never_left_without(
    stack: RunningStack,
) -> None:
    rows = (await stack.status())["processes"]
    assert {os.sched_getscheduler(row["pid"]) for row in rows} == {os.SCHED_OTHER}
    niceness = {row["service"]: os.getpriority(os.PRIO_PROCESS, row["pid"]) for row in rows}
    ours = os.getpriority(os.PRIO_PROCESS, 0)
    assert niceness.pop("presence") == niceness.pop("feed") == ours + 5
    assert set(niceness.values()) == {ours}


async def test_what_the_service_wrote_stands_the_audit(stack: RunningStack) -> None:
    async with open_crowd(stack.url, lambda _: "") as crowd:
        one, two = crowd.newcomers(2)
        one.token, two.token = [await stack.token(user.user_id) for user in (one, two)]
        group = await one.create_group(two.user_id)
        for text in ("a", "b"):
            await one.post(f"/conversations/{group}/messages", {"content": text})
        await two.call("PUT", f"/conversations/{group}/read", body={"seq": 1})
        await two.call("DELETE", f"/conversations/{group}")
    assert await stack.command("check") == f"{len(RULES)} rules, 0 findings\n"


async def test_redis_servers_of_ones_own_take_the_place_of_the_embedded_ones(
    stack: RunningStack, tmp_path: Path, unused_tcp_port_factory: Callable[[], int]
) -> None:
    port = unused_tcp_port_factory()
    async with running_stack(tmp_path / "other", port, "chat-api=1", redis=stack.redis_url) as other:
        status = await other.status()
        assert status["redis_url"] == stack.redis_url
        assert not any(row["service"].startswith("redis") for row in status["processes"])


async def test_the_demo_gets_tokens_and_strangers_do_not(stack: RunningStack) -> None:
    status, answer = await post_token(stack, {"user_id": 5})
    secret = (stack.data_dir / "secret").read_text().strip().encode()
    assert status == 201
    assert verify(answer["token"], secret).user_id == answer["user_id"] == 5
    assert answer["expires_at"].endswith("Z")
    bad: Any
    for bad in ({}, {"user_id": "5"}, {"user_id": 0}, {"user_id": True}, {"user_id": 2**53}, []):
        status, answer = await post_token(stack, bad)
        assert (status, answer["code"]) == (422, "invalid_frame")
    assert (await post_token(stack, {"user_id": 5}, Origin="https://evil.example"))[0] == 403
    assert (await post_token(stack, {"user_id": 5}, Origin=stack.url))[0] == 201


@pytest.mark.parametrize("how", ["SIGINT to the group", "SIGINT", "SIGTERM", "SIGHUP"])
async def test_every_way_to_stop_it_leaves_nobody(own_stack: RunningStack, how: str) -> None:
    pids = await all_pids(own_stack)
    if "group" in how:
        os.killpg(own_stack.process.pid, signal.SIGINT)
        await until(lambda: own_stack.process.returncode is not None, STOP_LIMIT_S)
        assert own_stack.process.returncode == 0
    else:
        await own_stack.stop(signal.Signals[how])
    assert not any(is_running(pid) for pid in pids)
    assert " error " not in own_stack.output
    order = ["gateway", "feed", "presence", "chat-api", "redis-2", "redis\n", "postgres"]
    assert sorted(order, key=lambda name: own_stack.output.index(f"stopping {name}")) == order
    with pytest.raises(StackFailed, match="no stack is running"):
        await own_stack.status()


async def test_frozen_processes_do_not_hold_up_the_stop(own_stack: RunningStack) -> None:
    pids = await all_pids(own_stack)
    for pid in pids:
        os.kill(pid, signal.SIGSTOP)
    assert await own_stack.stop() < STOP_LIMIT_S
    assert not any(is_running(pid) for pid in pids)


async def test_a_lead_that_is_killed_takes_all_with_it_and_the_next_start_works(
    own_stack: RunningStack,
) -> None:
    pids = await all_pids(own_stack)
    token = await own_stack.token(9)
    await own_stack.kill()
    port = int(own_stack.url.rpartition(":")[2])
    async with running_stack(own_stack.data_dir, port, WORKERS) as again:
        assert not any(is_running(pid) for pid in pids)
        secret = (again.data_dir / "secret").read_text().strip().encode()
        assert verify(token, secret).user_id == 9
    # The fixture stops this stack, but would find the killed one.
    own_stack.process = again.process


async def test_a_killed_master_is_replaced_and_its_workers_do_not_survive(own_stack: RunningStack) -> None:
    master = own_stack.pids("gateway", "master")[0]
    workers = own_stack.pids("gateway", "worker")
    os.kill(master, signal.SIGKILL)
    await until(lambda: not any(is_running(pid) for pid in workers))
    await until(lambda: "gateway ended by SIGKILL, starting it again" in own_stack.output)
    await until(lambda: own_stack.output.count("gateway   info     Booting worker") == 4, RESTART_LIMIT_S)
    assert own_stack.pids("gateway", "master")[0] != master


async def test_a_second_stack_is_refused_in_one_line(
    stack: RunningStack, unused_tcp_port_factory: Callable[[], int], tmp_path: Path
) -> None:
    same_directory = await launch(stack.data_dir, unused_tcp_port_factory())
    assert await same_directory.process.wait() == 1
    assert "is in use by another running stack" in same_directory.output
    same_port = await launch(tmp_path / "other", int(stack.url.rpartition(":")[2]))
    assert await same_port.process.wait() == 1
    assert same_port.output.startswith("messenger: cannot listen on 127.0.0.1:")
    assert "Address already in use" in same_port.output


async def test_two_stacks_side_by_side_do_not_disturb_each_other(
    stack: RunningStack, unused_tcp_port_factory: Callable[[], int], tmp_path: Path
) -> None:
    pids = await all_pids(stack)
    home = tmp_path / "home"
    home.mkdir(mode=0o500)
    env = {"HOME": str(home)}
    async with running_stack(tmp_path / "a b" / "c", unused_tcp_port_factory(), WORKERS, env) as other:
        assert not set(pids) & set(await all_pids(other))
        assert other.redis_url != stack.redis_url
    assert pids == await all_pids(stack)
    assert not list(home.iterdir())


async def test_a_service_that_cannot_start_ends_the_start_with_its_reason(
    tmp_path: Path, unused_tcp_port_factory: Callable[[], int]
) -> None:
    env = {"MESSENGER_MESSAGES_PER_S": "many"}
    failing = await launch(tmp_path / "data", unused_tcp_port_factory(), WORKERS, env)
    with pytest.raises(
        StackFailed, match=r"gateway ended 3 times while starting; .*MESSENGER_MESSAGES_PER_S"
    ):
        await failing.wait_ready()
    assert failing.process.returncode == 1
