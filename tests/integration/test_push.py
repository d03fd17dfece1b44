"""Push with a real PostgreSQL and a push service on loopback: what is pushed to whom, and what follows."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from messenger_shared.postgres.database import Database
from tests.integration.pushing import Pushing, pushing

ADA, BO, CY = 1, 2, 3


@pytest.fixture
async def world(database: Database, database_url: str) -> AsyncIterator[Pushing]:
    async with pushing(database, database_url) as made:
        yield made


async def test_a_message_is_pushed_once_to_each_device_of_the_others(world: Pushing) -> None:
    room = await world.group(ADA, BO, CY)
    own, one, two, third = [await world.browser(user) for user in (ADA, BO, BO, CY)]
    message_id = await world.send(room, ADA, "Is there any left?")
    await world.plan(room)
    # Nothing is due before three seconds have passed.
    assert await world.push_due() == 0
    world.pass_time()
    assert await world.push_due() == 1
    assert await world.push_due() == 0
    assert own.arrived == []
    for browser in (one, two, third):
        assert browser.payloads == [
            {
                "type": "message",
                "conversation_id": room,
                "message_id": message_id,
                "seq": 1,
                "badge": 1,
                "mention": False,
                "conversation": {"type": "group", "title": "Tea"},
                "sender": {"id": ADA, "name": None},
                "message_type": "text",
                "text": "Is there any left?",
            }
        ]
        [arrived] = browser.arrived
        assert (arrived.topic, arrived.urgency) == (room.replace("-", ""), "normal")
        assert 86_390 <= arrived.ttl_s <= 86_397
        assert arrived.claims["sub"] == "mailto:ops@example.com"
        assert arrived.key == await world.keys.current()
    assert world.queued == []
    assert world.eyes.asked == [{room: [BO, CY]}]
    # The consumer has nothing more to do.
    await world.settle(room)
    assert len(one.arrived) == 1


# Who is in the room: which rules stand out for them.
REASONS: dict[str, list[str]] = {
    "pushed": [],
    "read": ["read", "?looking"],
    "muted": ["muted", "?looking"],
    "mute over": [],
    "off": ["push_disabled", "?looking"],
    "none": ["notify", "?looking"],
    "mentions": ["notify", "?looking"],
    "quiet": ["quiet_hours", "?looking"],
    "awake": [],
    "looks": ["looking"],
}


async def settle_with_reasons(world: Pushing, room: str, users: dict[str, int], left: int) -> None:
    """Sends a message to people with reasons, and lets it be decided about."""
    for name, settings in (
        ("muted", {"muted": True}),
        ("mute over", {"muted": True, "muted_until": "2025-01-01T00:00:00+00:00"}),
        ("off", {"push_enabled": False}),
        ("none", {"notify": "none"}),
        ("mentions", {"notify": "mentions"}),
    ):
        await world.set(room, users[name], **settings)
    for name, start, end in (("quiet", "00:00", "24:00"), ("awake", "12:00", "12:00")):
        hours = (users[name], start, end)
        world.run("INSERT INTO messenger.push_settings VALUES (%s, %s, %s, 'Asia/Seoul')", *hours)
    world.eyes.looking.add((room, users["looks"]))
    await world.send(room, ADA, "hello")
    await world.plan(room)
    await world.read(room, users["read"], 1)
    world.run("UPDATE messenger.conversation_participants SET left_at = now() WHERE user_id = %s", left)
    world.pass_time()
    await world.push_due()


async def test_who_should_not_be_pushed_is_not(world: Pushing) -> None:
    """The facts that the rules ask for are those in the database."""
    users = {name: BO + number for number, name in enumerate(REASONS)}
    leaving = 99
    room = await world.group(ADA, *users.values(), leaving)
    browsers = {name: await world.browser(user) for name, user in users.items()}
    left = await world.browser(leaving)
    await settle_with_reasons(world, room, users, leaving)
    pushed = {name for name, rules in REASONS.items() if not rules}
    assert {name for name, browser in browsers.items() if browser.arrived} == pushed
    assert left.arrived == []
    # Whose other rules said no isn't asked about.
    assert world.eyes.asked == [{room: [users[name] for name in REASONS if name in {*pushed, "looks"}]}]
    said = dict(world.run("SELECT user_id, rules FROM messenger.push_decisions"))
    assert {name: said[user] for name, user in users.items()} == REASONS
    assert said[leaving] == ["not_a_member", "?looking"]
    shown = {user for [user] in world.run("SELECT user_id FROM messenger.push_shown")}
    assert shown == {users[name] for name in pushed}


async def test_a_mention_reaches_who_wants_only_mentions(world: Pushing) -> None:
    room = await world.group(ADA, BO, CY)
    bo, cy = await world.browser(BO), await world.browser(CY)
    for user in (BO, CY):
        await world.set(room, user, notify="mentions")
    await world.send(room, ADA, "@Bo", mentions={"mentions": {"user_ids": [BO], "all": False}})
    await world.settle(room)
    assert [one.payload["mention"] for one in bo.arrived] == [True]
    assert [one.urgency for one in bo.arrived] == ["high"]
    assert cy.arrived == []
    await world.send(room, ADA, "all", mentions={"mentions": {"user_ids": [], "all": True}})
    await world.settle(room)
    assert [one.payload["mention"] for one in cy.arrived] == [True]


async def test_the_newest_message_stands_for_all_and_the_badge_counts(world: Pushing) -> None:
    room, other, silent = [await world.group(ADA, BO) for _ in range(3)]
    bo = await world.browser(BO)
    await world.set(silent, BO, muted=True)
    for text in ("one", "two", "three"):
        await world.send(room, ADA, text)
    await world.send(other, ADA, "elsewhere")
    await world.send(silent, ADA, "not counted")
    await world.settle(room, other, silent)
    assert {one.payload["text"] for one in bo.arrived} == {"three", "elsewhere"}
    assert {one.payload["badge"] for one in bo.arrived} == {4}
    rules = "SELECT seq, rules FROM messenger.push_decisions WHERE conversation_id = %s ORDER BY seq"
    assert world.run(rules, room) == [(1, ["superseded"]), (2, ["superseded"]), (3, [])]
    await world.read(room, BO, 2)
    await world.send(room, ADA, "four")
    await world.settle(room)
    assert bo.arrived[-1].payload["badge"] == 3
    assert set(world.service.topics) == {room.replace("-", ""), other.replace("-", "")}


async def test_what_is_deleted_meanwhile_or_too_old_is_not_pushed(world: Pushing) -> None:
    room = await world.group(ADA, BO)
    bo = await world.browser(BO)
    await world.delete(await world.send(room, ADA, "never mind"), ADA)
    await world.plan(room)
    assert world.queued == []
    message_id = await world.send(room, ADA, "neither")
    await world.plan(room)
    await world.delete(message_id, ADA)
    world.pass_time()
    await world.push_due()
    # From before an outage.
    await world.send(room, ADA, "old")
    world.run("UPDATE messenger.messages SET created_at = now() - interval '11 minutes' WHERE seq = 3")
    await world.plan(room)
    assert world.queued == []
    await world.send(room, ADA, "late")
    await world.plan(room)
    world.run("UPDATE messenger.messages SET created_at = now() - interval '11 minutes' WHERE seq = 4")
    world.pass_time()
    await world.push_due()
    assert bo.arrived == []
    assert world.run("SELECT seq, rules FROM messenger.push_decisions ORDER BY seq") == [
        (2, ["deleted", "?looking"]),
        (4, ["too_old", "?looking"]),
    ]


async def test_what_was_pushed_is_closed_when_it_is_read_elsewhere_or_gone(world: Pushing) -> None:
    room = await world.group(ADA, BO, CY)
    bo, cy = await world.browser(BO), await world.browser(CY)
    await world.send(room, ADA, "one")
    await world.settle(room)
    await world.read(room, BO, 1)
    assert [row[:3] for row in world.queued] == [("read", 1, BO)]
    await world.push_due()
    assert bo.payloads[1:] == [{"type": "read", "conversation_id": room, "seq": 1, "badge": 0}]
    assert (bo.arrived[-1].topic, bo.arrived[-1].urgency) == (room.replace("-", ""), "low")
    # Once, and only to whom it was pushed.
    await world.read(room, BO, 1)
    await world.push_due()
    assert (len(bo.arrived), len(cy.arrived)) == (2, 1)
    # Who writes has read.
    await world.send(room, CY, "two")
    await world.plan(room)
    await world.push_due()
    assert cy.payloads[1:] == [{"type": "read", "conversation_id": room, "seq": 1, "badge": 0}]
    # A message that is deleted shows nowhere any more.
    message_id = await world.send(room, ADA, "three")
    await world.settle(room)
    await world.delete(message_id, ADA)
    await world.plan(room)
    await world.push_due()
    assert [one["type"] for one in bo.payloads[2:]] == ["message", "read"]
    assert bo.payloads[-1]["seq"] == 3
    # An edit changes nothing.
    assert world.queued == []


async def test_keys_rotate_and_devices_keep_theirs(world: Pushing) -> None:
    first, *same = await asyncio.gather(*(world.keys.current() for _ in range(8)))
    assert set(same) == {first}
    room = await world.group(ADA, BO)
    old = await world.browser(BO)
    second = await world.keys.rotate()
    assert second != first == (await world.keys.uses())[1].public_key
    new, named = await world.browser(BO), await world.browser(BO, key=first)
    # A device that tells of itself again keeps its key, or has the one that it names.
    stored = await world.subscribe(BO, old)
    assert stored.application_server_key == first
    assert [use.devices for use in await world.keys.uses()] == [1, 2]
    await world.send(room, ADA, "hello")
    await world.settle(room)
    assert [browser.arrived[0].key for browser in (old, new, named)] == [first, second, first]
    assert await world.subscribe(BO, old, key="nobody's") is None
    # What nobody uses goes; what is used stays, however old.
    world.run("UPDATE messenger.push_keys SET created_at = now() - interval '2 days'")
    third, fourth = await world.keys.rotate(), await world.keys.rotate()
    world.run("UPDATE messenger.push_keys SET created_at = now() - interval '2 days'")
    fifth = await world.keys.rotate()
    kept = [use.public_key for use in await world.keys.uses()]
    assert kept == [fifth, fourth, second, first]
    assert third not in kept


async def test_a_user_has_twenty_devices_and_an_endpoint_one_user(world: Pushing) -> None:
    browsers = [await world.browser(BO) for _ in range(21)]
    of_bo = "SELECT endpoint FROM messenger.push_subscriptions WHERE user_id = %s"
    found = {endpoint for [endpoint] in world.run(of_bo, BO)}
    assert found == {browser.endpoint for browser in browsers[1:]}
    await world.subscribe(CY, browsers[5])
    assert world.run(of_bo, CY) == [(browsers[5].endpoint,)]
    assert (browsers[5].endpoint,) not in world.run(of_bo, BO)
    # Neither finds nor removes what is another's.
    await world.store.unsubscribe(BO, browsers[5].endpoint)
    assert world.run(of_bo, CY) == [(browsers[5].endpoint,)]
    await world.store.unsubscribe(CY, browsers[5].endpoint)
    assert world.run(of_bo, CY) == []


async def test_a_test_goes_to_all_devices_at_once(world: Pushing) -> None:
    assert await world.store.queue_test(BO) == 0
    one, two, other = [await world.browser(user) for user in (BO, BO, CY)]
    assert await world.store.queue_test(BO) == 2
    await world.push_due()
    assert one.payloads == two.payloads == [{"type": "test", "badge": 0}]
    assert other.arrived == []


async def test_where_nobody_can_be_pushed_nothing_is_queued(world: Pushing) -> None:
    room = await world.group(ADA, BO)
    await world.browser(ADA)
    await world.browser(CY)
    await world.send(room, ADA, "hello")
    await world.plan(room)
    assert world.queued == []


@pytest.mark.parametrize("texts", ["sender", "none"])
async def test_as_much_is_told_as_the_setting_says(database: Database, database_url: str, texts: str) -> None:
    async with pushing(database, database_url, texts) as world:  # type: ignore[arg-type]
        room = await world.group(ADA, BO)
        bo = await world.browser(BO)
        await world.send(room, ADA, "secret")
        await world.settle(room)
        [payload] = bo.payloads
        assert "secret" not in str(payload)
        assert ("Tea" in str(payload)) == ("sender" in payload) == (texts == "sender")


async def test_decisions_are_forgotten_after_a_day(world: Pushing) -> None:
    room = await world.group(ADA, BO)
    await world.browser(BO)
    for text in ("one", "two"):
        await world.send(room, ADA, text)
    await world.settle(room)
    world.run("UPDATE messenger.push_decisions SET decided_at = now() - interval '25 hours' WHERE seq = 1")
    assert await world.queue.forget(86_400, 10) == 1
    assert world.run("SELECT seq FROM messenger.push_decisions") == [(2,)]
