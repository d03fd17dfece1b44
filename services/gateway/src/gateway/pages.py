"""Owns the pages that the gateway serves: the web client as it was built, and the protocol demo."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Final

from aiohttp import hdrs, web
from aiohttp.typedefs import Handler

from gateway.settings import GatewaySettings

DEMO: Final = Path(__file__).parent / "demo"
# What `npm run build` makes of services/gateway/web.
CLIENT: Final = Path(__file__).parent / "client"
# The embedded stack's route that makes tokens for anybody, by its name.
DEV_TOKEN: Final = "dev_token"
_UNBUILT: Final = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>Messenger</title>
<h1>The web client is not built</h1>
<p>It needs Node.js 20.19 or later: install it and start again, and the client is built and served here.</p>
<p>Everything else works without it: <a href="/demo">the protocol demo</a>,
<a href="/api/v1/messenger/docs">the REST documentation</a>.</p>
"""
_COMMON: Final = {"X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer"}
_DEMO_HEADERS: Final = {
    "Content-Security-Policy": "default-src 'self'; connect-src 'self' ws: wss:; frame-ancestors 'none'",
    hdrs.CACHE_CONTROL: "no-cache",
    **_COMMON,
}
# Their names hold a hash of what is in them.
_ASSET_HEADERS: Final = {hdrs.CACHE_CONTROL: "public, max-age=31536000, immutable", **_COMMON}


def add_pages(app: web.Application, settings: GatewaySettings) -> None:
    """Adds the client at / with its conversations at /c/…, and the demo at /demo."""
    _add_client(app, _client_headers(settings.allowed_origins))
    app.router.add_get("/config.json", _config(settings))
    demo = _files(_named(DEMO, ".html", ".css", ".js", ".svg"), _DEMO_HEADERS)
    app.router.add_get("/demo", demo)
    app.router.add_get("/demo/{name}", demo)


def _add_client(app: web.Application, headers: Mapping[str, str]) -> None:
    index = CLIENT / "index.html"

    async def page(request: web.Request) -> web.StreamResponse:
        if not index.is_file():
            return web.Response(text=_UNBUILT, content_type="text/html", headers=headers)
        return web.FileResponse(index, headers=headers)

    app.router.add_get("/", page)
    # Addresses of the client's own: what they name, it finds out by itself.
    app.router.add_get("/c/{conversation_id}", page)
    assets = _named(CLIENT / "assets", ".js", ".css", ".svg")
    app.router.add_get("/assets/{name}", _files(assets, _ASSET_HEADERS))


def _client_headers(allowed_origins: frozenset[str]) -> dict[str, str]:
    """No inline script or style, nothing from elsewhere; framed only by pages that may use the API anyway."""
    policy = {
        "default-src": "'none'",
        "script-src": "'self'",
        "style-src": "'self'",
        "img-src": "'self'",
        "connect-src": "'self'",
        "base-uri": "'none'",
        "form-action": "'none'",
        "frame-ancestors": " ".join(["'self'", *sorted(allowed_origins)]),
        "require-trusted-types-for": "'script'",
    }
    text = "; ".join(f"{name} {value}" for name, value in policy.items())
    return {"Content-Security-Policy": text, hdrs.CACHE_CONTROL: "no-cache", **_COMMON}


def _config(settings: GatewaySettings) -> Handler:
    """What the client asks before anything else: how its user comes by a token."""

    async def handle(request: web.Request) -> web.StreamResponse:
        body = {
            "login_url": settings.login_page,
            "host_origins": sorted(settings.allowed_origins),
            "dev_tokens": DEV_TOKEN in request.app.router.named_resources(),
        }
        return web.json_response(body, headers={hdrs.CACHE_CONTROL: "no-cache", **_COMMON})

    return handle


def _named(folder: Path, *suffixes: str) -> dict[str, Path]:
    """Its files, as far as they are meant to be seen: of the client none before it is built."""
    return {path.name: path for path in folder.glob("*") if path.suffix in suffixes}


def _files(files: Mapping[str, Path], headers: Mapping[str, str]) -> Handler:
    async def handle(request: web.Request) -> web.StreamResponse:
        path = files.get(request.match_info.get("name", "index.html"))
        if path is None:
            raise web.HTTPNotFound
        return web.FileResponse(path, headers=headers)

    return handle
