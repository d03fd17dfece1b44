"""Serves the built web client and the protocol demo."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Final

from aiohttp import hdrs, web
from aiohttp.typedefs import Handler

from gateway.settings import GatewaySettings

DEMO: Final = Path(__file__).parents[1] / "demo"
# `npm run build` in services/gateway/web writes to this folder.
CLIENT: Final = Path(__file__).parents[1] / "client"
# The name of the embedded stack's route that makes tokens for anybody.
DEV_TOKEN: Final = "dev_token"
_NOT_BUILT_PAGE: Final = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>Messenger</title>
<h1>The web client is not built</h1>
<p>It needs Node.js 20.19 or later: install it and start again, and the client is built and served here.</p>
<p>Everything else works without it: <a href="/demo">the protocol demo</a>,
<a href="/api/v1/messenger/docs">the REST documentation</a>.</p>
"""
_COMMON_HEADERS: Final = {"X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer"}
_DEMO_HEADERS: Final = {
    "Content-Security-Policy": "default-src 'self'; connect-src 'self' ws: wss:; frame-ancestors 'none'",
    hdrs.CACHE_CONTROL: "no-cache",
    **_COMMON_HEADERS,
}
# During an update a missing asset may exist on a gateway of the other version: no cache may keep the 404.
_NOT_FOUND_HEADERS: Final = {hdrs.CACHE_CONTROL: "no-store", **_COMMON_HEADERS}
# The name of an asset holds a hash of its content.
_ASSET_HEADERS: Final = {hdrs.CACHE_CONTROL: "public, max-age=31536000, immutable", **_COMMON_HEADERS}
# What installs the client as an app. Its names stay the same.
_APP_HEADERS: Final = {hdrs.CACHE_CONTROL: "no-cache", **_COMMON_HEADERS}
# A worker has a policy of its own: it loads what the page consists of, and nothing else.
_WORKER_HEADERS: Final = {
    "Content-Security-Policy": "default-src 'none'; connect-src 'self'",
    **_APP_HEADERS,
}
_WORKER: Final = "service-worker.js"


def add_pages(app: web.Application, settings: GatewaySettings) -> None:
    """Adds the client at / with its conversations at /c/…, its service worker, and the demo at /demo."""
    _add_client(app, _client_headers(settings))
    app.router.add_get("/config.json", _config(settings))
    demo = _file_handler(_files_by_name(DEMO, ".html", ".css", ".js", ".svg"), _DEMO_HEADERS)
    app.router.add_get("/demo", demo)
    app.router.add_get("/demo/{name}", demo)


def _add_client(app: web.Application, headers: Mapping[str, str]) -> None:
    index = CLIENT / "index.html"

    async def page(request: web.Request) -> web.StreamResponse:
        if not index.is_file():
            return web.Response(text=_NOT_BUILT_PAGE, content_type="text/html", headers=headers)
        return web.FileResponse(index, headers=headers)

    app.router.add_get("/", page)
    # The client loads the conversation itself; the page is the same for all of them.
    app.router.add_get("/c/{conversation_id}", page)
    assets = _files_by_name(CLIENT / "assets", ".js", ".css", ".svg")
    app.router.add_get("/assets/{name}", _file_handler(assets, _ASSET_HEADERS))
    installed = _files_by_name(CLIENT / "app", ".png", ".svg", ".webmanifest")
    app.router.add_get("/app/{name}", _file_handler(installed, _APP_HEADERS))
    # It serves the paths below its own, so it is at the root.
    worker = {name: path for name, path in _files_by_name(CLIENT, ".js").items() if name == _WORKER}
    app.router.add_get("/{name:service-worker\\.js}", _file_handler(worker, _WORKER_HEADERS))


def _client_headers(settings: GatewaySettings) -> dict[str, str]:
    """Forbids inline code, and other origins but for files; only pages that may use the API frame it."""
    s3 = settings.files.s3 if settings.files is not None else None
    store = f" {s3.public_origin}" if s3 is not None else ""
    policy = {
        "default-src": "'none'",
        "script-src": "'self'",
        "style-src": "'self'",
        # Users' pictures are on the host application's servers. Files are loaded by script, with the token.
        "img-src": "'self' https: blob:",
        "media-src": "blob:",
        "connect-src": f"'self'{store}",
        "manifest-src": "'self'",
        "worker-src": "'self'",
        "base-uri": "'none'",
        "form-action": "'none'",
        "frame-ancestors": " ".join(["'self'", *sorted(settings.allowed_origins)]),
        "require-trusted-types-for": "'script'",
    }
    text = "; ".join(f"{name} {value}" for name, value in policy.items())
    return {"Content-Security-Policy": text, hdrs.CACHE_CONTROL: "no-cache", **_COMMON_HEADERS}


def _config(settings: GatewaySettings) -> Handler:
    """Tells the client how its user gets a token; the client asks for this first."""

    async def handle(request: web.Request) -> web.StreamResponse:
        body = {
            "login_url": settings.login_page,
            "host_origins": sorted(settings.allowed_origins),
            "dev_tokens": DEV_TOKEN in request.app.router.named_resources(),
        }
        return web.json_response(body, headers={hdrs.CACHE_CONTROL: "no-cache", **_COMMON_HEADERS})

    return handle


def _files_by_name(folder: Path, *suffixes: str) -> dict[str, Path]:
    """The folder's files with these suffixes, by name; none for the client before it is built."""
    return {path.name: path for path in folder.glob("*") if path.suffix in suffixes}


def _file_handler(files: Mapping[str, Path], headers: Mapping[str, str]) -> Handler:
    async def handle(request: web.Request) -> web.StreamResponse:
        path = files.get(request.match_info.get("name", "index.html"))
        if path is None:
            raise web.HTTPNotFound(headers=_NOT_FOUND_HEADERS)
        return web.FileResponse(path, headers=headers)

    return handle
