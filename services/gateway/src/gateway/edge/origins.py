"""Lets only web pages of allowed origins use sockets and REST; the list is exact."""

from __future__ import annotations

from typing import Final

from aiohttp import hdrs, web
from aiohttp.typedefs import Handler, Middleware

from messenger_shared.contract import errors
from messenger_shared.contract.errors import AppError
from messenger_shared.runtime.http_methods import allowed_methods

_PREFLIGHT: Final = {
    hdrs.ACCESS_CONTROL_ALLOW_METHODS: "GET, POST, PUT, PATCH, DELETE",
    hdrs.ACCESS_CONTROL_ALLOW_HEADERS: (
        "Authorization, Content-Type, Idempotency-Key, Range, Upload-Offset, Upload-Token, Tus-Resumable"
    ),
    hdrs.ACCESS_CONTROL_MAX_AGE: "600",
}

# Headers of answers that pages may read.
_EXPOSED: Final = "Content-Disposition, Content-Range, Upload-Offset, Upload-Length, Tus-Resumable"


def origins_middleware(origins: frozenset[str]) -> Middleware:
    """Raises AppError(forbidden) for other origins. A request without Origin isn't from a page and passes."""

    @web.middleware
    async def middleware(request: web.Request, handler: Handler) -> web.StreamResponse:
        origin = request.headers.get(hdrs.ORIGIN)
        if origin is None:
            return await handler(request)
        if origin not in origins:
            raise AppError(errors.FORBIDDEN)
        if request.method == hdrs.METH_OPTIONS and hdrs.ACCESS_CONTROL_REQUEST_METHOD in request.headers:
            response: web.StreamResponse = web.Response(status=204, headers=_PREFLIGHT)
            if allowed := allowed_methods(request):
                response.headers[hdrs.ALLOW] = allowed
        else:
            response = await handler(request)
        if not response.prepared:
            response.headers[hdrs.ACCESS_CONTROL_ALLOW_ORIGIN] = origin
            response.headers[hdrs.ACCESS_CONTROL_EXPOSE_HEADERS] = _EXPOSED
            response.headers[hdrs.VARY] = hdrs.ORIGIN
        return response

    return middleware
