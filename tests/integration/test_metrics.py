"""/metrics gives the metrics of all workers of a service, whichever of them is asked."""

from __future__ import annotations

import os
import signal

from tests.client import User
from tests.conftest import SharedStack
from tests.e2e.crowd import open_crowd
from tests.e2e.placement import connect_apart, worker_of
from tests.metrics import scrape_metrics
from tests.waiting import eventually

ASKED = 8


async def talk(sender: User, others: list[User]) -> None:
    socket = await others[0].connect()
    group = await sender.create_group(*(other.user_id for other in others))
    await sender.post(f"/conversations/{group}/messages", {"content": "x"})
    await socket.expect("message.new")


async def all_tell(stack: SharedStack, connections: int) -> bool:
    """Whether every worker tells of this number of sockets in all."""
    told = [(await scrape_metrics(stack))["messenger_connections"] for _ in range(ASKED)]
    return set(told) == {connections}


async def test_whoever_is_asked_tells_of_all_workers(stack: SharedStack) -> None:
    async with open_crowd(stack.url, stack.token) as crowd:
        # Sockets of earlier tests may still be closing.
        await eventually(lambda: all_tell(stack, 0))
        pids = await stack.workers("gateway")
        sockets = await connect_apart(crowd.newcomer(), pids)
        await eventually(lambda: all_tell(stack, len(sockets)))
        assert {worker_of(socket, pids) for socket in sockets} == set(pids)


async def test_the_sockets_of_a_killed_worker_are_counted_no_more(stack: SharedStack) -> None:
    async with open_crowd(stack.url, stack.token) as crowd:
        await eventually(lambda: all_tell(stack, 0))
        pids = await stack.workers("gateway")
        sockets = await connect_apart(crowd.newcomer(), pids)
        os.kill(worker_of(sockets[0], pids), signal.SIGKILL)
        await sockets[0].wait_end()
        await eventually(lambda: all_tell(stack, len(sockets) - 1))


async def test_a_message_is_counted_in_the_metrics_of_each_service(stack: SharedStack) -> None:
    before, stored = await scrape_metrics(stack), await scrape_metrics(stack, "chat-api")
    async with open_crowd(stack.url, stack.token) as crowd:
        await talk(crowd.newcomer(), crowd.newcomers(1))
    after, then = await scrape_metrics(stack), await scrape_metrics(stack, "chat-api")
    for name in ("messenger_delivery_seconds_count", "messenger_deliveries_total"):
        assert after[name] > before.get(name, 0)
    for name in ("messenger_send_batch_size_count", "messenger_pool_wait_seconds_count"):
        assert then[name] > stored.get(name, 0)
    assert after["messenger_delivery_seconds_sum"] - before.get("messenger_delivery_seconds_sum", 0) < 5
    assert then["messenger_sends_waiting"] == 0


async def test_each_service_tells_of_its_needs_its_loop_and_its_bus(stack: SharedStack) -> None:
    needs = {
        "gateway": ["redis", "chat-api"],
        "chat-api": ["redis", "postgresql"],
        "presence": ["redis"],
        "feed": ["redis", "postgresql"],
    }
    for service, checks in needs.items():

        async def is_told(service: str = service, checks: list[str] = checks) -> bool:
            told = await scrape_metrics(stack, service)
            counts = [
                told.get(f"messenger_{name}_seconds_count", 0) for name in ("loop_lag", "bus_round_trip")
            ]
            return (
                all(told.get(f"messenger_ready{check}") == 1 for check in checks)
                and min(*counts, told.get("messenger_tasks", 0)) > 0
            )

        await eventually(is_told, 10)
