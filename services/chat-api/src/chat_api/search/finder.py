"""Finds the newest messages of a query among blocks, in the order in which they may hold newer ones.

Everything that is still to be read is a source with a time: no message in it is newer. The newest source is
read next, until what was found is newer than all sources.
"""

from __future__ import annotations

import heapq
import time
from collections.abc import Sequence
from typing import Final, NamedTuple, TypeVar

from chat_api.search.query import LAST_ID, Message, Moment, Query
from chat_api.search.store import Block, Lag, Scope, SearchStore
from chat_api.search.turns import Turns

# Times of messages may fall by so much while their seq rises: senders wait for each other's locks.
DISORDER_US: Final = 10_000_000
# How many blocks one step reads; it grows, since most searches end soon.
FIRST_BLOCKS, MAX_BLOCKS = 4, 16
SCANNED_ROWS, MAX_SCANS = 128, 8
# So many unindexed changes are read as they are; with more, a conversation is read as if it had no index.
MAX_LAG: Final = 10_000
LAG_STEP: Final = 1_000
# Instead of into this group of conversations, the index is looked into for all, in case the words are rare.
MANY: Final = 2
LEAST_S: Final = 0.05
_NEWEST: Final = 2**62


class _Blocks(NamedTuple):
    """Conversations whose blocks aren't known yet, below a block."""

    conversation_ids: list[str]
    below: Block | None = None


class _Starts(NamedTuple):
    """Conversations that are to be read without the index."""

    conversation_ids: list[str]


class _Scan(NamedTuple):
    """A conversation that is read without the index, from a seq on downwards."""

    conversation_id: str
    last_seq: int


_Source = Block | Lag | _Blocks | _Starts | _Scan
_S = TypeVar("_S", Block, Lag, _Scan)


