"""Pushes that fail, come late, or are repeated: with a real PostgreSQL and a push service on loopback."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from chat_api.feed.push import ledger
from chat_api.feed.push.ledger import LEASE_S
from messenger_shared.postgres.database import Database
from tests.integration.pushing import Pushing, pushing
from tests.push.service import Answer
from tests.waiting import until

ADA, BO, CY = 1, 2, 3


@pytest.fixture
async def world(database: Database, database_url: str) -> AsyncIterator[Pushing]:
    async with pushing(database, database_url) as made:
        yield made


async def test_a_late_dismissal_does_not_close_what_is_newer(world: Pushing) -> None:
    room = await world.group(ADA, BO)
    bo = await world.browser(BO)
    await world.send(room, ADA, "one")
    await world.settle(room)
    bo.plan.append(Answer(503))
    await world.read(room, BO, 1)
    await world.push_due()
    assert [row[0] for row in world.queued] == ["read"]
    await world.send(room, ADA, "two")
    await world.settle(room)
    world.pass_time(60)
    await world.push_due()
    assert [one["type"] for one in bo.payloads] == ["message", "message"]
    assert world.queued == []


async def test_a_device_that_is_gone_is_removed_and_others_are_tried_again(world: Pushing) -> None:
    room = await world.group(ADA, BO)
    found = [await world.browser(BO) for _ in range(6)]
    plans: list[Answer | None] = [
        *(Answer(404), Answer(410), Answer(400)),
        *(Answer(429, "120"), Answer(500), None),
    ]
    for browser, plan in zip(found, plans, strict=True):
        browser.plan.extend([plan] if plan else [])
    await world.send(room, ADA, "hello")
    await world.settle(room)
    assert [browser.answered for browser in found] == [[404], [410], [400], [429], [500], [201]]
    endpoints = {row[0] for row in world.run("SELECT endpoint FROM messenger.push_subscriptions")}
    assert endpoints == {browser.endpoint for browser in found[2:]}
    # Each is tried again alone, after what the service asked for or a pause with jitter.
    pauses = sorted((row[3], row[4]) for row in world.queued)
    assert [attempt for attempt, _ in pauses] == [1, 1]
    assert 3 <= pauses[0][1] <= 7
    assert 118 <= pauses[1][1] <= 120
    world.pass_time(8)
    await world.push_due()
    assert [len(browser.answered) for browser in found] == [1, 1, 1, 1, 2, 1]
    world.pass_time(120)
    await world.push_due()
    assert found[3].payloads == found[4].payloads == found[5].payloads
    assert world.queued == []


async def test_what_was_read_before_the_next_attempt_is_not_pushed(world: Pushing) -> None:
    room = await world.group(ADA, BO)
    bo = await world.browser(BO)
    bo.plan.extend([Answer(503), Answer(503)])
    await world.send(room, ADA, "hello")
    await world.settle(room)
    await world.read(room, BO, 1)
    # The dismissal fails too, and the message isn't tried again.
    await world.push_due()
    world.pass_time(20)
    await world.push_due()
    assert bo.answered == [503, 503, 201]
    assert [one["type"] for one in bo.payloads] == ["read"]


async def test_attempts_end_with_the_life_of_the_push(world: Pushing) -> None:
    room = await world.group(ADA, BO)
    bo = await world.browser(BO)
    bo.plan.extend([Answer(503), Answer(429, "90000")])
    await world.send(room, ADA, "hello")
    await world.settle(room)
    world.run("UPDATE messenger.push_queue SET due_at = now()")
    await world.push_due()
    assert bo.answered == [503, 429]
    assert world.queued == []


async def test_a_crash_loses_nothing(world: Pushing) -> None:
    room = await world.group(ADA, BO)
    bo = await world.browser(BO)
    await world.send(room, ADA, "hello")
    await world.plan(room)
    world.pass_time()
    # Somebody takes it, and is never heard of again.
    assert len(await world.queue.take(10, 30.0)) == 1
    assert await world.push_due() == 0
    world.pass_time(30)
    assert await world.push_due() == 1
    assert [one["text"] for one in bo.payloads] == ["hello"]
    # Somebody has pushed, and died before that was written down.
    await world.send(room, ADA, "again")
    await world.plan(room)
    world.pass_time()
    [job] = await world.queue.take(10, 30.0)
    await world.pusher.push([job])
    async with asyncio.timeout(20):
        await world.outbox.is_empty()
    world.run(
        "INSERT INTO messenger.push_queue (kind, conversation_id, seq) VALUES ('message', %s, 2)",
        room,
    )
    await world.push_due()
    assert [one["text"] for one in bo.payloads] == ["hello", "again", "again"]


async def test_a_lease_is_renewed_while_a_job_is_open(
    database: Database, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ledger, "RENEW_S", 0.02)
    async with pushing(database, database_url) as world:
        room = await world.group(ADA, BO)
        await world.browser(BO)
        await world.send(room, ADA, "hello")
        await world.plan(room)
        world.pass_time()
        jobs = await world.queue.take(10, LEASE_S)
        with world.ledger.opened(jobs):
            world.pass_time(LEASE_S - 5)
            await until(lambda: world.queued[0][4] > 5)
        await world.ledger.write()
        assert world.queued == []


async def test_a_job_that_is_taken_twice_is_pushed_once(world: Pushing) -> None:
    room = await world.group(ADA, BO)
    bo = await world.browser(BO)
    await world.send(room, ADA, "hello")
    await world.plan(room)
    world.pass_time()
    jobs = await world.queue.take(10, LEASE_S)
    # The lease ends once while the job is open, and once when it is done and that isn't written down.
    with world.ledger.opened(jobs):
        world.pass_time(LEASE_S)
        assert await world.push_due() == 1
        assert len(world.queued) == 1
    world.pass_time(LEASE_S)
    assert await world.push_due() == 1
    assert (bo.arrived, world.queued) == ([], [])


async def test_who_looks_is_pushed_if_a_gateway_does_not_say_so(world: Pushing) -> None:
    room = await world.group(ADA, BO, CY)
    bo, cy = await world.browser(BO), await world.browser(CY)
    world.eyes.looking.add((room, CY))
    world.eyes.is_complete = False
    await world.send(room, ADA, "hello")
    await world.settle(room)
    # What one gateway has said counts, also if another is silent.
    assert (len(bo.arrived), len(cy.arrived)) == (1, 0)
    said = dict(world.run("SELECT user_id, rules FROM messenger.push_decisions"))
    assert said == {BO: ["?looking"], CY: ["looking"]}
