"""Owns the people of a test: fresh users that nobody else knows, whose sockets end with the test."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager

import aiohttp

from messenger_shared import tokens
from tests.client import Person
from tests.stack import RunningStack

# Above 32 bits, below what a browser's numbers hold.
_USER_IDS = 2**52

Mint = Callable[[int], str]


class Crowd:
    """Makes people at one door of the messenger."""

    def __init__(self, http: aiohttp.ClientSession, url: str, mint: Mint) -> None:
        self._http = http
        self._url = url
        self._mint = mint
        self.people: list[Person] = []

    def newcomer(self, user_id: int | None = None) -> Person:
        """A user that no other test has, or the one with this id."""
        user_id = user_id or 1 + secrets.randbelow(_USER_IDS)
        person = Person(self._http, self._url, user_id, self._mint(user_id))
        self.people.append(person)
        return person

    def newcomers(self, number: int) -> list[Person]:
        """Several of them."""
        return [self.newcomer() for _ in range(number)]


def gathered_at(stack: RunningStack, ttl_s: int = 3_600) -> AbstractAsyncContextManager[Crowd]:
    """A crowd at a stack of a test's own, with tokens that hold for so long."""
    secret = (stack.data_dir / "secret").read_text().strip().encode()
    return gathered(stack.url, lambda user_id: tokens.mint(user_id, secret, ttl_s))


@asynccontextmanager
async def gathered(url: str, mint: Mint) -> AsyncIterator[Crowd]:
    """A crowd at `url` whose sockets are closed at the end."""
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as http:
        crowd = Crowd(http, url, mint)
        try:
            yield crowd
        finally:
            await asyncio.gather(*(person.leave() for person in crowd.people))
