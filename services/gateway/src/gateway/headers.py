"""Owns the headers that every response has, unless it has others of its own."""

from __future__ import annotations

from typing import Final

from aiohttp import hdrs, web

from messenger_shared.front import SERVER

# What is somebody's own is kept by no cache, and is no page, whatever is in it.
_COMMON: Final = {
    hdrs.CACHE_CONTROL: "no-store",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}


async def add_common(request: web.BaseRequest, response: web.StreamResponse) -> None:
    """Called before the head of a response goes out."""
    # Not which versions we run.
    response.headers[hdrs.SERVER] = SERVER
    if response.status != 101:
        for name, value in _COMMON.items():
            response.headers.setdefault(name, value)
