"""What every service's web application has: health routes, metrics, components, start and shutdown."""

from __future__ import annotations

import gc
import os
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from typing import Final

from aiohttp import web
from prometheus_client import CONTENT_TYPE_LATEST

from messenger_shared.contract.identifiers import new_id
from messenger_shared.observability.metrics import render_metrics
from messenger_shared.observability.worker_metrics import WorkerMetrics
from messenger_shared.runtime.http_methods import methods_middleware
from messenger_shared.runtime.http_server import HttpServer
from messenger_shared.settings.environment import SettingsError

Check = Callable[[], bool]
Component = Callable[[], Awaitable[None]]

ID_CHARS: Final = 12
# Hardly any of our objects are circular; with Python's default thresholds, garbage collection took 8 % of
# chat-api's time. With 20,000 for the youngest generation, each collection stopped the loop for 12 ms; 2,000
# costs the same in total, in pauses of 1 ms. With 20 for the middle generation (and 20,000 for the youngest),
# a gateway stopped for 200 ms on every 4,000 new sockets.
GC_THRESHOLDS: Final = (2_000, 1_000, 50)
# Called before any component is stopped, while requests and sockets are still served.
BEFORE_STOP: Final = web.AppKey[Component]("before_stop")


def worker_id(service: str) -> str:
    """A name for this worker process, unique over all processes past and present."""
    return f"{service}-{socket.gethostname()}-{os.getpid()}-{new_id().replace('-', '')[-ID_CHARS:]}"


def add_health(
    app: web.Application, checks: Mapping[str, Check], optional: Mapping[str, Check] | None = None
) -> None:
    """Adds /healthz (the process lives), /readyz (all `checks` hold) and /metrics, and answers OPTIONS.

    The service works without `optional`: /readyz only shows each as ok or degraded. For a name in both,
    `checks` decides readiness; while that holds, `optional` decides whether it shows as ok or degraded.
    """
    optional_checks = optional or {}

    async def healthz(request: web.Request) -> web.Response:
        return web.json_response({"status": "ok"})

    async def readyz(request: web.Request) -> web.Response:
        states: dict[str, bool | str] = {name: check() for name, check in checks.items()}
        ready = all(states.values())
        for name, check in optional_checks.items():
            if states.get(name, True):
                states[name] = "ok" if check() else "degraded"
        return web.json_response({"ready": ready, "checks": states}, status=200 if ready else 503)

    async def metrics(request: web.Request) -> web.Response:
        return web.Response(body=render_metrics(), headers={"Content-Type": CONTENT_TYPE_LATEST})

    worker_metrics = WorkerMetrics({**checks, **optional_checks})
    run_component(app, worker_metrics.start, worker_metrics.stop)
    app.middlewares.append(methods_middleware)
    app.router.add_get("/healthz", healthz)
    app.router.add_get("/readyz", readyz)
    app.router.add_get("/metrics", metrics)


def run_component(app: web.Application, start: Component, stop: Component) -> None:
    """Starts a component with the application. Components stop in the reverse order of being added."""

    async def context(_: web.Application) -> AsyncIterator[None]:
        await start()
        yield
        await stop()

    app.cleanup_ctx.append(context)


class Runner(web.AppRunner):
    """Runs an application. At shutdown it stops listening, then awaits BEFORE_STOP while the rest works.

    on_shutdown would be too late for BEFORE_STOP: aiohttp drops input on open connections from then on.
    """

    async def setup(self) -> None:
        """Starts; then excludes all objects made so far from garbage collection and sets its thresholds.

        A SettingsError (a bad setting, or a server out of reach) ends the worker with one line.
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
        # aiohttp has no other way to set the class of its connections.
        server.__class__ = HttpServer
        return server

    async def cleanup(self) -> None:
        """Stops listening, awaits BEFORE_STOP, then stops the components."""
        for site in self.sites:
            await site.stop()
        before_stop = self.app.get(BEFORE_STOP)
        if before_stop is not None:
            await before_stop()
        await super().cleanup()
