"""Owns the pages that the gateway serves: the protocol demo, from files beside the code."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from aiohttp import web

DEMO: Final = Path(__file__).parent / "demo"
_HEADERS: Final = {
    "Content-Security-Policy": "default-src 'self'; connect-src 'self' ws: wss:; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-cache",
}


def add_pages(app: web.Application) -> None:
    """Adds /demo and its files, and sends / there."""
    files = {path.name: path for path in DEMO.iterdir() if path.suffix in (".html", ".css", ".js", ".svg")}

    async def demo(request: web.Request) -> web.StreamResponse:
        path = files.get(request.match_info.get("name", "index.html"))
        if path is None:
            raise web.HTTPNotFound
        return web.FileResponse(path, headers=_HEADERS)

    async def root(request: web.Request) -> web.StreamResponse:
        raise web.HTTPFound("/demo")

    app.router.add_get("/", root)
    app.router.add_get("/demo", demo)
    app.router.add_get("/demo/{name}", demo)
