"""The gateway's keys in Redis need a user with few rights, and one with these can do nothing else."""

from __future__ import annotations

import secrets
import time
from collections.abc import AsyncIterator
from urllib.parse import urlsplit, urlunsplit

import pytest
from redis.asyncio import Redis
from redis.exceptions import NoPermissionError

from gateway.limits import Allowances
from gateway.tickets import Tickets
from messenger_shared import keys, revocations
from messenger_shared.redis_steps import client
from messenger_shared.tokens import Identity

# As shared/docs/architecture.md has it.
RULES = ("(~ticket:* +set +getdel)", "(~revoked +zadd +zrange +zremrangebyscore)")
USER = 2**60


@pytest.fixture
async def gateways_redis(valkey_url: str) -> AsyncIterator[Redis]:
    """A connection as a user with those rights alone."""
    name, password = f"gateway-{secrets.token_hex(4)}", secrets.token_hex(16)
    parts = urlsplit(valkey_url)
    address = f"{name}:{password}@{parts.hostname}:{parts.port}"
    async with Redis.from_url(valkey_url) as admin:
        await admin.execute_command("ACL", "SETUSER", name, "on", f">{password}", "-@all", "+ping", *RULES)
        redis = client(urlunsplit(parts._replace(netloc=address)))
        yield redis
        await redis.aclose()
        await admin.execute_command("ACL", "DELUSER", name)


async def test_they_are_enough_for_tickets_and_revocations(gateways_redis: Redis) -> None:
    tickets = Tickets(gateways_redis, Allowances(0))
    mine = Identity(USER, time.time() + 60, time.time())
    given = await tickets.give(mine, {})
    assert await tickets.redeem(given["ticket"]) == mine
    await revocations.keep(gateways_redis, USER, 5.0)
    assert (await revocations.kept(gateways_redis, 0.0))[USER] == 5.0
    await revocations.forget(gateways_redis, 5.0)
    assert USER not in await revocations.kept(gateways_redis, 0.0)


@pytest.mark.parametrize(
    "command",
    [
        *("KEYS *", "SCAN 0", "FLUSHALL", "CONFIG GET *", "EVAL return(1) 0", "INFO all", "ACL LIST"),
        *("GET ticket:x", "DEL ticket:x", "SET revoked x", "SET presence:x x", "GETDEL revoked"),
        *(
            "ZADD presence:leases 1 x",
            "ZRANGE ticket:x 0 -1",
            "PUBLISH heads x",
            "SUBSCRIBE heads",
            "MONITOR",
        ),
        "HGETALL presence:shown",
    ],
)
async def test_they_are_enough_for_nothing_else(gateways_redis: Redis, command: str) -> None:
    with pytest.raises(NoPermissionError):
        await gateways_redis.execute_command(*command.split())


def test_the_names_are_those_of_the_rules() -> None:
    assert keys.ticket("x") == "ticket:x"
    assert keys.REVOKED == "revoked"
