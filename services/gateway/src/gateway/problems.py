"""Owns how the REST door tells a failure: RFC 9457 problem documents with the codes of the closed table."""

from __future__ import annotations

import logging
import math
from typing import Final

import orjson
from aiohttp import hdrs, web
from aiohttp.typedefs import Handler

from messenger_shared import errors
from messenger_shared.errors import AppError, ErrorKind

log = logging.getLogger(__name__)

DEFAULT_RETRY_MS: Final = 1_000
_BY_STATUS: Final[dict[int, ErrorKind]] = {
    401: errors.UNAUTHORIZED,
    403: errors.FORBIDDEN,
    404: errors.NOT_FOUND,
    405: errors.NOT_FOUND,
    503: errors.UNAVAILABLE,
}


def problem(error: AppError, status: int | None = None) -> web.Response:
    """The failure as a response; `status` where HTTP has a more telling one than the table."""
    kind = error.kind
    status = status or kind.status
    body = kind.problem(status)
    if error.details:
        body["errors"] = error.details
    headers = {hdrs.WWW_AUTHENTICATE: "Bearer"} if kind is errors.UNAUTHORIZED else {}
    if kind.status in (429, 503):
        seconds = math.ceil((error.retry_after_ms or DEFAULT_RETRY_MS) / 1000)
        headers[hdrs.RETRY_AFTER] = str(seconds)
    response = web.Response(
        status=status,
        body=orjson.dumps(body),
        content_type="application/problem+json",
        headers=headers,
    )
    if kind.status == 503:
        # This worker may be about to end; by a new connection, the next attempt comes to another one.
        response.force_close()
    return response


@web.middleware
async def problems_middleware(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Turns whatever a handler raises into a problem document; nothing of the cause gets out."""
    try:
        return await handler(request)
    except AppError as error:
        response = problem(error)
    except web.HTTPException as error:
        if error.status < 400:
            raise
        response = problem(AppError(_BY_STATUS.get(error.status, errors.INVALID_FRAME)), error.status)
        if "Allow" in error.headers:
            response.headers["Allow"] = error.headers["Allow"]
    except Exception as error:
        if isinstance(error, ConnectionError) and request.transport is None:
            # The client is gone; nobody is left to be told.
            raise
        log.exception("%s %s failed", request.method, request.match_info.route.name or "request")
        response = problem(AppError(errors.INTERNAL))
    _end_broken(request, response)
    return response


def _end_broken(request: web.Request, response: web.Response) -> None:
    """After a body that can't be decoded nothing of the line can be; the answer is the last on it.

    Left to itself, aiohttp would read on, fail again and cut the line, often before the answer is through.
    """
    if request.content.exception() is not None:
        request.content.feed_eof()
        response.force_close()
