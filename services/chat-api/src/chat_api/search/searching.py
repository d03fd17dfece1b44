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

from chat_api.search.cursor import Position, Round
from chat_api.search.query import LAST_ID, LATEST_US, Moment, Query
from chat_api.search.store import SearchStore
from chat_api.search.walks.finder import Finder
from chat_api.search.walks.sweep import Sweep
from chat_api.search.walks.turns import Turns
from chat_api.search.walks.work import Work
from messenger_shared.contract import errors
from messenger_shared.contract.errors import AppError
from messenger_shared.observability.metrics import SECONDS

# The rest of the 300 ms is for reading the page as history shows it.
BUDGET_S: Final = 0.25
# A step of a round can't be made smaller than one conversation, and must come to its end.
LEAST_S, LEAST_OF_ROUND_S = 0.05, 0.3
END_OF_TIME: Final = (LATEST_US, LAST_ID)
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

    def __init__(
        self, store: SearchStore, *, budget_s: float = BUDGET_S, round_size: int = Round().size
    ) -> None:
        self._store = store
        self._budget_s = budget_s
        self._round_size = round_size
        self._turns = Turns()

    async def search(self, query: Query, caller: int, position: Position | None, limit: int) -> Result:
        """A page of at most `limit` messages. Raises AppError: overloaded, or as SearchStore does."""
        async with self._turns.admitted():
            with SEARCH_SECONDS.time():
                ends_at = time.monotonic() + self._budget_s
                if position is None or position.round is None:
                    work = Work(self._store, self._turns, query, caller, ends_at, LEAST_S)
                    result = await self._search(work, None if position is None else position.below, limit)
                else:
                    work = Work(self._store, self._turns, query, caller, ends_at, LEAST_OF_ROUND_S)
                    result = await self._go_round(work, position.below, position.round, limit)
        if result.partial:
            PARTIAL.inc()
        return result

    async def _search(self, work: Work, below: Moment | None, limit: int) -> Result:
        finder = Finder(work, want=limit + 1, below=below)
        try:
            await finder.run()
        except AppError as error:
            # A statement that had no more time was ended.
            if error.kind is not errors.UNAVAILABLE or not work.is_over:
                raise
        hits = finder.hits
        found = await self._read(work, hits[:limit])
        if len(hits) > limit:
            return Result(found, Position(hits[limit - 1]), False)
        if finder.is_done:
            return Result(found, None, False)
        following = finder.done_until(below or END_OF_TIME)
        # What can't be shown after one request may never be, so then the next one goes on in rounds.
        is_stuck = not hits and (finder.has_unknown or following == below)
        return Result(found, Position(following, Round(size=self._round_size) if is_stuck else None), True)

    async def _go_round(self, work: Work, below: Moment, round_: Round, limit: int) -> Result:
        kept = [moment for moment, _ in await self._read(work, [(0, id_) for id_ in round_.kept])]
        sweep = Sweep(work, below, kept, full=round_.full)
        following = await sweep.run(round_)
        if following is not None:
            ids = tuple(id_ for _, id_ in sweep.kept)
            following = replace(following, kept=ids, full=sweep.full)
            return Result([], Position(below, following), True)
        shown = sweep.kept[:limit]
        found = await self._read(work, shown)
        if not shown or (not sweep.full and len(sweep.kept) <= limit):
            return Result(found, None, False)
        return Result(found, Position(shown[-1]), True)

    async def _read(self, work: Work, moments: Sequence[Moment]) -> list[Found]:
        """These messages, if they still are what the query asks for."""
        if not moments:
            return []
        query = work.query
        rows = await self._store.by_id(query, work.caller, [id_ for _, id_ in moments])
        return [row for row in rows if query.finds(row[1]["content"], file_names(row[1]))]


def file_names(message: dict[str, Any]) -> list[str]:
    """The names of a message's files."""
    names = [file["name"] for file in message.get("attachments", ())]
    return [message["file_name"], *names] if message["file_name"] else names
