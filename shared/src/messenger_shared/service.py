"""Owns what every service's web application has: health, readiness, metrics, components, and how it ends."""

from __future__ import annotations

import gc
import os
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from typing import Final

from aiohttp import web
from prometheus_client import CONTENT_TYPE_LATEST

from messenger_shared import metrics as figures
from messenger_shared.front import Front
from messenger_shared.identifiers import new_id
from messenger_shared.settings import SettingsError
from messenger_shared.vitals import Vitals

Check = Callable[[], bool]
Component = Callable[[], Awaitable[None]]

ID_CHARS: Final = 12
# Hardly anything here is circular; with Python's own thresholds, looking for it took 8 % of chat-api's time.
# At 20,000 in front, nothing else was done for 12 ms at a time; 2,000 cost the same in all, in steps of one.
# At 20 of those 20,000 in the middle, a gateway stood still for 200 ms on every 4,000 sockets that came.
GC_THRESHOLDS: Final = (2_000, 1_000, 50)
# What an application does before anything of it is stopped, while requests and sockets are still served.
LEAVE: Final = web.AppKey[Component]("leave")


def worker_id(service: str) -> str:
    """A name for this worker process that no other process, past or present, has."""
    return f"{service}-{socket.gethostname()}-{os.getpid()}-{new_id().replace('-', '')[-ID_CHARS:]}"


def add_health(
    app: web.Application, checks: Mapping[str, Check], luxuries: Mapping[str, Check] | None = None
) -> None:
    """Adds /healthz (the process lives), /readyz (each of `checks` holds) and /metrics.

    The service does its work without `luxuries`: /readyz only tells whether they are there.
    """

    async def healthz(request: web.Request) -> web.Response:
        return web.json_response({"status": "ok"})

    async def readyz(request: web.Request) -> web.Response:
        states: dict[str, bool | str] = {name: check() for name, check in checks.items()}
        ready = all(states.values())
        states |= {name: "ok" if check() else "degraded" for name, check in (luxuries or {}).items()}
        return web.json_response({"ready": ready, "checks": states}, status=200 if ready else 503)

    async def metrics(request: web.Request) -> web.Response:
        return web.Response(body=figures.latest(), headers={"Content-Type": CONTENT_TYPE_LATEST})

    vitals = Vitals({**checks, **(luxuries or {})})
    run_component(app, vitals.start, vitals.stop)
    app.router.add_get("/healthz", healthz)
    app.router.add_get("/readyz", readyz)
    app.router.add_get("/metrics", metrics)


def run_component(app: web.Application, start: Component, stop: Component) -> None:
    """Starts a component with the application and stops it after those that were added later."""

    async def context(_: web.Application) -> AsyncIterator[None]:
        await start()
        yield
        await stop()

    app.cleanup_ctx.append(context)


class Runner(web.AppRunner):
    """Runs an application that leaves first, if it has a LEAVE: no listening, but everything else goes on.

    on_shutdown would be too late: from then on aiohttp drops what comes in on open connections.
    """

    async def setup(self) -> None:
        """Starts, then keeps what start-up made out of every later collection, and collects seldom.

        What can't be reached ends the worker with one line, like any other setting that makes no sense.
        """
        try:
            await super().setup()
        except SettingsError as error:
            raise SystemExit(str(error)) from None
        gc.collect()
        gc.freeze()
        gc.set_threshold(*GC_THRESHOLDS)

    async def _make_server(self) -> web.Server:
        server = await super()._make_server()
        # aiohttp has no other place to say what a connection is.
        server.__class__ = Front
        return server

    async def cleanup(self) -> None:
        """Leaves, then stops."""
        for site in self.sites:
            await site.stop()
        leave = self.app.get(LEAVE)
        if leave is not None:
            await leave()
        await super().cleanup()
