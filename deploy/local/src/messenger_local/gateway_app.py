"""Owns the gateway as the embedded stack runs it: the real one, plus a route that mints tokens."""

import os
import time
from datetime import UTC, datetime

from aiohttp import web

from gateway.app import create_app as create_gateway
from gateway.pages import DEV_TOKEN
from messenger_shared import errors, tokens
from messenger_shared.errors import AppError
from messenger_shared.json_codec import decode_object
from messenger_shared.settings import Environment

_PATH = "/api/v1/messenger/dev/token"
_TTL_S = 86_400
_USER_ID_MAX = 2**63 - 1
_SECRET = web.AppKey("dev_token_secret", bytes)


async def create_app() -> web.Application:
    """The gateway with the development route, behind the same middlewares: origins, problem documents."""
    app = await create_gateway()
    app[_SECRET] = Environment(os.environ).secret("MESSENGER_JWT_SECRET", tokens.SECRET_BYTES_MIN)
    app.router.add_post(_PATH, _mint, name=DEV_TOKEN)
    return app


async def _mint(request: web.Request) -> web.Response:
    user_id = _user_id_in(decode_object(await request.read()))
    expires_at = datetime.fromtimestamp(int(time.time()) + _TTL_S, UTC).isoformat().replace("+00:00", "Z")
    token = tokens.mint(user_id, request.app[_SECRET], _TTL_S)
    return web.json_response({"token": token, "user_id": user_id, "expires_at": expires_at}, status=201)


def _user_id_in(body: dict[str, object]) -> int:
    user_id = body.get("user_id")
    if isinstance(user_id, bool) or not isinstance(user_id, int) or not 1 <= user_id <= _USER_ID_MAX:
        raise AppError(errors.INVALID_FRAME, details={"user_id": ["must be a positive 64-bit integer"]})
    return user_id
