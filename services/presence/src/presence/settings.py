"""Owns presence's settings."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import Final

from messenger_shared.common_settings import PRESENCE_GRACE, PROCESS, STORE, StoreSettings
from messenger_shared.settings import Environment
from messenger_shared.variables import Flag, Variable, main

ONLINE_STATUS: Final = Flag(
    name="MESSENGER_ONLINE_STATUS",
    default=True,
    meaning="Whether other systems are told of every transition, on the Redis channel `online:status`.",
)
VARIABLES: Final[tuple[Variable, ...]] = (*STORE, PRESENCE_GRACE, ONLINE_STATUS, *PROCESS)


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
            store=StoreSettings.read(env), grace_ms=PRESENCE_GRACE.of(env), to_operators=ONLINE_STATUS.of(env)
        )


if __name__ == "__main__":
    sys.exit(main(VARIABLES))
