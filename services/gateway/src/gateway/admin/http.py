"""Adds the HTTP routes for operators; the app calls it only where `MESSENGER_ADMIN_API` is on."""

from __future__ import annotations

from aiohttp import web
from aiohttp.typedefs import Handler

from gateway.auth.authenticator import Authenticator
from gateway.auth.revocations import Revocations
from gateway.edge.rest import BASE_PATH, authenticate, read_object
from gateway.sockets.commands import ask
from messenger_shared.contract import errors, timestamps
from messenger_shared.contract.errors import AppError
from messenger_shared.contract.operations.internal import operators
from messenger_shared.contract.operations.operation import Operation
from messenger_shared.contract.tokens import parse_user_id
from messenger_shared.rpc.client import RpcClient


def add_admin(
    app: web.Application, rpc: RpcClient, authenticator: Authenticator, revocations: Revocations
) -> None:
    """Adds the routes that revoke a user's tokens, close a conversation, and post in one as the system."""

    async def require_operator(request: web.Request) -> None:
        if not (await authenticate(request, authenticator)).is_operator:
            raise AppError(errors.FORBIDDEN)

    async def disconnect(request: web.Request) -> web.Response:
        await require_operator(request)
        user_id = parse_user_id(request.match_info["user_id"])
        if user_id is None:
            raise AppError(errors.NOT_FOUND)
        moment = await revocations.revoke(user_id)
        return web.json_response({"user_id": user_id, "revoked_until": timestamps.from_unix(moment)})

    def handler_for(operation: Operation) -> Handler:
        async def handle(request: web.Request) -> web.Response:
            await require_operator(request)
            fields = await read_object(request) if request.body_exists else {}
            body = operation.load({**fields, **request.match_info})
            return web.json_response(await ask(rpc, operation, body, 0))

        return handle

    conversation = f"{BASE_PATH}/admin/conversations/{{conversation_id}}"
    app.router.add_post(f"{BASE_PATH}/admin/users/{{user_id}}/disconnect", disconnect)
    app.router.add_post(f"{conversation}/close", handler_for(operators.CLOSE))
    app.router.add_post(f"{conversation}/messages", handler_for(operators.POST))
