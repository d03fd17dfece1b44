"""TLS to both stores: a whole chat works over it, and an untrusted certificate is refused with a reason.

The servers are the real ones. Neither wheel has TLS built in, so TLS ends at a port before each.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import aiohttp
import pytest

from messenger_shared.contract import tokens
from tests.client import User
from tests.conftest import SharedStack
from tests.faults.injection.redis_server import RedisServer
from tests.integration.services import BOOT_FAILED, READY_S, running
from tests.integration.tls import HOST, Authority, Terminator
from tests.waiting import eventually

SECRET = secrets.token_hex(32)


@dataclass
class Stores:
    """Both stores behind TLS, and the authority that issued their certificates."""

    redis: Terminator
    postgres: Terminator
    redis_password: str
    logins: dict[str, str]
    database: str
    authority: Authority

    def environment(self, service: str, trusted: Path) -> dict[str, str]:
        """Returns the settings that tell the service where the stores are and which authority to trust."""
        redis = f"rediss://:{self.redis_password}@{HOST}:{self.redis.port}?ssl_ca_certs={trusted}"
        env = {"MESSENGER_REDIS_URL": redis, "MESSENGER_JWT_SECRET": SECRET}
        if service in self.logins:
            place = f"{HOST}:{self.postgres.port}/{self.database}?sslmode=verify-full&sslrootcert={trusted}"
            env["MESSENGER_DATABASE_URL"] = f"postgresql://{self.logins[service]}@{place}"
        return env


@pytest.fixture
async def stores(stack: SharedStack, database_url: str, tmp_path: Path) -> AsyncIterator[Stores]:
    redis = RedisServer(tmp_path / "redis")
    await redis.start()
    plain, place = urlsplit(redis.url), urlsplit(database_url)
    authority = Authority(tmp_path, "ours")
    roles = {"chat_api": "messenger_chat", "presence": "messenger_presence"}
    logins = {
        service: urlsplit(stack.as_role(database_url, role)).netloc.rpartition("@")[0]
        for service, role in roles.items()
    }
    async with (
        Terminator(plain.port or 0, authority.context, asks_first=False) as to_redis,
        Terminator(place.port or 0, authority.context, asks_first=True) as to_postgres,
    ):
        password = plain.password or ""
        yield Stores(to_redis, to_postgres, password, logins, place.path[1:], authority)
    await redis.kill()


async def test_a_whole_chat_goes_over_tls(stores: Stores, tmp_path: Path) -> None:
    trusted = stores.authority.file
    async with AsyncExitStack() as stack:
        services = [
            await stack.enter_async_context(running(name, stores.environment(name, trusted), tmp_path))
            for name in ("chat_api", "presence", "gateway")
        ]
        for service in services:
            await eventually(service.is_ready, READY_S)
        http = await stack.enter_async_context(aiohttp.ClientSession())
        one, two = (
            User(http, services[-1].url, user, tokens.mint(user, SECRET.encode(), 3600)) for user in (1, 2)
        )
        room = await one.create_group(two.user_id)
        sender, listener = await one.connect(), await two.connect()
        seen = await sender.request("subscribe", conversation_id=room)
        if two.user_id not in seen["online"]:
            await sender.expect("user.online", user_id=two.user_id)
        await sender.request("message.send", conversation_id=room, content="in private")
        await listener.expect("message.new", conversation_id=room)
        [message] = (await two.get(f"/conversations/{room}/messages")).body["items"]
        assert message["content"] == "in private"
        # With a ticket too: another Redis client than the bus fetches it.
        ticket = (await two.call("POST", "/ws-ticket")).body["ticket"]
        await (await two.open(f"/ws?ticket={ticket}")).expect("system", event="connected")
        await asyncio.gather(one.leave(), two.leave())
    assert stores.redis.sessions > 6
    assert stores.postgres.sessions >= 8


async def test_a_certificate_of_another_authority_ends_the_start_and_names_the_variable(
    stores: Stores, tmp_path: Path
) -> None:
    ours, other = stores.authority.file, Authority(tmp_path, "another").file
    trusting = stores.environment("chat_api", ours)
    deceived = stores.environment("chat_api", other)
    cases = {
        "gateway": ("MESSENGER_REDIS_URL", stores.environment("gateway", other)),
        "chat_api": (
            "MESSENGER_DATABASE_URL",
            {**deceived, "MESSENGER_REDIS_URL": trusting["MESSENGER_REDIS_URL"]},
        ),
    }
    async with AsyncExitStack() as stack:
        services = [
            await stack.enter_async_context(running(name, env, tmp_path)) for name, (_, env) in cases.items()
        ]
        codes = await asyncio.gather(*(service.end() for service in services))
    assert codes == [BOOT_FAILED, BOOT_FAILED]
    for service, (variable, _) in zip(services, cases.values(), strict=True):
        [reason] = [text for text in service.log_texts() if text.startswith(variable)]
        assert "certificate verify failed" in reason
        assert "Traceback" not in "".join(service.log_texts())
    assert stores.postgres.sessions == 0
