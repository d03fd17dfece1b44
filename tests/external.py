"""Owns the tests' view of a messenger that somebody else runs, at `MESSENGER_TEST_URL`: its door alone."""

from __future__ import annotations

import os
from typing import Any, NoReturn

import pytest

from messenger_shared import tokens


class ExternalStack:
    """Its door and its secret. A test that looks behind the door is skipped."""

    def __init__(self, url: str, secret: str) -> None:
        self.url = url
        self._secret = secret.encode()

    @classmethod
    def named(cls) -> ExternalStack | None:
        """The one in the environment, if there is one."""
        url = os.environ.get("MESSENGER_TEST_URL")
        return cls(url, os.environ["MESSENGER_TEST_JWT_SECRET"]) if url else None

    def token(self, user_id: int, ttl: int = 3600, **claims: Any) -> str:
        """A token of `user_id`."""
        return tokens.mint(user_id, self._secret, ttl, **claims)

    def status(self) -> NoReturn:
        """Which processes there are, is not known here."""
        pytest.skip("needs the processes of a stack of its own")

    def __getattr__(self, name: str) -> Any:
        pytest.skip(f"needs {name} of a stack of its own")
