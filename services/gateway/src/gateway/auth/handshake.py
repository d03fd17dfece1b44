"""Finds the token or ticket in a request, and the identity that it proves."""

from __future__ import annotations

import logging
from typing import Final

from aiohttp import hdrs, web

from gateway.auth.authenticator import Authenticator
from gateway.auth.tickets import Tickets
from gateway.auth.upgrade import upgrade_error
from messenger_shared.contract.tokens import Identity, InvalidToken, parse_user_id

log = logging.getLogger(__name__)

SUBPROTOCOL: Final = "messenger.v1"
_BEARER: Final = "bearer."


class Handshake:
    """Identifies the user who opens a socket."""

    def __init__(self, authenticator: Authenticator, tickets: Tickets) -> None:
        self._authenticator = authenticator
        self._tickets = tickets

    async def identify(self, request: web.Request) -> Identity | None:
        """The identity that the request proves; None if it proves none, or if its path names another user.

        Raises AppError when a ticket can't be looked up.
        """
        try:
            identity = await self._authenticate(request)
        except InvalidToken as error:
            log.info("socket refused: %s", error)
            return None
        claimed = request.match_info.get("user_id")
        if claimed is not None and not _is_claimed(identity, claimed):
            return None
        return identity

    def is_still_valid(self, identity: Identity) -> bool:
        """Whether the token was not revoked while its socket was opening."""
        try:
            self._authenticator.check(identity)
        except InvalidToken:
            return False
        return True

    async def _authenticate(self, request: web.Request) -> Identity:
        token = _token(request)
        if token is not None:
            return await self._authenticator.authenticate(token)
        # Only a whole upgrade redeems a ticket: a request that merely follows a link must not use it up.
        if (ticket := request.query.get("ticket")) and upgrade_error(request) is None:
            identity = await self._tickets.redeem(ticket)
            self._authenticator.check(identity)
            return identity
        raise InvalidToken("no token and no ticket")


def _is_claimed(identity: Identity, claimed: str) -> bool:
    """Whether a path names this user, in the same way as their token does."""
    if identity.external_id is not None:
        return claimed == identity.external_id
    return parse_user_id(claimed) == identity.user_id


def _token(request: web.Request) -> str | None:
    """The token from the header, else the subprotocols, else the query. Only the first one found counts."""
    scheme, _, token = request.headers.get(hdrs.AUTHORIZATION, "").partition(" ")
    if scheme.lower() == "bearer":
        return token.strip()
    for offer in request.headers.get(hdrs.SEC_WEBSOCKET_PROTOCOL, "").split(","):
        if offer.strip().startswith(_BEARER):
            return offer.strip()[len(_BEARER) :]
    return request.query.get("token")
