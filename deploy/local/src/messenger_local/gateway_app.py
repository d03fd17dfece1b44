"""Makes the gateway of the embedded stack: the real one plus two routes for development.

`POST /dev/token` mints a token for any user. `GET /dev/users` lists the demo's people for the
client.
"""

import os
import time
from datetime import UTC, datetime
from typing import Any

from aiohttp import web

from gateway.app import RPC
from gateway.app import create_app as create_gateway
from gateway.edge.pages import DEV_TOKEN
from gateway.edge.rest import BASE_PATH
from gateway.sockets.commands import ask
from messenger_local.demo import PEOPLE
from messenger_shared.contract import errors, tokens
from messenger_shared.contract.errors import AppError
from messenger_shared.contract.identifiers import MAX_INTEGER, SERVER
from messenger_shared.contract.json_codec import decode_object
from messenger_shared.contract.operations.server import users
from messenger_shared.settings.common import USER_IDS
from messenger_shared.settings.environment import Environment

_TTL_S = 86_400
_SECRET = web.AppKey("dev_token_secret", bytes)
_EXTERNAL_IDS = web.AppKey("dev_token_external_ids", bool)


async def create_app() -> web.Application:
    """The gateway with these routes, which go through the same middlewares as all other routes."""
    app = await create_gateway()
    env = Environment(os.environ)
    app[_SECRET] = env.secret("MESSENGER_JWT_SECRET", tokens.SECRET_BYTES_MIN)
    app[_EXTERNAL_IDS] = USER_IDS.of(env) == "external"
    app.router.add_post(f"{BASE_PATH}/dev/token", _mint, name=DEV_TOKEN)
    app.router.add_get(f"{BASE_PATH}/dev/users", _list_people)
    return app


async def _mint(request: web.Request) -> web.Response:
    user_id = _user_id_in(decode_object(await request.read()))
    subject = await _external_id(request, user_id) if request.app[_EXTERNAL_IDS] else user_id
    expires_at = datetime.fromtimestamp(int(time.time()) + _TTL_S, UTC).isoformat().replace("+00:00", "Z")
    token = tokens.mint(subject, request.app[_SECRET], _TTL_S)
    return web.json_response({"token": token, "user_id": user_id, "expires_at": expires_at}, status=201)


async def _list_people(request: web.Request) -> web.Response:
    people = [person for person in await _people(request) if not person["deactivated"]]
    return web.json_response({"items": [{"id": person["id"], "name": person["name"]} for person in people]})


async def _people(request: web.Request) -> list[dict[str, Any]]:
    """The profiles of the demo's people, as they are now; none without the demo."""
    body = users.LIST.load({"external_ids": [person.external_id for person in PEOPLE]})
    people: list[dict[str, Any]] = (await ask(request.app[RPC], users.LIST, body, SERVER))["items"]
    return people


async def _external_id(request: web.Request, user_id: int) -> str:
    """The host's own id of a person of the demo. The host knows anybody else by the number itself."""
    people = {person["id"]: person["external_id"] for person in await _people(request)}
    return str(people.get(user_id, user_id))


def _user_id_in(body: dict[str, object]) -> int:
    user_id = body.get("user_id")
    if isinstance(user_id, bool) or not isinstance(user_id, int) or not 1 <= user_id <= MAX_INTEGER:
        text = f"Must be an integer between 1 and {MAX_INTEGER}."
        raise AppError(errors.INVALID_FRAME, details={"user_id": [text]})
    return user_id
