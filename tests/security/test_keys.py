"""The gateway's keys in Redis need only a few rights, and a user with these rights can do nothing else."""

from __future__ import annotations

import secrets
import time
from collections.abc import AsyncIterator
from urllib.parse import urlsplit, urlunsplit

import pytest
from redis.asyncio import Redis
from redis.exceptions import NoPermissionError

from gateway.auth.tickets import Tickets
from gateway.connections.rate_limits import TokenBuckets
from messenger_shared.bus import keys, revocations
from messenger_shared.bus.redis_client import client
from messenger_shared.contract.tokens import Identity

# As in shared/docs/architecture.md.
RULES = ("(~ticket:* +set +getdel)", "(~revoked +zadd +zrange +zremrangebyscore)")
USER = 2**52 + 2


@pytest.fixture
async def gateways_redis(valkey_url: str) -> AsyncIterator[Redis]:
    """Yields a connection of a user with only those rights."""
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
    tickets = Tickets(gateways_redis, TokenBuckets(0))
    mine = Identity(USER, time.time() + 60, time.time())
    issued = await tickets.issue(mine, {})
    assert await tickets.redeem(issued["ticket"]) == mine
    await revocations.save(gateways_redis, USER, 5.0)
    assert (await revocations.load(gateways_redis, 0.0))[USER] == 5.0
    await revocations.delete(gateways_redis, 5.0)
    assert USER not in await revocations.load(gateways_redis, 0.0)


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
