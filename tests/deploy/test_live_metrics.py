"""A running stack has every metric that alerts and the dashboard ask for; a lost Redis connection shows
there.
"""

from __future__ import annotations

import asyncio
import json
import os
import re
import signal
from collections import defaultdict
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest
from aiohttp.test_utils import unused_port
from prometheus_client.parser import text_string_to_metric_families
from redis.asyncio import Redis

from messenger_local.services import SERVICES
from tests.client import User
from tests.deploy.test_observability import RULES, queries
from tests.e2e.crowd import Crowd, open_crowd_at
from tests.e2e.hosts import host_with, new_key
from tests.e2e.server_requests import NOWHERE
from tests.s3.running import running_s3
from tests.stack import RunningStack, running_stack
from tests.waiting import eventually

NOTICED_S = 10.0
EXPRESSIONS = [rule["expr"] for rule in RULES] + queries()
SELECTOR = re.compile(r"\b(messenger_\w+)(?:\{([^}]*)\})?")
MATCHER = re.compile(r'(\w+)=~?"([^"]*)"')
GROUPING = re.compile(r"\bby \(([^)]*)\)")
# Prometheus adds the first two itself, and the bucket's bound comes from the library.
GIVEN = {"job", "instance", "le"}

# Metric name -> the labels of each of its samples, with the service as `job`.
Samples = dict[str, list[dict[str, str]]]


@pytest.fixture
async def stack(tmp_path: Path) -> AsyncIterator[RunningStack]:
    """Yields a stack of its own, since the test breaks it; with all that has metrics of its own.

    That is an S3 store, and a host that is asked before messages are stored, but isn't there.
    """
    workers = "gateway=1,chat-api=1,presence=1,feed=1"
    env = {
        "MESSENGER_BEFORE_SEND_URL": f"http://127.0.0.1:{unused_port()}",
        "MESSENGER_BEFORE_SEND_SECRET": "whsec_" + "A" * 32,
    }
    with running_s3() as store:
        async with running_stack(tmp_path / "data", unused_port(), workers, store.variables() | env) as stack:
            yield stack


@pytest.fixture
async def crowd(stack: RunningStack) -> AsyncIterator[Crowd]:
    async with open_crowd_at(stack) as crowd:
        yield crowd


def address(stack: RunningStack, service: str) -> str:
    ports = json.loads((stack.data_dir / "run" / "ports.json").read_text())
    return stack.url if service == "gateway" else f"http://127.0.0.1:{ports[service]}"


async def scrape(stack: RunningStack) -> Samples:
    found: Samples = defaultdict(list)
    async with aiohttp.ClientSession() as http:
        for service in SERVICES:
            async with http.get(f"{address(stack, service)}/metrics") as response:
                for family in text_string_to_metric_families(await response.text()):
                    for sample in family.samples:
                        found[sample.name].append({**sample.labels, "job": service})
    return found


async def use_a_server_key(stack: RunningStack, user: User) -> None:
    """Makes requests of a host: only then the metrics of operations, and of a webhook, exist."""
    key = await asyncio.to_thread(new_key, stack.data_dir, "users", "export")
    async with host_with(stack.url, key) as host:
        body = {"users": [{"id": user.user_id, "name": "Ada"}]}
        assert (await host.call("PUT", "/server/users", body=body)).status == 200
        webhook = {"url": NOWHERE, "types": ["message.new"]}
        assert (await host.call("PUT", "/server/webhooks/w", body=webhook)).status == 200


async def go_unanswered(stack: RunningStack, crowd: Crowd) -> None:
    """Makes requests that no worker answers: only then this metric exists."""
    [worker] = stack.pids("chat-api", "worker")
    os.kill(worker, signal.SIGSTOP)
    try:
        assert (await crowd.newcomer().get("/conversations")).status in (503, 504)
    finally:
        os.kill(worker, signal.SIGCONT)


def unanswerable(expression: str, samples: Samples) -> list[str]:
    """Returns the metrics and labels that the expression asks for and that no service exports."""
    wrong = []
    grouped = {label for text in GROUPING.findall(expression) for label in text.replace(" ", "").split(",")}
    for name, matchers in SELECTOR.findall(expression):
        told = samples.get(name, [])
        if not told:
            wrong.append(name)
            continue
        lacking = {label for label in grouped - GIVEN if not all(label in labels for labels in told)}
        wrong += [f"{name} by {label}" for label in lacking]
        wanted = [(label, value) for label, text in MATCHER.findall(matchers) for value in text.split("|")]
        wrong += [
            f"{name} with {label}={value}"
            for label, value in wanted
            if not any(labels.get(label) == value for labels in told)
        ]
    return wrong


async def test_a_stack_tells_all_that_alerts_and_the_dashboard_ask_for(
    stack: RunningStack, crowd: Crowd
) -> None:
    one, two = crowd.newcomers(2)
    room = await one.create_group(two.user_id)
    socket, other = await one.connect(), await two.connect()
    await socket.request("message.send", conversation_id=room, content="x")
    await other.expect("message.new")
    await use_a_server_key(stack, one)
    await go_unanswered(stack, crowd)

    # The services' own ticks and probes take a moment.
    async def are_all_told() -> bool:
        samples = await scrape(stack)
        return not [what for expression in EXPRESSIONS for what in unanswerable(expression, samples)]

    try:
        await eventually(are_all_told, NOTICED_S)
    except AssertionError:
        samples = await scrape(stack)
        assert not {what for expression in EXPRESSIONS for what in unanswerable(expression, samples)}


def test_what_nobody_tells_is_seen() -> None:
    samples = {"messenger_ready": [{"check": "redis", "job": "gateway"}]}
    assert unanswerable('messenger_ready{check=~"redis|fax"} == 0', samples) == [
        "messenger_ready with check=fax"
    ]
    assert unanswerable("sum by (job, colour) (messenger_ready)", samples) == ["messenger_ready by colour"]
    assert unanswerable("rate(messenger_unheard_total[5m])", samples) == ["messenger_unheard_total"]
    assert unanswerable('min by (job, check) (messenger_ready{job="gateway"})', samples) == []


async def test_a_gateway_whose_way_to_redis_is_closed_is_not_ready_until_it_is_open(
    stack: RunningStack,
) -> None:
    async def is_ready(wanted: bool) -> bool:
        async with aiohttp.ClientSession() as http, http.get(f"{stack.url}/readyz") as response:
            checks = (await response.json())["checks"]
            return (response.status == 200, checks["redis"]) == (wanted, wanted)

    async with Redis.from_url(stack.redis_url) as redis:
        await redis.execute_command("ACL", "SETUSER", "gateway", "off")
        assert await redis.execute_command("CLIENT", "KILL", "USER", "gateway") >= 2
        await eventually(lambda: is_ready(False), NOTICED_S)
        await redis.execute_command("ACL", "SETUSER", "gateway", "on")
    await eventually(lambda: is_ready(True), NOTICED_S)
