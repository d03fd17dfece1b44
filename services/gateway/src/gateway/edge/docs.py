"""Serves /openapi.json, /asyncapi.json and /docs, without authentication."""

from __future__ import annotations

from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import Final

import orjson
from aiohttp import web
from aiohttp.typedefs import Handler

from gateway.edge.documents.asyncapi import asyncapi
from gateway.edge.documents.openapi import openapi
from messenger_shared.contract.operations.table import TABLE

_PAGE: Final = Path(__file__).parent / "documents" / "page"
# Only the files of this package are used: importing it would need Django.
_ASSETS: Final = "drf_spectacular_sidecar"
_ASSETS_FOLDER: Final = "static/drf_spectacular_sidecar/swagger-ui-dist"
_FROM_ASSETS: Final = ("swagger-ui.css", "swagger-ui-bundle.js")
_HEADERS: Final = {
    "Content-Security-Policy": "default-src 'self'; img-src 'self' data:; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-cache",
}


def add_docs(app: web.Application, base_path: str) -> None:
    """Adds the routes of the two documents, encoded once, and of the page that shows openapi.json."""
    release = version("messenger-gateway")
    for name, document in (("openapi", openapi), ("asyncapi", asyncapi)):
        body = orjson.dumps(document(TABLE, base_path, release))
        app.router.add_get(f"{base_path}/{name}.json", _document(body))
    files = _page_files()

    async def page(request: web.Request) -> web.StreamResponse:
        path = files.get(request.match_info.get("name", "index.html"))
        if path is None:
            raise web.HTTPNotFound
        return web.FileResponse(path, headers=_HEADERS)

    app.router.add_get(f"{base_path}/docs", page)
    app.router.add_get(f"{base_path}/docs/{{name}}", page)


def _document(body: bytes) -> Handler:
    async def handle(request: web.Request) -> web.StreamResponse:
        return web.Response(body=body, content_type="application/json", headers={"Cache-Control": "no-cache"})

    return handle


def _page_files() -> dict[str, Path]:
    package = find_spec(_ASSETS)
    if package is None or package.origin is None:
        raise RuntimeError(f"{_ASSETS} is not installed")
    assets = Path(package.origin).parent / _ASSETS_FOLDER
    return {path.name: path for path in (*_PAGE.iterdir(), *(assets / name for name in _FROM_ASSETS))}
