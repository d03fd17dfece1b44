"""Owns the way from an HTTP request to a socket: whose token it is, and whether there is room."""

from __future__ import annotations

from typing import Final

from aiohttp import hdrs, web

from messenger_shared.tokens import Identity, InvalidToken, Verifier, parse_user_id

SUBPROTOCOL: Final = "messenger.v1"
_BEARER: Final = "bearer."


def identify(request: web.Request, verifier: Verifier) -> Identity | None:
    """The identity that the request proves, or None; the path's user id must be the token's."""
    try:
        identity = verifier.verify(_token(request))
    except InvalidToken:
        return None
    claimed = request.match_info.get("user_id")
    if claimed is not None and parse_user_id(claimed) != identity.user_id:
        return None
    return identity


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
