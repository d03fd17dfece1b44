"""Declares chat-api's settings and reads them from the environment."""

from __future__ import annotations

import sys
from dataclasses import dataclass, field
from typing import Final

from yarl import URL

from chat_api.outgoing.settings import OUTGOING, OutgoingSettings
from chat_api.outgoing.signatures import is_secret
from chat_api.push.settings import STDOUT
from messenger_shared.settings.common import PROCESS, STORE, USER_IDS, StoreSettings
from messenger_shared.settings.environment import Environment, SettingsError
from messenger_shared.settings.variables import Choice, Flag, Secret, Text, Variable, Whole, main

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
BEFORE_SEND_URL: Final = Text(
    name="MESSENGER_BEFORE_SEND_URL",
    meaning="A service of yours that is asked before a user's message is stored or edited: http or https, "
    "and it may have a private address. Without it nobody is asked.",
)
BEFORE_SEND_SECRET: Final = Secret(
    name="MESSENGER_BEFORE_SEND_SECRET",
    minimum_bytes=38,
    meaning="Signs these requests, as Standard Webhooks has it: `whsec_` and 24 to 64 bytes in Base64.",
)
BEFORE_SEND_FAIL: Final = Choice(
    name="MESSENGER_BEFORE_SEND_FAIL",
    choices=("open", "closed"),
    meaning="What happens to a message when the service gives no answer within 1.5 s: `open` stores it, "
    "`closed` refuses it for the moment.",
)
VARIABLES: Final[tuple[Variable, ...]] = (
    *STORE,
    USER_IDS,
    DIRECTORY,
    OBSERVERS_REACT,
    FILE_BYTES_PER_DAY,
    FILES_PER_DAY,
    BEFORE_SEND_URL,
    BEFORE_SEND_SECRET,
    BEFORE_SEND_FAIL,
    STDOUT,
    *OUTGOING,
    *PROCESS,
)


@dataclass(frozen=True, slots=True)
class BeforeSendSettings:
    """Who is asked before a message is stored, and what happens without an answer."""

    url: str
    secret: str
    fails_open: bool

    @classmethod
    def read(cls, env: Environment) -> BeforeSendSettings | None:
        """The settings in the environment; None without a URL. Raises SettingsError."""
        fails_open = BEFORE_SEND_FAIL.of(env) == "open"
        if not BEFORE_SEND_URL.of(env):
            return None
        url = env.url(BEFORE_SEND_URL.name, ("http", "https"))
        secret = BEFORE_SEND_SECRET.of(env).decode()
        if not is_secret(secret):
            raise SettingsError(f"{BEFORE_SEND_SECRET.name} is not whsec_ and 24 to 64 bytes in Base64")
        return cls(url, secret, fails_open)

    @property
    def host(self) -> str:
        """The host of the URL."""
        return URL(self.url).raw_host or ""


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
    before_send: BeforeSendSettings | None = None
    outgoing: OutgoingSettings = field(default_factory=OutgoingSettings)
    # Whether devices of kinds without an adapter are taken.
    push_stdout: bool = STDOUT.default

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
            BeforeSendSettings.read(env),
            OutgoingSettings.read(env),
            STDOUT.of(env),
        )


if __name__ == "__main__":
    sys.exit(main(VARIABLES))
