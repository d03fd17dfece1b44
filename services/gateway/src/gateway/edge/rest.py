"""Serves the operation table over REST, with the same schemas as the socket commands."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final

import orjson
from aiohttp import hdrs, web
from aiohttp.typedefs import Handler

from gateway.auth.authenticator import Authenticator
from gateway.connections.rate_limits import TokenBuckets
from gateway.sockets.commands import ask
from messenger_shared.contract import errors
from messenger_shared.contract.errors import AppError
from messenger_shared.contract.json_codec import decode_object
from messenger_shared.contract.operations.operation import GATEWAY, Body, Operation, Route
from messenger_shared.contract.operations.table import TABLE
from messenger_shared.contract.schemas.fields import QueryText
from messenger_shared.contract.server_keys import PREFIX
from messenger_shared.contract.tokens import Identity, InvalidToken
from messenger_shared.rpc.client import RpcClient

BASE_PATH: Final = "/api/v1/messenger"
MAX_BODY_BYTES: Final = 256 * 1024
BODY_TIMEOUT_S: Final = 10.0
# Compressed bodies are refused: a few bytes could unpack to many megabytes.
_NOT_ENCODED: Final = "identity"
# A header's name as the key of an error's details: aiohttp's constants aren't plain strings.
AUTHORIZATION: Final = "Authorization"
_NEEDS_TOKEN: Final = "This route needs a user's token. A server key opens the routes below /server."

# Answers an operation for the user with this identity.
OperationHandler = Callable[[Identity, Body], Awaitable[Any]]


def add_rest(
    app: web.Application,
    rpc: RpcClient,
    limits: Mapping[str, TokenBuckets],
    authenticator: Authenticator,
    local_handlers: Mapping[str, OperationHandler],
) -> None:
    """Adds a route for every operation that has one; `local_handlers` has the gateway's own.

    An operation of the gateway's without a handler is switched off. `limits` are by operation name.
    """
    loop = asyncio.get_running_loop()

    def check_rate(operation: Operation, user_id: int) -> None:
        now = loop.time()
        buckets = limits.get(operation.name)
        if buckets is not None and (wait_ms := buckets.of(user_id, now).take(now)):
            raise AppError(errors.RATE_LIMITED, retry_after_ms=wait_ms)

    for operation in TABLE.values():
        if operation.route is not None:
            answer = (
                local_handlers.get(operation.name)
                if operation.service == GATEWAY
                else _service_handler(operation, rpc, check_rate)
            )
            if answer is None:
                continue
            handler = _handler(operation, operation.route, answer, authenticator)
            app.router.add_route(operation.route.method, BASE_PATH + operation.route.path, handler)
            if operation.route.method == hdrs.METH_GET:
                app.router.add_route(hdrs.METH_HEAD, BASE_PATH + operation.route.path, handler)


async def authenticate(request: web.Request, authenticator: Authenticator) -> Identity:
    """The identity that the request's bearer token proves; raises AppError(unauthorized)."""
    token = bearer(request)
    if token.startswith(PREFIX):
        raise AppError(errors.UNAUTHORIZED, details={AUTHORIZATION: [_NEEDS_TOKEN]})
    try:
        return await authenticator.authenticate(token)
    except InvalidToken:
        raise AppError(errors.UNAUTHORIZED) from None


def bearer(request: web.Request) -> str:
    """The token or key in the request's header; raises AppError(unauthorized)."""
    scheme, _, token = request.headers.get(hdrs.AUTHORIZATION, "").partition(" ")
    if scheme.lower() != "bearer":
        raise AppError(errors.UNAUTHORIZED)
    return token.strip()


def _service_handler(
    operation: Operation, rpc: RpcClient, check_rate: Callable[[Operation, int], None]
) -> OperationHandler:
    async def answer(identity: Identity, body: Body) -> Any:
        check_rate(operation, identity.user_id)
        return await ask(rpc, operation, body, identity.user_id)

    return answer


def _handler(
    operation: Operation, route: Route, answer_operation: OperationHandler, authenticator: Authenticator
) -> Handler:
    async def handle(request: web.Request) -> web.StreamResponse:
        identity = await authenticate(request, authenticator)
        body = operation.load(await read_fields(request, operation, route.headers))
        status, answer = route.respond(await answer_operation(identity, body))
        if answer is None:
            return web.Response(status=status)
        if isinstance(answer, web.StreamResponse):
            return answer
        return web.Response(status=status, body=orjson.dumps(answer), content_type="application/json")

    return handle


async def read_fields(
    request: web.Request,
    operation: Operation,
    headers: Mapping[str, str],
    *,
    is_body_optional: bool = False,
) -> dict[str, Any]:
    """The fields of body or query, then headers, then path. The path overrides; a header only fills a gap."""
    if operation.has_body:
        fields = {} if is_body_optional and not request.body_exists else await read_object(request)
    else:
        fields = {name: QueryText(value) for name, value in request.query.items()}
    for header, name in headers.items():
        if header in request.headers:
            fields.setdefault(name, request.headers[header])
    return fields | {name: QueryText(value) for name, value in request.match_info.items()}


async def read_object(request: web.Request) -> dict[str, Any]:
    """The JSON object in the body. Raises AppError, or an HTTP error for an encoded or a late body."""
    if request.headers.get(hdrs.CONTENT_ENCODING, _NOT_ENCODED).strip().lower() != _NOT_ENCODED:
        raise web.HTTPUnsupportedMediaType
    try:
        async with asyncio.timeout(BODY_TIMEOUT_S):
            return decode_object(await request.read())
    except TimeoutError:
        raise web.HTTPRequestTimeout from None
    except web.RequestPayloadError:
        # The body ends too early, or its chunked encoding is broken.
        raise AppError(errors.INVALID_JSON) from None
