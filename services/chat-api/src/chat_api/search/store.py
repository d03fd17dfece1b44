"""Declares what a search reads, so that it doesn't depend on PostgreSQL."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple, Protocol

from chat_api.search.matching import Words
from chat_api.search.query import Message, Moment, Query


class Block(NamedTuple):
    """A run of a conversation's messages, those up to the time `newest_at`, in µs since 1970."""

    newest_at: int
    conversation_id: str
    first_seq: int
    last_seq: int

    @property
    def messages(self) -> int:
        """At most so many messages are in it."""
        return self.last_seq - self.first_seq + 1


class Lag(NamedTuple):
    """A conversation whose changes above `indexed_pos` aren't in the index yet."""

    conversation_id: str
    indexed_pos: int
    last_pos: int

    @property
    def messages(self) -> int:
        """At most so many messages have changed."""
        return self.last_pos - self.indexed_pos


class Group(NamedTuple):
    """Some conversations, and when the last message came to any of them, in µs since 1970."""

    active_at: int
    conversation_ids: list[str]


class Scope(NamedTuple):
    """Conversations to search, the most active ones first, and those that the index has not followed."""

    groups: list[Group]
    # Each with the time of its last message.
    lags: list[tuple[int, Lag]]

    def scanned(self, max_lag: int) -> set[str]:
        """The conversations of which the index lacks too much to be used."""
        return {lag.conversation_id for _, lag in self.lags if lag.messages > max_lag}


class TitleStore(Protocol):
    """The titles of conversations. Raises AppError(unavailable) when the store can't be reached in time."""

    async def find(
        self, caller: int, words: Words, before: tuple[int, str] | None, limit: int
    ) -> list[tuple[int, str]]:
        """Up to `limit` of the caller's conversations with these words in the title, newest activity first.

        Each is (last activity in µs since 1970, id); they are below `before`.
        """


class SearchStore(Protocol):
    """The index and the messages, as one user may see them. Raises like TitleStore.

    Each method ends after `seconds`.
    """

    async def scope(
        self, query: Query, caller: int, seconds: float, after: str | None, at_most: int | None
    ) -> Scope:
        """The caller's conversations: all, or the next `at_most` with an id above `after`."""

    async def newest_blocks(
        self,
        query: Query,
        caller: int,
        seconds: float,
        conversation_ids: Sequence[str],
        below: Moment | None,
        after: Block | None,
    ) -> tuple[list[Block], bool]:
        """Blocks of these conversations that may have such messages below the moment, the newest first.

        They come after the block `after`. Also returns whether there may be more.
        """

    async def next_blocks(
        self,
        query: Query,
        caller: int,
        seconds: float,
        conversation_ids: Sequence[str],
        below: Moment | None,
        after: tuple[str, int] | None,
    ) -> tuple[list[Block], bool]:
        """The same in the order of conversations and seqs, after the block with this first seq."""

    async def rare_blocks(
        self, query: Query, caller: int, seconds: float, below: Moment | None
    ) -> list[Block] | None:
        """All blocks of the caller's that may have such messages; None if there may be too many."""

    async def starts(
        self, caller: int, seconds: float, conversation_ids: Sequence[str], below: Moment | None
    ) -> list[Block]:
        """For each conversation the block of the one message from which to read on downwards."""

    async def messages(
        self,
        query: Query,
        caller: int,
        seconds: float,
        blocks: Sequence[Block],
        below: Moment | None,
        most: int | None = None,
    ) -> list[Message]:
        """The messages of these blocks that pass the filters, below the moment `below`.

        With `most`, the newest of them. None is later than its block's `newest_at`.
        """

    async def changed(
        self, query: Query, caller: int, seconds: float, lags: Sequence[Lag], below: Moment | None
    ) -> list[Message]:
        """The messages that changed since their conversations were indexed, as in `messages`."""

    async def times(
        self, caller: int, seconds: float, places: Sequence[tuple[str, int]]
    ) -> dict[tuple[str, int], int]:
        """When the messages with this conversation and seq were sent."""

    async def by_id(
        self, query: Query, caller: int, ids: Sequence[str]
    ) -> list[tuple[Moment, dict[str, Any]]]:
        """Those of these messages that the caller may see and that pass the filters, as in history."""
