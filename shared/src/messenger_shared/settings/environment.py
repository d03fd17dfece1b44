"""Reads environment variables as typed values. A bad value raises SettingsError with the variable's name."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit


class SettingsError(Exception):
    """A variable is missing or invalid, or its server can't be reached; the text names the variable."""


class Environment:
    """Typed access to environment variables."""

    def __init__(self, variables: Mapping[str, str]) -> None:
        self._variables = variables

    def text(self, name: str, default: str | None = None) -> str:
        """The variable's text. Without a default, the variable is required."""
        value = self._variables.get(name, default)
        if not value and default is None:
            raise SettingsError(f"{name} is not set")
        return value or ""

    def integer(self, name: str, default: int, minimum: int = 0) -> int:
        """A whole number of at least `minimum`; raises SettingsError."""
        text = self._variables.get(name, "")
        if not text:
            return default
        try:
            value = int(text)
        except ValueError:
            raise SettingsError(f"{name} is not a whole number: {text!r}") from None
        if value < minimum:
            raise SettingsError(f"{name} must be at least {minimum}")
        return value

    def flag(self, name: str, *, default: bool) -> bool:
        """1 as True, 0 as False; raises SettingsError for anything else."""
        value = self.integer(name, int(default))
        if value > 1:
            raise SettingsError(f"{name} must be 0 or 1")
        return bool(value)

    def items(self, name: str, default: str | None = None) -> tuple[str, ...]:
        """The items of a comma-separated list, without white space and empty items."""
        return tuple(part.strip() for part in self.text(name, default).split(",") if part.strip())

    def web_address(self, name: str) -> str | None:
        """An http or https URL, or a path on this origin; None if not set. Raises SettingsError."""
        text = self.text(name, "")
        if text and not text.startswith(("https://", "http://", "/")):
            raise SettingsError(f"{name} is neither an http:// or https:// URL nor a path: {text!r}")
        return text or None

    def has(self, name: str) -> bool:
        """Whether `name` is set and not empty."""
        return bool(self._variables.get(name))

    def urls(self, name: str, schemes: tuple[str, ...]) -> tuple[str, ...]:
        """Comma-separated URLs, at least one, each with one of `schemes` and a host. Raises SettingsError."""
        urls = self.items(name)
        if not urls or not all(_is_url(url, schemes) for url in urls):
            # The text leaves the value out, because it may hold a password.
            raise SettingsError(f"{name} is not a list of {' or '.join(f'{s}://' for s in schemes)} URLs")
        return urls

    def url(self, name: str, schemes: tuple[str, ...]) -> str:
        """A URL with one of `schemes` and a host; raises SettingsError."""
        text = self.text(name)
        if not _is_url(text, schemes):
            # The text leaves the value out, because it may hold a password.
            raise SettingsError(f"{name} is not a URL of {' or '.join(schemes)}")
        return text

    def has_secret(self, name: str) -> bool:
        """Whether `<name>_FILE` or `name` is set."""
        return bool(self._variables.get(f"{name}_FILE") or self._variables.get(name))

    def secret(self, name: str, minimum_bytes: int) -> bytes:
        """A secret, from the file `<name>_FILE` if that is set, else from `name`. Raises SettingsError."""
        path = self._variables.get(f"{name}_FILE")
        try:
            text = Path(path).read_text().strip() if path else self.text(name)
        except OSError as error:
            raise SettingsError(f"{name}_FILE: {error.strerror}") from None
        if len(text.encode()) < minimum_bytes:
            raise SettingsError(f"{name} must have at least {minimum_bytes} bytes")
        return text.encode()


def _is_url(url: str, schemes: tuple[str, ...]) -> bool:
    try:
        parts = urlsplit(url)
        return parts.scheme in schemes and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False
