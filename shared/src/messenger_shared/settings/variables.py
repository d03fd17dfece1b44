"""Declares environment variables: name, type, default, meaning, and how operators see the value.

Each service declares its variables in its `settings` and reads the environment through them. So the table in
`shared/docs/configuration.md` and the output of `messenger config` always match the code.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass
from typing import ClassVar, Final
from urllib.parse import urlsplit, urlunsplit

from messenger_shared.settings.environment import Environment, SettingsError

MASK: Final = "****"


@dataclass(frozen=True, slots=True, kw_only=True)
class Variable:
    """What all types of variables have in common."""

    name: str
    meaning: str

    kind: ClassVar[str] = ""

    @property
    def default_text(self) -> str:
        """The default as an operator would write it; empty without a default."""
        return ""

    def shown(self, env: Environment) -> str:
        """The effective value with secrets masked; raises SettingsError."""
        return ""

    def is_set(self, env: Environment) -> bool:
        """Whether the environment sets this variable."""
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
        """The value; raises SettingsError."""
        return env.integer(self.name, self.default, self.minimum)

    def shown(self, env: Environment) -> str:
        return str(self.of(env))


@dataclass(frozen=True, slots=True, kw_only=True)
class Flag(Variable):
    """A switch: 1 or 0."""

    default: bool
    kind: ClassVar[str] = "0 or 1"

    @property
    def default_text(self) -> str:
        return str(int(self.default))

    def of(self, env: Environment) -> bool:
        """The value; raises SettingsError."""
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
        """The text; may be empty."""
        return env.text(self.name, self.default)

    def shown(self, env: Environment) -> str:
        return without_password(self.of(env))


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice(Variable):
    """One of several words. The first is the default."""

    choices: tuple[str, ...]
    kind: ClassVar[str] = "choice"

    @property
    def default_text(self) -> str:
        return self.choices[0]

    def of(self, env: Environment) -> str:
        """The word; raises SettingsError."""
        value = env.text(self.name, self.choices[0])
        if value not in self.choices:
            raise SettingsError(f"{self.name} is not one of {', '.join(self.choices)}: {value!r}")
        return value

    def shown(self, env: Environment) -> str:
        return self.of(env)


@dataclass(frozen=True, slots=True, kw_only=True)
class Items(Variable):
    """A comma-separated list; empty by default."""

    kind: ClassVar[str] = "list"

    def of(self, env: Environment) -> tuple[str, ...]:
        """The items, without white space around them."""
        return env.items(self.name, "")

    def shown(self, env: Environment) -> str:
        return ",".join(self.of(env))


@dataclass(frozen=True, slots=True, kw_only=True)
class WebAddress(Variable):
    """An http or https URL, or a path on this origin; none by default."""

    kind: ClassVar[str] = "URL or path"

    def of(self, env: Environment) -> str | None:
        """The value; raises SettingsError."""
        return env.web_address(self.name)

    def shown(self, env: Environment) -> str:
        return self.of(env) or ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Urls(Variable):
    """Comma-separated URLs; at least one is required."""

    schemes: tuple[str, ...]
    kind: ClassVar[str] = "URLs, required"

    def of(self, env: Environment) -> tuple[str, ...]:
        """The value; raises SettingsError."""
        return env.urls(self.name, self.schemes)

    def shown(self, env: Environment) -> str:
        return ",".join(map(without_password, self.of(env)))


@dataclass(frozen=True, slots=True, kw_only=True)
class Database(Variable):
    """A libpq connection string: a URL or `name=value` pairs; required."""

    kind: ClassVar[str] = "URL, required"

    def of(self, env: Environment) -> str:
        """The value; raises SettingsError."""
        return env.text(self.name)

    def shown(self, env: Environment) -> str:
        text = self.of(env)
        return without_password(text) if "://" in text else MASK


@dataclass(frozen=True, slots=True, kw_only=True)
class Secret(Variable):
    """A secret, in the variable itself or in the file `<name>_FILE`; never shown."""

    minimum_bytes: int
    kind: ClassVar[str] = "secret"

    def is_set(self, env: Environment) -> bool:
        return env.has_secret(self.name)

    def of(self, env: Environment) -> bytes:
        """The value; raises SettingsError."""
        return env.secret(self.name, self.minimum_bytes)

    def shown(self, env: Environment) -> str:
        return MASK if self.is_set(env) and self.of(env) else ""


def without_password(text: str) -> str:
    """`text` with the password masked if it is a URL with one; other text unchanged."""
    parts = urlsplit(text)
    if not parts.password:
        return text
    user, _, host = parts.netloc.rpartition("@")
    return urlunsplit(parts._replace(netloc=f"{user.partition(':')[0]}:{MASK}@{host}"))


def report(variables: Iterable[Variable], env: Environment) -> tuple[list[str], bool]:
    """One line per variable with its effective value, and whether all variables are valid."""
    lines, is_valid = [], True
    for variable in variables:
        try:
            source = "" if variable.is_set(env) else "  (default)"
            lines.append(f"{variable.name}={variable.shown(env)}{source}")
        except SettingsError as error:
            lines.append(f"{variable.name}: {error}")
            is_valid = False
    return lines, is_valid


def main(variables: Iterable[Variable]) -> int:
    """Runs `python -m <service>.settings`; returns the exit code."""
    lines, is_valid = report(variables, Environment(os.environ))
    print(*lines, sep="\n")
    return 0 if is_valid else 1
