"""Owns the names of presence's keys in Redis (channels such as presence:{user} are no keys: no clash)."""

from __future__ import annotations


class Keys:
    """The keys under one prefix."""

    def __init__(self, prefix: str) -> None:
        self.leases = f"{prefix}leases"
        self.numbers = f"{prefix}numbers"
        self.counts = f"{prefix}counts"
        self.looked = f"{prefix}looked"
        self._users = f"{prefix}users:"

    def users(self, gateway: str) -> str:
        """The set of one gateway's users."""
        return self._users + gateway