class Finder:
    """One walk through the sources. It looks for `want` messages below `below` and above `above`."""

    def __init__(
        self,
        store: SearchStore,
        turns: Turns,
        query: Query,
        caller: int,
        ends_at: float,
        *,
        want: int,
        below: Moment | None,
        above: Moment | None = None,
        may_be_rare: bool = True,
    ) -> None:
        self._store = store
        self._turns = turns
        self._query = query
        self._caller = caller
        self._ends_at = ends_at
        self._want = want
        self._below = below
        self._above = above
        self._has_grams = bool(query.words.grams)
        self._found: dict[str, Moment] = {}
        self._hits: list[Moment] = []
        self._sources: list[tuple[int, int, _Source]] = []
        self._pushed = 0
        self._known_blocks: set[Block] = set()
        self._looked_up = 0
        self._may_be_rare = may_be_rare
        self._step_blocks = FIRST_BLOCKS
        # Whether it is known which conversations there are, and the highest id of those.
        self.is_open = False
        self.last_id: str | None = None

    @property
    def newest_unread(self) -> int | None:
        """No message that was not read is newer; None if nothing that matters is left to read."""
        if not self._sources:
            return None
        at = -self._sources[0][0]
        if len(self._hits) >= self._want and at < self._hits[self._want - 1][0]:
            return None
        return None if self._above is not None and at < self._above[0] else at

    @property
    def hits(self) -> list[Moment]:
        """What was found, the newest first, without what may come after something that was not read."""
        unread = self.newest_unread
        return self._hits if unread is None else [hit for hit in self._hits if hit[0] > unread]

    @property
    def has_unknown(self) -> bool:
        """Whether there are conversations that were not looked into at all."""
        return any(isinstance(source, _Blocks | _Starts) for _, _, source in self._sources)

    async def run(self, after: str | None, at_most: int | None) -> None:
        """Looks into the caller's conversations: all, or the next `at_most` with an id above `after`.

        Reads until everything that matters is read, or the time is over; one step at least.
        """
        scope = await self._store.scope(self._query, self._caller, self._seconds, after, at_most)
        self._open(scope)
        while self.newest_unread is not None:
            await self._step()
            if time.monotonic() >= self._ends_at:
                return

    def _open(self, scope: Scope) -> None:
        self.is_open = True
        self.last_id = max((id_ for group in scope.groups for id_ in group.conversation_ids), default=None)
        scanned = [lag.conversation_id for _, lag in scope.lags if lag.last_pos - lag.indexed_pos > MAX_LAG]
        for at, lag in scope.lags if self._has_grams else ():
            in_scan = lag.conversation_id in scanned
            self._push(at + DISORDER_US, _Starts([lag.conversation_id]) if in_scan else lag)
        for group in scope.groups:
            if not self._has_grams:
                self._push(group.active_at + DISORDER_US, _Starts(group.conversation_ids))
            elif ids := [id_ for id_ in group.conversation_ids if id_ not in scanned]:
                self._push(group.active_at + DISORDER_US, _Blocks(ids))

    def _push(self, at: int, source: _Source) -> None:
        if self._below is not None:
            at = min(at, self._below[0])
        self._pushed += 1
        heapq.heappush(self._sources, (-at, self._pushed, source))

    async def _step(self) -> None:
        source = self._sources[0][2]
        if isinstance(source, _Blocks):
            heapq.heappop(self._sources)
            await self._look_up(source)
        elif isinstance(source, _Starts):
            heapq.heappop(self._sources)
            await self._start(source)
        elif isinstance(source, Lag):
            lags = self._pop_some(Lag, 64, LAG_STEP)
            await self._check(
                await self._store.changed(self._query, self._caller, self._seconds, lags, self._below)
            )
        elif isinstance(source, Block):
            await self._read(self._pop_some(Block, self._step_blocks))
            self._step_blocks = min(2 * self._step_blocks, MAX_BLOCKS)
        else:
            await self._scan(self._pop_some(_Scan, MAX_SCANS))

    @property
    def _seconds(self) -> float:
        return max(LEAST_S, self._ends_at - time.monotonic())

    def _pop_some(self, kind: type[_S], most: int, rows: int = 2**63) -> list[_S]:
        """The newest sources, as long as they are of this kind and still matter."""
        found: list[_S] = []
        while len(found) < most and rows > 0 and self.newest_unread is not None:
            source = self._sources[0][2]
            if not isinstance(source, kind):
                break
            heapq.heappop(self._sources)
            found.append(source)
            if isinstance(source, Lag):
                rows -= source.last_pos - source.indexed_pos
        return found

    async def _look_up(self, source: _Blocks) -> None:
        if source.below is None:
            self._looked_up += 1
            if self._looked_up == MANY and self._may_be_rare and await self._look_up_everywhere():
                return
        blocks, has_more = await self._store.blocks(
            self._query, self._caller, self._seconds, source.conversation_ids, source.below
        )
        self._push_blocks(blocks)
        if has_more:
            self._push(blocks[-1].newest_at, source._replace(below=blocks[-1]))

    async def _look_up_everywhere(self) -> bool:
        """Finds all blocks by their words alone; returns whether that was possible."""
        blocks = await self._store.rare_blocks(self._query, self._caller, self._seconds)
        if blocks is None:
            return False
        self._sources = [source for source in self._sources if not isinstance(source[2], _Blocks)]
        heapq.heapify(self._sources)
        self._push_blocks(blocks)
        return True

    def _push_blocks(self, blocks: Sequence[Block]) -> None:
        for block in blocks:
            if block not in self._known_blocks:
                self._known_blocks.add(block)
                self._push(block.newest_at, block)

    async def _start(self, source: _Starts) -> None:
        up_to = None if self._below is None else self._below[0] + DISORDER_US
        for start in await self._store.starts(self._caller, self._seconds, source.conversation_ids, up_to):
            self._push(start.newest_at + DISORDER_US, _Scan(start.conversation_id, start.last_seq))

    async def _scan(self, scans: Sequence[_Scan]) -> None:
        blocks = [Block(0, id_, max(1, last - SCANNED_ROWS + 1), last) for id_, last in scans]
        await self._read(blocks)
        following = [(block.conversation_id, block.first_seq - 1) for block in blocks if block.first_seq > 1]
        if following:
            times = await self._store.times(self._caller, self._seconds, following)
            for place, at in times.items():
                self._push(at + DISORDER_US, _Scan(*place))

    async def _read(self, blocks: Sequence[Block]) -> None:
        messages = await self._store.messages(self._query, self._caller, self._seconds, blocks, self._below)
        await self._check(messages)

    async def _check(self, messages: Sequence[Message]) -> None:
        """Adds the messages that the query finds."""
        todo = iter(messages)
        is_done = False
        while not is_done:
            with self._turns.slice() as slice_:
                is_done = True
                for message in todo:
                    if self._is_new(message) and self._query.finds(message.content, message.file_names):
                        self._found[message.moment[1]] = message.moment
                    if slice_.is_over:
                        is_done = False
                        break
            await self._turns.rest()
        self._hits = sorted(self._found.values(), reverse=True)

    def _is_new(self, message: Message) -> bool:
        if message.moment[1] in self._found or (self._above is not None and message.moment <= self._above):
            return False
        return len(self._hits) < self._want or message.moment > self._hits[self._want - 1]


def everything_until(at: int, below: Moment | None) -> Moment:
    """The moment below which to go on when everything newer than `at` is done."""
    moment = at, LAST_ID
    return moment if below is None else min(moment, below)
