"""Owns the way from an HTTP request to an identity: whose token or ticket it bears."""

from __future__ import annotations

import logging
from typing import Final

from aiohttp import hdrs, web

from gateway.tickets import Tickets
from messenger_shared.tokens import Identity, InvalidToken, Verifier, parse_user_id

log = logging.getLogger(__name__)

SUBPROTOCOL: Final = "messenger.v1"
_BEARER: Final = "bearer."


class Handshake:
    """Tells who wants to come in."""

    def __init__(self, verifier: Verifier, tickets: Tickets) -> None:
        self._verifier = verifier
        self._tickets = tickets

    async def identify(self, request: web.Request) -> Identity | None:
        """The identity that the request proves, or None; the path's user id must be its own.

        Raises AppError when a ticket can't be looked up.
        """
        try:
            identity = await self._prove(request)
        except InvalidToken as error:
            log.info("nobody comes in: %s", error)
            return None
        claimed = request.match_info.get("user_id")
        if claimed is not None and parse_user_id(claimed) != identity.user_id:
            return None
        return identity

    def still_holds(self, identity: Identity) -> bool:
        """Whether it was not taken back while its socket came in."""
        try:
            self._verifier.check(identity)
        except InvalidToken:
            return False
        return True

    async def _prove(self, request: web.Request) -> Identity:
        token = _token(request)
        if token is not None:
            return self._verifier.verify(token)
        # What merely follows a link must not use the ticket up.
        if (ticket := request.query.get("ticket")) and wants_socket(request):
            identity = await self._tickets.redeem(ticket)
            self._verifier.check(identity)
            return identity
        raise InvalidToken("nothing is shown")


def wants_socket(request: web.Request) -> bool:
    """Whether this is an upgrade to a WebSocket at all."""
    return request.headers.get(hdrs.UPGRADE, "").lower() == "websocket"


def _token(request: web.Request) -> str | None:
    """From the header, else the subprotocols, else the query; the first that is there decides."""
    scheme, _, token = request.headers.get(hdrs.AUTHORIZATION, "").partition(" ")
    if scheme.lower() == "bearer":
        return token.strip()
    for offer in request.headers.get(hdrs.SEC_WEBSOCKET_PROTOCOL, "").split(","):
        if offer.strip().startswith(_BEARER):
            return offer.strip()[len(_BEARER) :]
    return request.query.get("token")
