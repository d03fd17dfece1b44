"""Turns a token into the identity of a user: verified, admitted and not revoked."""

from __future__ import annotations

from gateway.auth.accounts import Accounts
from messenger_shared.contract.tokens import Identity, Verifier


class Authenticator:
    """Authenticates tokens and the identities that were made of them."""

    def __init__(self, verifier: Verifier, accounts: Accounts) -> None:
        self._verifier = verifier
        self._accounts = accounts

    async def authenticate(self, token: str) -> Identity:
        """The user's identity. Raises InvalidToken, and AppError when chat-api is needed and away."""
        identity = await self._accounts.admit(self._verifier.verify(token))
        self.check(identity)
        return identity

    def check(self, identity: Identity) -> None:
        """Raises InvalidToken if the token was revoked."""
        self._verifier.check(identity)
