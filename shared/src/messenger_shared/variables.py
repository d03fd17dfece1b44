"""Owns what an environment variable is: its name, type, default and meaning, and how operators see it.

Each service declares its own in its `settings` and reads the environment through them, so that the table for
operators (`shared/docs/configuration.md`) and `messenger config` are made of what the code reads.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass
from typing import ClassVar, Final
from urllib.parse import urlsplit, urlunsplit

from messenger_shared.settings import Environment, SettingsError

MASK: Final = "****"


@dataclass(frozen=True, slots=True, kw_only=True)
class Variable:
    """What all kinds have in common."""

    name: str
    meaning: str

    kind: ClassVar[str] = ""

    @property
    def default_text(self) -> str:
        """The default as an operator would write it; empty where there is none."""
        return ""

    def shown(self, env: Environment) -> str:
        """The effective value, nothing secret in it; raises SettingsError."""
        return ""

    def is_set(self, env: Environment) -> bool:
        """Whether the environment says something about it."""
        return env.has(self.name)


@dataclass(frozen=True, slots=True, kw_only=True)
class Whole(Variable):
    """A whole number."""

    default: int
    minimum: int = 0
    kind: ClassVar[str] = "whole number"

    @property
    def default_text(self) -> str:
        return str(self.default)

    def of(self, env: Environment) -> int:
        """Raises SettingsError."""
        return env.integer(self.name, self.default, self.minimum)

    def shown(self, env: Environment) -> str:
        return str(self.of(env))


@dataclass(frozen=True, slots=True, kw_only=True)
class Flag(Variable):
    """Yes or no."""

    default: bool
    kind: ClassVar[str] = "0 or 1"

    @property
    def default_text(self) -> str:
        return str(int(self.default))

    def of(self, env: Environment) -> bool:
        """Raises SettingsError."""
        return env.flag(self.name, default=self.default)

    def shown(self, env: Environment) -> str:
        return str(int(self.of(env)))


@dataclass(frozen=True, slots=True, kw_only=True)
class Text(Variable):
    """Any text."""

    default: str = ""
    kind: ClassVar[str] = "text"

    @property
    def default_text(self) -> str:
        return self.default

    def of(self, env: Environment) -> str:
        """The text, maybe none."""
        return env.text(self.name, self.default)

    def shown(self, env: Environment) -> str:
        return without_password(self.of(env))


@dataclass(frozen=True, slots=True, kw_only=True)
class Items(Variable):
    """A list with commas; none by default."""

    kind: ClassVar[str] = "list"

    def of(self, env: Environment) -> tuple[str, ...]:
        """The parts without white space around them."""
        return env.items(self.name, "")

    def shown(self, env: Environment) -> str:
        return ",".join(self.of(env))


@dataclass(frozen=True, slots=True, kw_only=True)
class WebAddress(Variable):
    """An address that a browser opens; none by default."""

    kind: ClassVar[str] = "URL or path"

    def of(self, env: Environment) -> str | None:
        """Raises SettingsError."""
        return env.web_address(self.name)

    def shown(self, env: Environment) -> str:
        return self.of(env) or ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Urls(Variable):
    """One URL or several with commas; there has to be one."""

    schemes: tuple[str, ...]
    kind: ClassVar[str] = "URLs, required"

    def of(self, env: Environment) -> tuple[str, ...]:
        """Raises SettingsError."""
        return env.urls(self.name, self.schemes)

    def shown(self, env: Environment) -> str:
        return ",".join(map(without_password, self.of(env)))


@dataclass(frozen=True, slots=True, kw_only=True)
class Database(Variable):
    """What libpq takes for a connection: a URL, or `name=value` pairs; there has to be one."""

    kind: ClassVar[str] = "URL, required"

    def of(self, env: Environment) -> str:
        """Raises SettingsError."""
        return env.text(self.name)

    def shown(self, env: Environment) -> str:
        text = self.of(env)
        return without_password(text) if "://" in text else MASK


@dataclass(frozen=True, slots=True, kw_only=True)
class Secret(Variable):
    """A secret, in the variable or in a file that `<name>_FILE` names; never shown."""

    minimum_bytes: int
    kind: ClassVar[str] = "secret"

    def is_set(self, env: Environment) -> bool:
        return env.has_secret(self.name)

    def of(self, env: Environment) -> bytes:
        """Raises SettingsError."""
        return env.secret(self.name, self.minimum_bytes)

    def shown(self, env: Environment) -> str:
        return MASK if self.is_set(env) and self.of(env) else ""


def without_password(text: str) -> str:
    """A URL whose password nobody reads; other text as it is."""
    parts = urlsplit(text)
    if not parts.password:
        return text
    user, _, host = parts.netloc.rpartition("@")
    return urlunsplit(parts._replace(netloc=f"{user.partition(':')[0]}:{MASK}@{host}"))


def report(variables: Iterable[Variable], env: Environment) -> tuple[list[str], bool]:
    """A line for each variable with what is in force, and whether a service would start with that."""
    lines, is_sound = [], True
    for variable in variables:
        try:
            source = "" if variable.is_set(env) else "  (default)"
            lines.append(f"{variable.name}={variable.shown(env)}{source}")
        except SettingsError as error:
            lines.append(f"{variable.name}: {error}")
            is_sound = False
    return lines, is_sound


def main(variables: Iterable[Variable]) -> int:
    """What `python -m <service>.settings` does; returns the exit code."""
    lines, is_sound = report(variables, Environment(os.environ))
    print(*lines, sep="\n")
    return 0 if is_sound else 1
