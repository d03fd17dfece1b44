"""Searches for a page of messages within the time for one request.

Most searches look at all of a user's conversations at once. If the time ends before that, and nothing can be
shown yet, the search goes on in rounds: each request looks at some conversations, in the order of their ids,
and the cursor remembers which, and the newest messages found so far.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Final, NamedTuple

from prometheus_client import Counter, Histogram

from chat_api.search.cursor import KEPT_MAX, Position, Round
from chat_api.search.finder import Finder, everything_until
from chat_api.search.query import LAST_ID, Moment, Query
from chat_api.search.store import SearchStore
from chat_api.search.turns import Turns
from messenger_shared.contract import errors
from messenger_shared.contract.errors import AppError
from messenger_shared.observability.metrics import SECONDS

# The rest of the 300 ms is for reading the page as history shows it.
BUDGET_S: Final = 0.25
# A round that comes to its end too slowly looks at fewer conversations at a time.
SHRINK: Final = 4
END_OF_TIME: Final = (253_402_300_799_999_999, LAST_ID)
SEARCH_SECONDS = Histogram("messenger_search_seconds", "Time of one search", buckets=SECONDS)
PARTIAL = Counter("messenger_searches_partial", "Searches whose time ended before they were complete")

Found = tuple[Moment, dict[str, Any]]


class Result(NamedTuple):
    """The messages that were found, and where the search goes on, if it does. `partial`: the time ended."""

    found: list[Found]
    following: Position | None
    partial: bool


class Searcher:
    """Searches, a few at a time."""

    def __init__(self, store: SearchStore) -> None:
        self._store = store
        self._turns = Turns()

    async def search(self, query: Query, caller: int, position: Position | None, limit: int) -> Result:
        """A page of at most `limit` messages. Raises AppError: overloaded, or as SearchStore does."""
        async with self._turns.admitted():
            with SEARCH_SECONDS.time():
                ends_at = time.monotonic() + BUDGET_S
                if position is None or position.round is None:
                    result = await self._search(query, caller, position, limit, ends_at)
                else:
                    result = await self._go_round(query, caller, position, position.round, limit, ends_at)
        if result.partial:
            PARTIAL.inc()
        return result

    async def _search(
        self, query: Query, caller: int, position: Position | None, limit: int, ends_at: float
    ) -> Result:
        below = None if position is None else position.below
        finder = Finder(self._store, self._turns, query, caller, ends_at, want=limit + 1, below=below)
        if not await self._run(finder, ends_at, None, None):
            return Result([], Position(below or END_OF_TIME, Round()), True)
        unread, hits = finder.newest_unread, finder.hits
        found = await self._read(query, caller, hits[:limit])
        if unread is None or len(hits) > limit:
            return Result(found, Position(hits[limit - 1]) if len(hits) > limit else None, False)
        following = everything_until(unread, below)
        # What can't be shown after one request may never be, so then the next one goes on in rounds.
        is_stuck = not hits and (finder.has_unknown or following == below)
        return Result(found, Position(following, Round() if is_stuck else None), True)

    async def _go_round(
        self, query: Query, caller: int, position: Position, round_: Round, limit: int, ends_at: float
    ) -> Result:
        kept = await self._read(query, caller, [(0, id_) for id_ in round_.kept])
        while True:
            below = position.below
            if round_.below_at is not None:
                below = min(below, (round_.below_at, LAST_ID))
            finder = Finder(
                self._store,
                self._turns,
                query,
                caller,
                ends_at,
                want=KEPT_MAX,
                below=below,
                above=kept[-1][0] if len(kept) == KEPT_MAX else None,
                may_be_rare=False,
            )
            if await self._run(finder, ends_at, round_.after, round_.size) and finder.last_id is None:
                return _end_of_round(kept, len(round_.kept) == KEPT_MAX, limit)
            kept = sorted(kept + await self._read(query, caller, finder.hits), key=_moment, reverse=True)
            kept = kept[:KEPT_MAX]
            round_ = replace(_after_step(round_, finder, below), kept=_ids(kept))
            if time.monotonic() >= ends_at:
                return Result([], Position(position.below, round_), True)

    async def _run(self, finder: Finder, ends_at: float, after: str | None, at_most: int | None) -> bool:
        """Looks into the caller's conversations. Returns whether it came to know which they are."""
        try:
            await finder.run(after, at_most)
        except AppError as error:
            # A statement that had no more time was ended.
            if error.kind is not errors.UNAVAILABLE or time.monotonic() < ends_at:
                raise
        return finder.is_open

    async def _read(self, query: Query, caller: int, moments: Sequence[Moment]) -> list[Found]:
        """These messages, if they still are what the query asks for."""
        if not moments:
            return []
        rows = await self._store.by_id(query, caller, [id_ for _, id_ in moments])
        return [row for row in rows if query.finds(row[1]["content"], file_names(row[1]))]


def file_names(message: dict[str, Any]) -> list[str]:
    """The names of a message's files."""
    names = [file["name"] for file in message.get("attachments", ())]
    return [message["file_name"], *names] if message["file_name"] else names


def _end_of_round(kept: list[Found], may_be_more: bool, limit: int) -> Result:
    found = kept[:limit]
    if may_be_more or len(kept) > limit:
        return Result(found, Position(found[-1][0]), may_be_more) if found else Result([], None, False)
    return Result(found, None, False)


def _after_step(round_: Round, finder: Finder, below: Moment) -> Round:
    last_id, unread = finder.last_id, finder.newest_unread
    if last_id is not None and unread is None:
        return replace(round_, after=last_id, below_at=None)
    if last_id is not None and unread is not None and not finder.has_unknown:
        following = everything_until(unread, below)
        if following < below:
            return replace(round_, below_at=following[0])
    if round_.size > 1 or last_id is None:
        return replace(round_, size=max(1, round_.size // SHRINK))
    # One conversation alone takes too long, and its messages have no order in time: leaves it out.
    return replace(round_, after=last_id, below_at=None)


def _moment(found: Found) -> Moment:
    return found[0]


def _ids(found: Sequence[Found]) -> tuple[str, ...]:
    return tuple(message["id"] for _, message in found)
