"""Declares what a search reads, so that it doesn't depend on PostgreSQL."""

from __future__ import annotations

from typing import Protocol

from chat_api.search.matching import Words


class TitleStore(Protocol):
    """The titles of conversations. Raises AppError(unavailable) when the store can't be reached in time."""

    async def find(
        self, caller: int, words: Words, before: tuple[int, str] | None, limit: int
    ) -> list[tuple[int, str]]:
        """Up to `limit` of the caller's conversations with these words in the title, newest activity first.

        Each is (last activity in µs since 1970, id); they are below `before`.
        """
