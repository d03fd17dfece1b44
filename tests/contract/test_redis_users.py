"""Redis users: each service may do what its work needs on Redis, and nothing that only others need."""

import asyncio
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from redis import Redis
from redis.exceptions import AuthenticationError, NoPermissionError

from messenger_shared.bus import redis_bus
from messenger_shared.bus.channels import HIGH_WATER_MARKS
from messenger_shared.bus.redis_bus import RedisBus
from messenger_shared.contract.errors import AppError
from tests.conftest import SharedStack
from tests.waiting import until

ROOT = Path(__file__).parents[2]
WAIT_S = 5.0
SERVICES = ("gateway", "chat-api", "presence", "feed")


@contextmanager
def logged_in(stack: SharedStack, user: str) -> Iterator[Redis]:
    with Redis.from_url(stack.as_redis_user(user)) as client:
        yield client


@pytest.mark.parametrize(
    ("user", "channel"),
    [
        ("gateway", "online:status"),
        ("chat-api", "presence:1"),
        ("chat-api", "online:status"),
        ("chat-api", "rpc:presence:x"),
        ("presence", "conversation:x"),
        ("presence", "user:1"),
        ("presence", "heads"),
        ("feed", "conversation:x"),
        ("feed", "user:1"),
        ("feed", "presence:1"),
        ("feed", "rpc:chat-api:x"),
        ("feed", "workers:chat-api"),
        ("chat-api", "viewers"),
        ("chat-api", "viewers:feed-x"),
        ("presence", "viewers:feed-x"),
        ("observer", "conversation:x"),
        ("observer", "user:1"),
    ],
)
def test_nobody_speaks_or_listens_where_he_has_no_business(
    stack: SharedStack, user: str, channel: str
) -> None:
    with logged_in(stack, user) as client, client.pubsub() as subscription:
        with pytest.raises(NoPermissionError):
            client.publish(channel, b"forged")
        subscription.subscribe(channel)
        with pytest.raises(NoPermissionError):
            subscription.get_message(timeout=5)


@pytest.mark.parametrize("user", [*SERVICES, "observer"])
@pytest.mark.parametrize(
    "command", ["KEYS *", "FLUSHALL", "CONFIG GET *", "ACL LIST", "GET secret", "PSUBSCRIBE *", "SHUTDOWN"]
)
def test_nobody_administers_and_nobody_listens_to_everything(
    stack: SharedStack, user: str, command: str
) -> None:
    with logged_in(stack, user) as client, pytest.raises(NoPermissionError):
        client.execute_command(*command.split())


def test_who_has_keys_has_only_his_own(stack: SharedStack) -> None:
    with logged_in(stack, "presence") as client:
        assert client.hlen("presence:sockets") >= 0
        with pytest.raises(NoPermissionError):
            client.hlen("other:key")
    with logged_in(stack, "gateway") as client:
        assert client.zrange("revoked", 0, 0) is not None
        for foreign in ("presence:sockets", "other:key"):
            with pytest.raises(NoPermissionError):
                client.zrange(foreign, 0, 0)
    for user in ("gateway", "chat-api", "feed"):
        with logged_in(stack, user) as client, pytest.raises(NoPermissionError):
            client.hlen("presence:sockets")


async def test_the_feed_hears_the_high_water_marks_and_can_not_forge_them(stack: SharedStack) -> None:
    bus = RedisBus((stack.as_redis_user("feed"),), f"feed-{uuid.uuid4().hex}")
    heard: asyncio.Queue[bytes] = asyncio.Queue(1_000)
    refused: asyncio.Queue[int | None] = asyncio.Queue(1)
    await bus.start()
    try:
        await bus.subscribe((HIGH_WATER_MARKS,), heard.put_nowait)
        bus.publish(HIGH_WATER_MARKS, b"forged", refused.put_nowait)
        assert await asyncio.wait_for(refused.get(), WAIT_S) is None
        with logged_in(stack, "chat-api") as client:
            client.publish(HIGH_WATER_MARKS, b"{}")
        async with asyncio.timeout(WAIT_S):
            while (payload := await heard.get()) != b"{}":
                assert payload != b"forged"
    finally:
        await bus.stop()


@pytest.mark.parametrize("user", SERVICES)
async def test_after_a_break_everybody_may_subscribe_to_all_again_at_once(
    stack: SharedStack, user: str
) -> None:
    with Redis.from_url(stack.redis_url, decode_responses=True) as client:

        def subscriptions() -> dict[str, int]:
            rows = (row for row in client.client_list() if row["user"] == user)
            return {row["id"]: int(row["sub"]) for row in rows if int(row["sub"])}

        before = subscriptions()
        assert client.execute_command("CLIENT", "KILL", "USER", user) >= len(before) > 0
        await until(lambda: sum(subscriptions().values()) >= sum(before.values()))
        assert not before.keys() & subscriptions().keys()


async def test_a_missing_right_is_named(
    stack: SharedStack, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(redis_bus, "CONFIRM_TIMEOUT_S", 0.5)
    bus = RedisBus((stack.as_redis_user("feed"),), f"feed-{uuid.uuid4().hex}")
    await bus.start()
    try:
        with pytest.raises(AppError):
            await bus.subscribe(["conversation:x"], lambda payload: None)
    finally:
        await bus.stop()
    assert "redis refuses a subscription: NOPERM" in caplog.text


def test_a_user_without_a_password_may_ping_and_nothing_else(stack: SharedStack) -> None:
    parts = urlsplit(stack.redis_url)
    with Redis(parts.hostname, parts.port, username="health", password="any") as client:  # type: ignore[arg-type]
        assert client.ping()
        with pytest.raises(NoPermissionError):
            client.publish("online:status", b"x")
    stranger = Redis(parts.hostname, parts.port, username="gateway", password="guessed")  # type: ignore[arg-type]
    with stranger as client, pytest.raises(AuthenticationError):
        client.ping()


def test_in_production_nobody_is_let_in_without_a_name() -> None:
    lines = (ROOT / "deploy/redis/users.acl").read_text().splitlines()
    assert "user default off" in lines
    users = [line for line in lines if line.startswith("user ") and line != "user default off"]
    assert [line.split()[1] for line in users] == [*SERVICES, "observer", "health"]
    assert all("-@all" in line and "&*" not in line and "~*" not in line for line in users)
