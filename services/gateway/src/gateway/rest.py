"""Owns the REST door: every route of the operation table, over the same schemas as the socket door."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, Final

import orjson
from aiohttp import hdrs, web
from aiohttp.typedefs import Handler

from gateway.commands import ask
from gateway.limits import Allowances
from messenger_shared import errors
from messenger_shared.errors import AppError
from messenger_shared.json_codec import decode_object
from messenger_shared.operations.fields import QueryText
from messenger_shared.operations.messages import SEND
from messenger_shared.operations.operation import Operation, Route
from messenger_shared.operations.table import TABLE
from messenger_shared.rpc_client import RpcClient
from messenger_shared.tokens import InvalidToken, Verifier

BASE_PATH: Final = "/api/v1/messenger"
MAX_BODY_BYTES: Final = 256 * 1024
BODY_TIMEOUT_S: Final = 10.0


def add_rest(app: web.Application, rpc: RpcClient, allowances: Allowances, verifier: Verifier) -> None:
    """Adds a route for every operation that has one."""
    loop = asyncio.get_running_loop()

    def check_rate(operation: Operation, user_id: int) -> None:
        now = loop.time()
        if operation is SEND and (wait_ms := allowances.of(user_id, now).take(now)):
            raise AppError(errors.RATE_LIMITED, retry_after_ms=wait_ms)

    for operation in TABLE.values():
        if operation.route is not None:
            handler = _handler(operation, operation.route, rpc, check_rate, verifier)
            app.router.add_route(operation.route.method, BASE_PATH + operation.route.path, handler)


def authenticate(request: web.Request, verifier: Verifier) -> int:
    """The user whose token the request bears; raises AppError(unauthorized)."""
    scheme, _, token = request.headers.get(hdrs.AUTHORIZATION, "").partition(" ")
    if scheme.lower() != "bearer":
        raise AppError(errors.UNAUTHORIZED)
    try:
        return verifier.verify(token.strip()).user_id
    except InvalidToken:
        raise AppError(errors.UNAUTHORIZED) from None


def _handler(
    operation: Operation,
    route: Route,
    rpc: RpcClient,
    check_rate: Callable[[Operation, int], None],
    verifier: Verifier,
) -> Handler:
    async def handle(request: web.Request) -> web.StreamResponse:
        user_id = authenticate(request, verifier)
        body = operation.load(await _fields(request, route))
        check_rate(operation, user_id)
        status, answer = route.respond(await ask(rpc, operation, body, user_id))
        if answer is None:
            return web.Response(status=status)
        return web.Response(status=status, body=orjson.dumps(answer), content_type="application/json")

    return handle


async def _fields(request: web.Request, route: Route) -> dict[str, Any]:
    """Body or query first, then headers, then the path, which nothing may contradict."""
    if route.method in (hdrs.METH_POST, hdrs.METH_PUT, hdrs.METH_PATCH):
        fields = decode_object(await _read(request))
    else:
        fields = {name: QueryText(value) for name, value in request.query.items()}
    for header, name in route.headers.items():
        if header in request.headers:
            fields.setdefault(name, request.headers[header])
    return fields | {name: QueryText(value) for name, value in request.match_info.items()}


async def _read(request: web.Request) -> bytes:
    try:
        async with asyncio.timeout(BODY_TIMEOUT_S):
            return await request.read()
    except TimeoutError:
        raise web.HTTPRequestTimeout from None
    except web.RequestPayloadError:
        # It is not what its Content-Encoding says, or ends too early.
        raise AppError(errors.INVALID_JSON) from None
