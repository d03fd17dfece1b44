"""Owns the way from an HTTP request to a socket: whose token it is, and whether there is room."""

from __future__ import annotations

from typing import Final, NamedTuple

from aiohttp import hdrs, web

from messenger_shared.tokens import InvalidToken, parse_user_id, verify

SUBPROTOCOL: Final = "messenger.v1"
_BEARER: Final = "bearer."


class Identity(NamedTuple):
    """Who opened the socket, and until when the token lasts (Unix seconds)."""

    user_id: int
    expires_at: float


def identify(request: web.Request, jwt_secret: bytes) -> Identity | None:
    """The identity that the request proves, or None; the path's user id must be the token's."""
    try:
        user_id, expires_at = verify(_token(request), jwt_secret)
    except InvalidToken:
        return None
    claimed = request.match_info.get("user_id")
    if claimed is not None and parse_user_id(claimed) != user_id:
        return None
    return Identity(user_id, expires_at)


def wants_socket(request: web.Request) -> bool:
    """Whether this is an upgrade to a WebSocket at all."""
    return request.headers.get(hdrs.UPGRADE, "").lower() == "websocket"


def _token(request: web.Request) -> str:
    """From the header, else the subprotocols, else the query; the first that is there decides."""
    scheme, _, token = request.headers.get(hdrs.AUTHORIZATION, "").partition(" ")
    if scheme.lower() == "bearer":
        return token.strip()
    for offer in request.headers.get(hdrs.SEC_WEBSOCKET_PROTOCOL, "").split(","):
        if offer.strip().startswith(_BEARER):
            return offer.strip()[len(_BEARER) :]
    return request.query.get("token", "")
