"""A messenger that somebody else runs, at `MESSENGER_TEST_URL`. Tests reach only its gateway."""

from __future__ import annotations

import os
from typing import Any, NoReturn

import pytest

from messenger_shared.contract import tokens


class ExternalStack:
    """The address and the secret of that messenger. A test that needs more is skipped."""

    def __init__(self, url: str, secret: str) -> None:
        self.url = url
        self._secret = secret.encode()

    @classmethod
    def named(cls) -> ExternalStack | None:
        """Returns the messenger that the environment names, or None."""
        url = os.environ.get("MESSENGER_TEST_URL")
        return cls(url, os.environ["MESSENGER_TEST_JWT_SECRET"]) if url else None

    def token(self, user_id: int, ttl: int = 3600, **claims: Any) -> str:
        """Returns a token for `user_id`."""
        return tokens.mint(user_id, self._secret, ttl, **claims)

    def status(self) -> NoReturn:
        """Skips the test: the processes of an external messenger aren't known."""
        pytest.skip("needs the processes of a stack of its own")

    async def workers(self, service: str) -> NoReturn:
        """Skips the test, for the same reason."""
        self.status()

    def __getattr__(self, name: str) -> Any:
        pytest.skip(f"needs {name} of a stack of its own")
