"""Owns presence's settings."""

from __future__ import annotations

from dataclasses import dataclass

from messenger_shared.settings import Environment, StoreSettings


@dataclass(frozen=True, slots=True)
class PresenceSettings:
    """What a store needs, and what an operator decides."""

    store: StoreSettings
    grace_ms: int
    to_operators: bool

    @classmethod
    def read(cls, env: Environment) -> PresenceSettings:
        """Raises SettingsError."""
        return cls(
            store=StoreSettings.read(env),
            grace_ms=env.presence_grace_ms(),
            to_operators=env.flag("MESSENGER_ONLINE_STATUS", default=True),
        )
