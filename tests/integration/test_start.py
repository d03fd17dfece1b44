"""A service that is still starting refuses connections: a proxy must not wait in its queue."""

import asyncio
import contextlib
import secrets
import signal
from pathlib import Path
from urllib.parse import urlsplit

from tests.faults.injection.redis_server import RedisServer
from tests.integration.services import READY_S, running
from tests.waiting import eventually, until


async def test_a_gateway_listens_when_it_can_answer(tmp_path: Path) -> None:
    redis = RedisServer(tmp_path / "redis")
    await redis.start()
    redis.signal(signal.SIGSTOP)
    env = {"MESSENGER_REDIS_URL": redis.url, "MESSENGER_JWT_SECRET": secrets.token_hex(32)}
    async with running("gateway", env, tmp_path) as gateway:
        await until(lambda: any("redis is unavailable" in text for text in gateway.log_texts()), READY_S)
        assert not await is_listening(gateway.url)
        redis.signal(signal.SIGCONT)
        await eventually(lambda: is_listening(gateway.url), READY_S)
    await redis.kill()


async def is_listening(url: str) -> bool:
    """Whether the address takes connections."""
    place = urlsplit(url)
    with contextlib.suppress(ConnectionRefusedError):
        _, writer = await asyncio.open_connection(place.hostname, place.port)
        writer.close()
        return True
    return False
