"""Owns what every service's web application has: health, readiness, metrics, and a bus for its lifetime."""

from __future__ import annotations

import gc
import os
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from typing import Final

from aiohttp import web
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from messenger_shared.identifiers import new_id

Check = Callable[[], bool]
Component = Callable[[], Awaitable[None]]

ID_CHARS: Final = 12


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
        return web.Response(body=generate_latest(), headers={"Content-Type": CONTENT_TYPE_LATEST})

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


def freeze_garbage() -> None:
    """Keeps what start-up made out of every later collection."""
    gc.collect()
    gc.freeze()
