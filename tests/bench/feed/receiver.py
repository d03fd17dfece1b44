"""Webhooks that get every event, and their receiver: a process of its own, which takes whatever comes."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aiohttp import web
from aiohttp.test_utils import unused_port

from messenger_sdk import Server as Host
from messenger_shared.contract.schemas.webhooks import EVENT_TYPES
from tests.bench.servers import Server
from tests.waiting import eventually


@asynccontextmanager
async def receiving() -> AsyncIterator[str]:
    """Yields the URL of a receiver that listens."""
    port = unused_port()
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.bench.feed.receiver", str(port)
    )
    try:
        await eventually(lambda: _listens(port))
        yield f"http://127.0.0.1:{port}/hook"
    finally:
        process.kill()
        await process.wait()


@asynccontextmanager
async def webhooks(server: Server, key: str, url: str, count: int) -> AsyncIterator[None]:
    """Has so many webhooks for a while."""
    names = [f"bench-{number}" for number in range(count)]
    async with Host(f"http://127.0.0.1:{server.port}", key) as host:
        for name in names:
            await host.put_webhook(name, url, EVENT_TYPES)
        try:
            yield
        finally:
            for name in names:
                await host.delete_webhook(name)


async def _listens(port: int) -> bool:
    try:
        _, writer = await asyncio.open_connection("127.0.0.1", port)
    except OSError:
        return False
    writer.close()
    return True


async def _take(request: web.Request) -> web.Response:
    await request.read()
    return web.Response(status=204)


def _serve() -> None:
    app = web.Application()
    app.router.add_post("/hook", _take)
    web.run_app(app, host="127.0.0.1", port=int(sys.argv[1]), print=None, access_log=None)


if __name__ == "__main__":
    _serve()
