"""Answers the operations on users that the gateway carries out itself for a host application."""

from __future__ import annotations

import time
from typing import Any

from gateway.auth.revocations import Revocations
from gateway.edge.server import ServerHandler
from gateway.sockets.commands import ask
from messenger_shared.contract import errors, timestamps, tokens
from messenger_shared.contract.errors import AppError
from messenger_shared.contract.identifiers import SERVER
from messenger_shared.contract.operations.operation import KEY_FIELD, Body, Operation
from messenger_shared.contract.operations.server import users as server_users
from messenger_shared.contract.tokens import Rules
from messenger_shared.rpc.client import RpcClient


class ServerUsers:
    """Deactivating users, revoking their sessions, and making tokens for them."""

    def __init__(
        self, rpc: RpcClient, revocations: Revocations, rules: Rules, signing_secret: bytes | None
    ) -> None:
        self._rpc = rpc
        self._revocations = revocations
        self._rules = rules
        self._signing_secret = signing_secret
        self.handlers: dict[str, ServerHandler] = {
            server_users.DEACTIVATE.name: self.deactivate,
            server_users.REVOKE_SESSIONS.name: self.revoke_sessions,
            server_users.TOKEN.name: self.token,
        }

    async def deactivate(self, body: Body) -> None:
        """Stores that the user is deactivated, then closes their sockets everywhere."""
        await self._ask(server_users.SET_DEACTIVATED, body)
        await self._revocations.revoke(body["user_id"])

    async def revoke_sessions(self, body: Body) -> None:
        """Closes the user's sockets and revokes the tokens issued until now."""
        await self._ask(server_users.GET, body)
        await self._revocations.revoke(body["user_id"])

    async def token(self, body: Body) -> dict[str, Any]:
        """A token for the user. Raises AppError(user_deactivated), and forbidden without a shared secret."""
        if self._signing_secret is None:
            text = "The gateway has public keys only. Sign tokens where the private key is."
            raise AppError(errors.FORBIDDEN, details={"token": [text]})
        user = await self._ask(server_users.GET, body)
        if user["deactivated"]:
            raise AppError(errors.USER_DEACTIVATED)
        ttl_s = min(body["ttl_s"], self._rules.max_lifetime_s or body["ttl_s"])
        subject = user["id"] if not self._rules.external_ids else user["external_id"]
        parties = {"iss": self._rules.issuer, "aud": self._rules.audience}
        claims = {name: value for name, value in parties.items() if value is not None}
        # Not whole seconds: a token must be newer than a revocation of the same second.
        token = tokens.mint(subject, self._signing_secret, ttl_s, iat=timestamps.latest(), **claims)
        expires_at = int(time.time()) + ttl_s
        return {"token": token, "expires_at": timestamps.from_unix(expires_at)}

    async def _ask(self, operation: Operation, body: Body) -> Any:
        fields = {"user_id": body["user_id"], KEY_FIELD: body[KEY_FIELD]}
        return await ask(self._rpc, operation, fields, SERVER)
