"""The users of a test: fresh ones that no other test knows, whose sockets end with the test."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager

import aiohttp

from messenger_shared.contract import tokens
from tests.client import User
from tests.stack import RunningStack

# Above 32 bits, and below the largest exact integer of a browser (2^53).
_USER_IDS = 2**52

Mint = Callable[[int], str]


class Crowd:
    """Creates users at one address of the messenger."""

    def __init__(self, http: aiohttp.ClientSession, url: str, mint: Mint) -> None:
        self._http = http
        self._url = url
        self._mint = mint
        self.users: list[User] = []

    def newcomer(self, user_id: int | None = None) -> User:
        """Returns a user that no other test has, or the one with this id."""
        user_id = user_id or 1 + secrets.randbelow(_USER_IDS)
        user = User(self._http, self._url, user_id, self._mint(user_id))
        self.users.append(user)
        return user

    def newcomers(self, number: int) -> list[User]:
        """Returns several of them."""
        return [self.newcomer() for _ in range(number)]


def open_crowd_at(stack: RunningStack, ttl_s: int = 3_600) -> AbstractAsyncContextManager[Crowd]:
    """Yields a crowd at a test's own stack, with tokens that last `ttl_s` seconds."""
    secret = (stack.data_dir / "secret").read_text().strip().encode()
    return open_crowd(stack.url, lambda user_id: tokens.mint(user_id, secret, ttl_s))


@asynccontextmanager
async def open_crowd(url: str, mint: Mint) -> AsyncIterator[Crowd]:
    """Yields a crowd at `url`, and closes its sockets at the end."""
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as http:
        crowd = Crowd(http, url, mint)
        try:
            yield crowd
        finally:
            await asyncio.gather(*(user.leave() for user in crowd.users))
