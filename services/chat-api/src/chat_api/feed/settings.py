"""Declares the settings of the feed and reads them from the environment."""

from __future__ import annotations

import sys
from dataclasses import dataclass, field
from typing import Final

from chat_api.outgoing.settings import OUTGOING, OutgoingSettings
from messenger_shared.settings.common import BIND, GRACEFUL, STORE, WORKERS, StoreSettings
from messenger_shared.settings.environment import Environment
from messenger_shared.settings.variables import Variable, main

VARIABLES: Final[tuple[Variable, ...]] = (*STORE, *OUTGOING, BIND, WORKERS, GRACEFUL)


@dataclass(frozen=True, slots=True)
class FeedSettings:
    """The feed's settings."""

    store: StoreSettings
    outgoing: OutgoingSettings = field(default_factory=OutgoingSettings)

    @classmethod
    def read(cls, env: Environment) -> FeedSettings:
        """The settings in the environment; raises SettingsError."""
        return cls(StoreSettings.read(env), OutgoingSettings.read(env))


if __name__ == "__main__":
    sys.exit(main(VARIABLES))
