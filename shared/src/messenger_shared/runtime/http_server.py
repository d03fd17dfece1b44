"""Hardens aiohttp's HTTP connections: refuses malformed HTTP, and cuts off clients that don't read."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Callable
from typing import Any, Final

import orjson
from aiohttp import hdrs, web
from aiohttp.http_exceptions import HttpProcessingError

from messenger_shared.contract import errors
from messenger_shared.contract.errors import ErrorKind
from messenger_shared.runtime.frame_masks import MaskCheck

log = logging.getLogger(__name__)

SERVER: Final = "messenger"
# How long a client may take to read a response, which is held in memory until then.
ANSWER_TIMEOUT_S: Final = 60.0
# In a response that takes longer to read: how long.
ANSWER_TIMEOUT: Final = web.ResponseKey("answer_timeout", float)
# What all sockets have in place of a queue of requests of their own: an empty deque has 760 bytes.
_NO_REQUESTS: Final[deque[Any]] = deque(maxlen=0)


class HttpConnection(web.RequestHandler):
    """One connection. aiohttp's own class would log and echo malformed input, which may hold a token."""

    __slots__ = ()

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,
    ) -> web.StreamResponse:
        """Answers with a problem document instead of aiohttp's text."""
        if isinstance(exc, HttpProcessingError):
            log.info("malformed HTTP from %s: %s", request.remote, type(exc).__name__)
            kind = errors.INVALID_FRAME
        else:
            log.error("a request failed outside the application", exc_info=exc)
            kind = errors.INTERNAL
        if request.writer.output_size > 0:
            raise ConnectionError("part of the answer was already sent")
        return _problem_response(kind, status)

    def set_parser(self, parser: Any, data_received_cb: Callable[[], None] | None = None) -> None:
        """Adds the mask check when the connection becomes a WebSocket, and frees what only HTTP needs."""
        reader: Any = MaskCheck(parser)
        super().set_parser(reader, data_received_cb=data_received_cb)
        self._parser = None
        self._messages = _NO_REQUESTS

    async def finish_response(
        self, request: web.BaseRequest, resp: web.StreamResponse, start_time: float | None
    ) -> tuple[web.StreamResponse, bool]:
        """Sends the response; aborts the connection after ANSWER_TIMEOUT_S, or the response's own time."""
        try:
            async with asyncio.timeout(resp.get(ANSWER_TIMEOUT, ANSWER_TIMEOUT_S)):
                return await super().finish_response(request, resp, start_time)
        except TimeoutError:
            if self.transport is not None:
                self.transport.abort()
            return resp, True


class HttpServer(web.Server):
    """Makes an `HttpConnection` for each connection."""

    def __call__(self) -> HttpConnection:
        return HttpConnection(self, loop=self._loop, **self._kwargs)


def _problem_response(kind: ErrorKind, status: int) -> web.Response:
    response = web.Response(
        status=status,
        body=orjson.dumps({**kind.problem(status), "title": kind.message}),
        content_type="application/problem+json",
        headers={hdrs.SERVER: SERVER},
    )
    response.force_close()
    return response
