"""Owns what operators may ask over HTTP; it is there only where it was switched on."""

from __future__ import annotations

from aiohttp import web
from aiohttp.typedefs import Handler

from gateway.commands import ask
from gateway.rest import BASE_PATH, authenticate, read_object
from gateway.revocations import Revocations
from messenger_shared import clock, errors
from messenger_shared.errors import AppError
from messenger_shared.operations import operators
from messenger_shared.operations.operation import Operation
from messenger_shared.rpc_client import RpcClient
from messenger_shared.tokens import Verifier, parse_user_id


def add_admin(app: web.Application, rpc: RpcClient, verifier: Verifier, revocations: Revocations) -> None:
    """Adds the routes by which an operator takes tokens back, ends a conversation, or speaks in one."""

    def require_operator(request: web.Request) -> None:
        if not authenticate(request, verifier).is_operator:
            raise AppError(errors.FORBIDDEN)

    async def disconnect(request: web.Request) -> web.Response:
        require_operator(request)
        user_id = parse_user_id(request.match_info["user_id"])
        if user_id is None:
            raise AppError(errors.NOT_FOUND)
        moment = await revocations.revoke(user_id)
        return web.json_response({"user_id": user_id, "revoked_until": clock.from_unix(moment)})

    def asking(operation: Operation) -> Handler:
        async def handle(request: web.Request) -> web.Response:
            require_operator(request)
            fields = await read_object(request) if request.body_exists else {}
            body = operation.load({**fields, **request.match_info})
            return web.json_response(await ask(rpc, operation, body, 0))

        return handle

    conversation = f"{BASE_PATH}/admin/conversations/{{conversation_id}}"
    app.router.add_post(f"{BASE_PATH}/admin/users/{{user_id}}/disconnect", disconnect)
    app.router.add_post(f"{conversation}/close", asking(operators.CLOSE))
    app.router.add_post(f"{conversation}/messages", asking(operators.POST))
