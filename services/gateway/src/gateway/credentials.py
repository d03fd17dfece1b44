"""Owns what clients prove themselves by, tokens and tickets, and what of it was taken back."""

from __future__ import annotations

from gateway.hub import Hub
from gateway.limits import Allowances
from gateway.revocations import Revocations
from gateway.settings import GatewaySettings
from gateway.tickets import Tickets
from messenger_shared.bus import Bus
from messenger_shared.redis_steps import client
from messenger_shared.tokens import Verifier


class Credentials:
    """What a token or a ticket has to be."""

    def __init__(self, settings: GatewaySettings, bus: Bus, hub: Hub) -> None:
        self._keys = settings.jwt_keys
        # Keys aren't spread over the servers as channels are.
        self._redis = client(settings.redis_urls[0])
        self.revocations = Revocations(self._redis, bus, hub, settings.jwt_rules.max_lifetime_s)
        self.verifier = Verifier(self._keys.current, settings.jwt_rules, self.revocations.covers)
        self.tickets = Tickets(self._redis, Allowances(settings.limits.max_sockets))

    async def start(self) -> None:
        """Returns when there are keys to check tokens with, and it is known which count no more."""
        await self._keys.start()
        await self.revocations.start()

    async def stop(self) -> None:
        """Closes the connections."""
        await self.revocations.stop()
        await self._keys.stop()
        await self._redis.aclose()
