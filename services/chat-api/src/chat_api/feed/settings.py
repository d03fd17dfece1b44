"""Declares the settings of the feed and reads them from the environment."""

from __future__ import annotations

import sys
from dataclasses import dataclass, field
from typing import Final

from chat_api.feed.push.settings import PUSH, PushSettings
from chat_api.outgoing.settings import OUTGOING, OutgoingSettings
from messenger_shared.settings.common import BIND, GRACEFUL, STORE, WORKERS, StoreSettings
from messenger_shared.settings.environment import Environment
from messenger_shared.settings.variables import Variable, Whole, main

EVENTS_DAYS: Final = Whole(
    name="MESSENGER_EVENTS_DAYS",
    default=30,
    minimum=1,
    meaning="How many days the log of events is kept, and the list of webhooks' attempts. A host that is "
    "behind for longer misses events.",
)
VARIABLES: Final[tuple[Variable, ...]] = (*STORE, EVENTS_DAYS, *PUSH, *OUTGOING, BIND, WORKERS, GRACEFUL)


@dataclass(frozen=True, slots=True)
class FeedSettings:
    """The feed's settings."""

    store: StoreSettings
    outgoing: OutgoingSettings = field(default_factory=OutgoingSettings)
    push: PushSettings = field(default_factory=PushSettings)
    events_days: int = EVENTS_DAYS.default

    @classmethod
    def read(cls, env: Environment) -> FeedSettings:
        """The settings in the environment; raises SettingsError."""
        return cls(
            StoreSettings.read(env), OutgoingSettings.read(env), PushSettings.read(env), EVENTS_DAYS.of(env)
        )


if __name__ == "__main__":
    sys.exit(main(VARIABLES))
