"""Answers failed requests with RFC 9457 problem documents, which carry the contract's error codes."""

from __future__ import annotations

import logging
import math
from typing import Final

import orjson
from aiohttp import hdrs, web
from aiohttp.typedefs import Handler

from messenger_shared.contract import errors
from messenger_shared.contract.errors import AppError, ErrorKind

log = logging.getLogger(__name__)

DEFAULT_RETRY_MS: Final = 1_000
_BY_STATUS: Final[dict[int, ErrorKind]] = {
    401: errors.UNAUTHORIZED,
    403: errors.FORBIDDEN,
    404: errors.NOT_FOUND,
    405: errors.NOT_FOUND,
    503: errors.UNAVAILABLE,
}
# Headers that HTTP requires with some errors.
_HEADERS: Final[dict[ErrorKind, dict[str, str]]] = {
    errors.UNAUTHORIZED: {hdrs.WWW_AUTHENTICATE: "Bearer"},
    errors.UPGRADE_REQUIRED: {
        hdrs.UPGRADE: "websocket",
        hdrs.CONNECTION: "Upgrade",
        hdrs.SEC_WEBSOCKET_VERSION: "13",
    },
}


def problem(error: AppError, status: int | None = None) -> web.Response:
    """The failure as a response. `status` replaces the table's where HTTP has a more precise one."""
    kind = error.kind
    status = status or kind.status
    body = kind.problem(status)
    if error.details:
        body["errors"] = error.details
    headers = {**_HEADERS.get(kind, {})}
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
        # This worker may be about to end. Over a new connection, the next attempt reaches another worker.
        response.force_close()
    return response


@web.middleware
async def problems_middleware(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Turns every exception of a handler into a problem document, which doesn't reveal the cause."""
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
            # The client is gone, so there is nobody to answer.
            raise
        log.exception("%s %s failed", request.method, request.match_info.route.name or "request")
        response = problem(AppError(errors.INTERNAL))
    _close_after_bad_body(request, response)
    return response


def _close_after_bad_body(request: web.Request, response: web.Response) -> None:
    """Closes the connection after a body that can't be decoded: what follows it can't be decoded either.

    Otherwise aiohttp reads on, fails again and cuts the connection, often before the answer is sent.
    """
    if request.content.exception() is not None:
        request.content.feed_eof()
        response.force_close()
