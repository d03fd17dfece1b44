"""Owns a connection around its requests: what is no HTTP is refused, who reads no answer is cut off."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import Any, Final

import orjson
from aiohttp import hdrs, web
from aiohttp.http_exceptions import HttpProcessingError

from messenger_shared import errors
from messenger_shared.errors import ErrorKind
from messenger_shared.masks import MaskedOnly

log = logging.getLogger(__name__)

SERVER: Final = "messenger"
# For taking an answer; until then it waits in memory.
ANSWER_TIMEOUT_S: Final = 60.0


class Line(web.RequestHandler):
    """One connection; aiohttp itself would log what was sent, a token maybe, and send it back."""

    __slots__ = ()

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,
    ) -> web.StreamResponse:
        """A problem document in place of aiohttp's text."""
        if isinstance(exc, HttpProcessingError):
            log.info("what came from %s is no HTTP: %s", request.remote, type(exc).__name__)
            kind = errors.INVALID_FRAME
        else:
            log.error("a request failed outside of the application", exc_info=exc)
            kind = errors.INTERNAL
        if request.writer.output_size > 0:
            raise ConnectionError("a part of the answer is out already")
        return _answer(kind, status)

    def set_parser(self, parser: Any, data_received_cb: Callable[[], None] | None = None) -> None:
        """From here on the connection is a WebSocket."""
        reader: Any = MaskedOnly(parser)
        super().set_parser(reader, data_received_cb=data_received_cb)

    async def finish_response(
        self, request: web.BaseRequest, resp: web.StreamResponse, start_time: float | None
    ) -> tuple[web.StreamResponse, bool]:
        """Ends the connection of who doesn't read."""
        try:
            async with asyncio.timeout(ANSWER_TIMEOUT_S):
                return await super().finish_response(request, resp, start_time)
        except TimeoutError:
            if self.transport is not None:
                self.transport.abort()
            return resp, True


class Front(web.Server):
    """Makes the connections."""

    def __call__(self) -> Line:
        return Line(self, loop=self._loop, **self._kwargs)


def _answer(kind: ErrorKind, status: int) -> web.Response:
    response = web.Response(
        status=status,
        body=orjson.dumps({**kind.problem(status), "title": kind.message}),
        content_type="application/problem+json",
        headers={hdrs.SERVER: SERVER},
    )
    response.force_close()
    return response
