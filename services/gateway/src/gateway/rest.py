"""Owns the REST door: every route of the operation table, over the same schemas as the socket door."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
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
from messenger_shared.operations.operation import GATEWAY, Body, Operation, Route
from messenger_shared.operations.table import TABLE
from messenger_shared.rpc_client import RpcClient
from messenger_shared.tokens import Identity, InvalidToken, Verifier

BASE_PATH: Final = "/api/v1/messenger"
MAX_BODY_BYTES: Final = 256 * 1024
BODY_TIMEOUT_S: Final = 10.0
# Bodies come unpacked: a few bytes on the way may be many megabytes of work.
_PLAIN: Final = "identity"

# Answers an operation for whoever asks.
OwnHandler = Callable[[Identity, Body], Awaitable[Any]]


def add_rest(
    app: web.Application,
    rpc: RpcClient,
    allowances: Allowances,
    verifier: Verifier,
    own: Mapping[str, OwnHandler],
) -> None:
    """Adds a route for every operation that has one; `own` answers those that are the gateway's."""
    loop = asyncio.get_running_loop()

    def check_rate(operation: Operation, user_id: int) -> None:
        now = loop.time()
        if operation is SEND and (wait_ms := allowances.of(user_id, now).take(now)):
            raise AppError(errors.RATE_LIMITED, retry_after_ms=wait_ms)

    for operation in TABLE.values():
        if operation.route is not None:
            answer = (
                own[operation.name] if operation.service == GATEWAY else _asking(operation, rpc, check_rate)
            )
            handler = _handler(operation, operation.route, answer, verifier)
            app.router.add_route(operation.route.method, BASE_PATH + operation.route.path, handler)


def authenticate(request: web.Request, verifier: Verifier) -> Identity:
    """Whose token the request bears; raises AppError(unauthorized)."""
    scheme, _, token = request.headers.get(hdrs.AUTHORIZATION, "").partition(" ")
    if scheme.lower() != "bearer":
        raise AppError(errors.UNAUTHORIZED)
    try:
        return verifier.verify(token.strip())
    except InvalidToken:
        raise AppError(errors.UNAUTHORIZED) from None


def _asking(operation: Operation, rpc: RpcClient, check_rate: Callable[[Operation, int], None]) -> OwnHandler:
    async def answer(identity: Identity, body: Body) -> Any:
        check_rate(operation, identity.user_id)
        return await ask(rpc, operation, body, identity.user_id)

    return answer


def _handler(operation: Operation, route: Route, answering: OwnHandler, verifier: Verifier) -> Handler:
    async def handle(request: web.Request) -> web.StreamResponse:
        identity = authenticate(request, verifier)
        body = operation.load(await _fields(request, operation, route))
        status, answer = route.respond(await answering(identity, body))
        if answer is None:
            return web.Response(status=status)
        return web.Response(status=status, body=orjson.dumps(answer), content_type="application/json")

    return handle


async def _fields(request: web.Request, operation: Operation, route: Route) -> dict[str, Any]:
    """Body or query first, then headers, then the path, which nothing may contradict."""
    if operation.has_body:
        fields = await read_object(request)
    else:
        fields = {name: QueryText(value) for name, value in request.query.items()}
    for header, name in route.headers.items():
        if header in request.headers:
            fields.setdefault(name, request.headers[header])
    return fields | {name: QueryText(value) for name, value in request.match_info.items()}


async def read_object(request: web.Request) -> dict[str, Any]:
    """The JSON object in the body; raises AppError, or what HTTP has for a body that doesn't come."""
    if request.headers.get(hdrs.CONTENT_ENCODING, _PLAIN).strip().lower() != _PLAIN:
        raise web.HTTPUnsupportedMediaType
    try:
        async with asyncio.timeout(BODY_TIMEOUT_S):
            return decode_object(await request.read())
    except TimeoutError:
        raise web.HTTPRequestTimeout from None
    except web.RequestPayloadError:
        # It ends too early, or is in no chunks though it says so.
        raise AppError(errors.INVALID_JSON) from None
