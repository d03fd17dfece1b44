"""Owns what operators may ask over HTTP; it is there only where it was switched on."""

from __future__ import annotations

from aiohttp import web

from gateway.rest import BASE_PATH, authenticate
from gateway.revocations import Revocations
from messenger_shared import clock, errors
from messenger_shared.errors import AppError
from messenger_shared.tokens import Verifier, parse_user_id


def add_admin(app: web.Application, verifier: Verifier, revocations: Revocations) -> None:
    """Adds the route by which an operator takes a user's tokens back and closes his sockets."""

    async def disconnect(request: web.Request) -> web.Response:
        if not authenticate(request, verifier).is_operator:
            raise AppError(errors.FORBIDDEN)
        user_id = parse_user_id(request.match_info["user_id"])
        if user_id is None:
            raise AppError(errors.NOT_FOUND)
        moment = await revocations.revoke(user_id)
        return web.json_response({"user_id": user_id, "revoked_until": clock.from_unix(moment)})

    app.router.add_post(f"{BASE_PATH}/admin/users/{{user_id}}/disconnect", disconnect)
