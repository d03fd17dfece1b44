"""What alerts and the dashboard ask for, at a running stack; a closed way to Redis shows there, and heals."""

from __future__ import annotations

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
from tests.deploy.test_observability import RULES, queries
from tests.e2e.crowd import Crowd, gathered_at
from tests.stack import RunningStack, running_stack
from tests.waiting import eventually

NOTICED_S = 10.0
EXPRESSIONS = [rule["expr"] for rule in RULES] + queries()
SELECTOR = re.compile(r"\b(messenger_\w+)(?:\{([^}]*)\})?")
MATCHER = re.compile(r'(\w+)=~?"([^"]*)"')
GROUPING = re.compile(r"\bby \(([^)]*)\)")
# Prometheus itself knows where it asked, and a bucket's bound is the library's.
GIVEN = {"job", "instance", "le"}

# Name of a figure -> the labels of each of its samples, and the service as `job`.
Samples = dict[str, list[dict[str, str]]]


@pytest.fixture
async def stack(tmp_path: Path) -> AsyncIterator[RunningStack]:
    """One of its own, for what it has to bear."""
    async with running_stack(tmp_path / "data", unused_port(), "gateway=1,chat-api=1,presence=1") as stack:
        yield stack


@pytest.fixture
async def crowd(stack: RunningStack) -> AsyncIterator[Crowd]:
    async with gathered_at(stack) as crowd:
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


async def go_unanswered(stack: RunningStack, crowd: Crowd) -> None:
    """Nobody answers a request: only then there is a figure of such."""
    [worker] = await stack.pids("chat-api", "worker")
    os.kill(worker, signal.SIGSTOP)
    try:
        assert (await crowd.newcomer().get("/conversations")).status in (503, 504)
    finally:
        os.kill(worker, signal.SIGCONT)


def unanswerable(expression: str, samples: Samples) -> list[str]:
    """What the expression asks for, and nobody tells."""
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
    await go_unanswered(stack, crowd)

    # Its own ticks and looks take a moment.
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
