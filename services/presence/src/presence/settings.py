"""Defines and reads presence's settings."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import Final

from messenger_shared.settings.common import PRESENCE_GRACE, PROCESS, STORE, StoreSettings
from messenger_shared.settings.environment import Environment
from messenger_shared.settings.variables import Flag, Variable, main

ONLINE_STATUS: Final = Flag(
    name="MESSENGER_ONLINE_STATUS",
    default=True,
    meaning="Whether other systems are told of every transition, on the Redis channel `online:status`.",
)
VARIABLES: Final[tuple[Variable, ...]] = (*STORE, PRESENCE_GRACE, ONLINE_STATUS, *PROCESS)


@dataclass(frozen=True, slots=True)
class PresenceSettings:
    """The settings of the stores, and those of presence itself."""

    store: StoreSettings
    grace_ms: int
    publish_online_status: bool

    @classmethod
    def read(cls, env: Environment) -> PresenceSettings:
        """Reads the settings. Raises SettingsError."""
        return cls(
            store=StoreSettings.read(env),
            grace_ms=PRESENCE_GRACE.of(env),
            publish_online_status=ONLINE_STATUS.of(env),
        )


if __name__ == "__main__":
    sys.exit(main(VARIABLES))
