"""Serves the operation table to host applications, below `/server`, with server keys."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final

import orjson
from aiohttp import hdrs, web
from aiohttp.typedefs import Handler

from gateway.auth.server_keys import Grant, ServerKeys
from gateway.edge.rest import AUTHORIZATION, BASE_PATH, bearer, read_fields
from gateway.metrics import SERVER_REQUESTS
from gateway.sockets.commands import ask
from messenger_shared.contract import errors
from messenger_shared.contract.errors import AppError
from messenger_shared.contract.identifiers import SERVER
from messenger_shared.contract.operations.operation import (
    GATEWAY,
    KEY_FIELD,
    SERVER_PREFIX,
    Body,
    Operation,
    ServerRoute,
)
from messenger_shared.contract.operations.table import TABLE
from messenger_shared.contract.server_keys import PREFIX
from messenger_shared.rpc.client import RpcClient

_ORIGIN: Final = "Origin"
_NEEDS_KEY: Final = "This route needs a server key. A user's token opens the routes without /server."

# Answers an operation that the gateway carries out itself. The body names the server key.
ServerHandler = Callable[[Body], Awaitable[Any]]


def add_server(
    app: web.Application, rpc: RpcClient, keys: ServerKeys, own: Mapping[str, ServerHandler]
) -> None:
    """Adds a route for every operation with a server route; `own` has the gateway's handlers."""
    for operation in TABLE.values():
        if (route := operation.server) is None:
            continue
        answer = own[operation.name] if operation.service == GATEWAY else _asking(operation, rpc)
        handler = _counted(operation, _handler(operation, route, answer, keys))
        path = BASE_PATH + SERVER_PREFIX + route.path
        app.router.add_route(route.method, path, handler)
        if route.method == hdrs.METH_GET:
            app.router.add_route(hdrs.METH_HEAD, path, handler)


def _asking(operation: Operation, rpc: RpcClient) -> ServerHandler:
    async def answer(body: Body) -> Any:
        return await ask(rpc, operation, body, SERVER)

    return answer


def _handler(operation: Operation, route: ServerRoute, answering: ServerHandler, keys: ServerKeys) -> Handler:
    async def handle(request: web.Request) -> web.StreamResponse:
        grant = await _authorize(request, route, keys)
        body = operation.load(await read_fields(request, operation, route.headers, is_body_optional=True))
        body[KEY_FIELD] = [grant.key_id, operation.name]
        status, answer = route.respond(await answering(body))
        if answer is None:
            return web.Response(status=status)
        return web.Response(status=status, body=orjson.dumps(answer), content_type="application/json")

    return handle


def _counted(operation: Operation, handler: Handler) -> Handler:
    async def handle(request: web.Request) -> web.StreamResponse:
        outcome = "internal"
        try:
            response = await handler(request)
            outcome = "ok"
        except AppError as error:
            outcome = error.kind.code
            raise
        except web.HTTPException as error:
            outcome = f"http_{error.status}"
            raise
        finally:
            SERVER_REQUESTS.labels(operation.name, outcome).inc()
        return response

    return handle


async def _authorize(request: web.Request, route: ServerRoute, keys: ServerKeys) -> Grant:
    """The grant of the request's key. Raises AppError(unauthorized, key_scope, forbidden, rate_limited)."""
    if hdrs.ORIGIN in request.headers:
        # A web page must never hold a server key.
        raise AppError(errors.FORBIDDEN, details={_ORIGIN: ["Server keys are not for web pages."]})
    key = bearer(request)
    if not key.startswith(PREFIX):
        raise AppError(errors.UNAUTHORIZED, details={AUTHORIZATION: [_NEEDS_KEY]})
    grant = await keys.verify(key, request.remote or "")
    if grant.scopes.isdisjoint(route.scopes):
        text = f"Needs the scope {' or '.join(route.scopes)}."
        raise AppError(errors.KEY_SCOPE, details={AUTHORIZATION: [text]})
    return grant
