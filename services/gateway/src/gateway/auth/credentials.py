"""Wires what clients authenticate with: signing keys, tickets and revocations."""

from __future__ import annotations

from gateway.auth.accounts import Accounts
from gateway.auth.authenticator import Authenticator
from gateway.auth.revocations import Revocations
from gateway.auth.signing_keys import SigningKeys
from gateway.auth.tickets import Tickets
from gateway.connections.hub import Hub
from gateway.connections.rate_limits import TokenBuckets
from messenger_shared.bus.interface import Bus
from messenger_shared.bus.redis_client import client
from messenger_shared.contract.tokens import Rules, Verifier
from messenger_shared.rpc.client import RpcClient


class Credentials:
    """This worker's authenticator, its tickets, and the revocations that it knows."""

    def __init__(
        self,
        keys: SigningKeys,
        rules: Rules,
        redis_url: str,
        max_sockets: int,
        bus: Bus,
        rpc: RpcClient,
        hub: Hub,
    ) -> None:
        self._keys = keys
        self._redis = client(redis_url)
        self._accounts = Accounts(rpc)
        self.revocations = Revocations(self._redis, bus, hub, rules.max_lifetime_s, self._accounts.forget)
        verifier = Verifier(self._keys.current, rules, self.revocations.is_revoked)
        self.authenticator = Authenticator(verifier, self._accounts)
        self.tickets = Tickets(self._redis, TokenBuckets(max_sockets))

    async def start(self) -> None:
        """Returns when the signing keys and the revocations are loaded. Raises SettingsError and AppError."""
        await self._keys.start()
        await self.revocations.start()

    async def stop(self) -> None:
        """Stops the updates, and closes the connection to Redis."""
        await self.revocations.stop()
        await self._accounts.stop()
        await self._keys.stop()
        await self._redis.aclose()
