"""Declares chat-api's settings and reads them from the environment."""

from __future__ import annotations

import sys
from dataclasses import dataclass, field
from typing import Final

from chat_api.outgoing.settings import OUTGOING, OutgoingSettings
from messenger_shared.settings.common import PROCESS, STORE, USER_IDS, StoreSettings
from messenger_shared.settings.environment import Environment
from messenger_shared.settings.variables import Choice, Flag, Variable, Whole, main

EVERYONE: Final = "everyone"
OFF: Final = "off"
DIRECTORY: Final = Choice(
    name="MESSENGER_DIRECTORY",
    choices=("contacts", EVERYONE, OFF),
    meaning="Whom users find by name: `contacts` are those they share a conversation with; or `everyone`, or "
    "`off`.",
)
OBSERVERS_REACT: Final = Flag(
    name="MESSENGER_OBSERVERS_REACT", default=True, meaning="1 lets observers react to messages."
)
FILE_BYTES_PER_DAY: Final = Whole(
    name="MESSENGER_FILE_BYTES_PER_DAY",
    default=1024**3,
    meaning="How many bytes of files one user may upload within 24 hours; 0 is no limit.",
)
FILES_PER_DAY: Final = Whole(
    name="MESSENGER_FILES_PER_DAY",
    default=1_000,
    meaning="How many files one user may upload within 24 hours; 0 is no limit.",
)
VARIABLES: Final[tuple[Variable, ...]] = (
    *STORE,
    USER_IDS,
    DIRECTORY,
    OBSERVERS_REACT,
    FILE_BYTES_PER_DAY,
    FILES_PER_DAY,
    *OUTGOING,
    *PROCESS,
)


@dataclass(frozen=True, slots=True)
class ChatSettings:
    """chat-api's settings."""

    store: StoreSettings
    # Whether a user may be named before the host or a token has made them known.
    may_create_users: bool = True
    directory: str = DIRECTORY.choices[0]
    observers_react: bool = True
    # What one user may upload within 24 hours; 0 is no limit.
    file_bytes_per_day: int = FILE_BYTES_PER_DAY.default
    files_per_day: int = FILES_PER_DAY.default
    outgoing: OutgoingSettings = field(default_factory=OutgoingSettings)

    @classmethod
    def read(cls, env: Environment) -> ChatSettings:
        """The settings in the environment; raises SettingsError."""
        return cls(
            StoreSettings.read(env),
            USER_IDS.of(env) == "numeric",
            DIRECTORY.of(env),
            OBSERVERS_REACT.of(env),
            FILE_BYTES_PER_DAY.of(env),
            FILES_PER_DAY.of(env),
            OutgoingSettings.read(env),
        )


if __name__ == "__main__":
    sys.exit(main(VARIABLES))
