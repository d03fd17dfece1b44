"""Adds the headers that every response has, unless its handler has set them."""

from __future__ import annotations

from typing import Final

from aiohttp import hdrs, web

from messenger_shared.runtime.http_server import SERVER

# Responses hold users' own data: no cache may keep them, and no browser may run them as a page.
_COMMON_HEADERS: Final = {
    hdrs.CACHE_CONTROL: "no-store",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}


async def add_common_headers(request: web.BaseRequest, response: web.StreamResponse) -> None:
    """Adds the headers; aiohttp calls it before it sends the head of a response."""
    # aiohttp's own header tells its version and Python's.
    response.headers[hdrs.SERVER] = SERVER
    if response.status != 101:
        for name, value in _COMMON_HEADERS.items():
            response.headers.setdefault(name, value)
