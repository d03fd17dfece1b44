"""Answers OPTIONS on every path, and 405 with `Allow` for methods that a path doesn't have."""

from __future__ import annotations

from aiohttp import hdrs, web
from aiohttp.typedefs import Handler


def allowed_methods(request: web.Request) -> str | None:
    """The `Allow` value of the request's path if the path doesn't have the request's method; else None."""
    refusal = request.match_info.http_exception
    if not isinstance(refusal, web.HTTPMethodNotAllowed):
        return None
    return ",".join(sorted({*refusal.allowed_methods, hdrs.METH_OPTIONS}))


@web.middleware
async def methods_middleware(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Answers OPTIONS without a token: openapi.json publishes the methods anyway."""
    allowed = allowed_methods(request)
    if allowed is None:
        return await handler(request)
    if request.method == hdrs.METH_OPTIONS:
        return web.Response(status=204, headers={hdrs.ALLOW: allowed})
    raise web.HTTPMethodNotAllowed(request.method, allowed.split(","))
