"""Declares the feed's settings of push and reads them from the environment."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, cast
from urllib.parse import urlsplit

from chat_api.push.payloads import Texts
from chat_api.push.settings import STDOUT
from messenger_shared.settings.environment import Environment, SettingsError
from messenger_shared.settings.variables import Choice, Text, Variable

CONTACT: Final = Text(
    name="MESSENGER_PUSH_CONTACT",
    meaning="How push services reach the operator: `mailto:ops@example.com`, or an https address. Without "
    "it some refuse pushes, Apple's among them.",
)
TEXT: Final = Choice(
    name="MESSENGER_PUSH_TEXT",
    choices=("full", "sender", "none"),
    meaning="What pushes have in them, encrypted for the browser: the text of the message (`full`); who "
    "wrote and in which conversation (`sender`); or neither (`none`).",
)
PUSH: Final[tuple[Variable, ...]] = (CONTACT, TEXT, STDOUT)


@dataclass(frozen=True, slots=True)
class PushSettings:
    """The feed's settings of push."""

    contact: str = ""
    texts: Texts = "full"
    stdout: bool = False

    @classmethod
    def read(cls, env: Environment) -> PushSettings:
        """The settings in the environment; raises SettingsError."""
        contact = CONTACT.of(env)
        if contact and not _is_contact(contact):
            raise SettingsError(f"{CONTACT.name} is neither mailto: nor an https address: {contact!r}")
        texts = cast("Texts", TEXT.of(env))
        return cls(contact, texts, STDOUT.of(env))


def _is_contact(text: str) -> bool:
    url = urlsplit(text)
    return (url.scheme == "mailto" and "@" in url.path) or (url.scheme == "https" and bool(url.hostname))
