"""Finds the newest messages of a query among blocks, in the order in which they may hold newer ones.

Everything that is still to be read is a source with a time: no message in it is newer. The newest source is
read next, until what was found is newer than all sources.
"""

from __future__ import annotations

import heapq
from collections.abc import Sequence
from typing import Final, NamedTuple, TypeVar

from chat_api.search.query import LAST_ID, LATEST_US, Message, Moment
from chat_api.search.store import Block, Lag, Scope
from chat_api.search.walks.work import DISORDER_US, MAX_LAG, SCANNED, STEP, Work
from messenger_shared.contract.errors import AppError

# The first step reads so many messages; the next ones as many as are likely to be enough.
FIRST: Final = 512
# To read one message, PostgreSQL looks at so many to find the newest, which costs less than to read them.
LOOKED_AT: Final = 3
# Instead of into this group of conversations, the index is looked into for all, in case the words are rare;
# not instead of into the last group.
MANY: Final = 2


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

    @property
    def messages(self) -> int:
        """So many of its messages are read next."""
        return SCANNED


_Source = Block | Lag | _Blocks | _Starts | _Scan
_S = TypeVar("_S", Block, Lag, _Scan)


class Finder:
    """One walk through the sources. It looks for `want` messages below `below`."""

    def __init__(self, work: Work, *, want: int, below: Moment | None) -> None:
        self._work = work
        self._want = want
        self._below = below
        self._has_grams = bool(work.query.words.grams)
        self._found: set[Moment] = set()
        self._hits: list[Moment] = []
        self._sources: list[tuple[int, int, _Source]] = []
        self._pushed = 0
        self._known_blocks: set[Block] = set()
        self._looked_up = 0
        # The conversations of the scope.
        self._own: set[str] = set()
        self._most = FIRST
        # Whether it is known which conversations there are.
        self._is_open = False

    @property
    def newest_unread(self) -> int | None:
        """No message that was not read is newer; None if nothing that matters is left to read."""
        if not self._sources:
            return None
        at = -self._sources[0][0]
        is_enough = len(self._hits) >= self._want and at < self._hits[self._want - 1][0]
        return None if is_enough else at

    @property
    def hits(self) -> list[Moment]:
        """What was found, the newest first, without what may come after something that was not read."""
        unread = self.newest_unread
        return self._hits if unread is None else [hit for hit in self._hits if hit[0] > unread]

    @property
    def has_unknown(self) -> bool:
        """Whether there are conversations that were not looked into at all."""
        unknown = any(isinstance(source, _Blocks | _Starts) for _, _, source in self._sources)
        return unknown or not self._is_open

    @property
    def is_done(self) -> bool:
        """Whether everything that matters was read."""
        return self._is_open and self.newest_unread is None

    def done_until(self, below: Moment) -> Moment:
        """The moment below which to go on: everything that is newer was read. At most `below`."""
        unread = self.newest_unread
        return below if unread is None else min(below, (unread, LAST_ID))

    async def run(self) -> None:
        """Reads until everything that matters is read, or the time is over; one step at least."""
        work = self._work
        self._open(await work.store.scope(work.query, work.caller, work.seconds, None, None))
        while self.newest_unread is not None:
            sources = self._sources.copy()
            try:
                await self._go_on()
            except AppError:
                # What it was about to read is still unread.
                self._sources = sources
                raise
            if work.is_over:
                return

    def _open(self, scope: Scope) -> None:
        self._is_open = True
        self._own.update(*(group.conversation_ids for group in scope.groups))
        scanned = scope.scanned(MAX_LAG)
        for at, lag in scope.lags if self._has_grams else ():
            is_scanned = lag.conversation_id in scanned
            self._push(at + DISORDER_US, _Starts([lag.conversation_id]) if is_scanned else lag)
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

    async def _go_on(self) -> None:
        source = self._sources[0][2]
        work = self._work
        if isinstance(source, _Blocks):
            heapq.heappop(self._sources)
            await self._look_up(source)
        elif isinstance(source, _Starts):
            heapq.heappop(self._sources)
            for start in await work.store.starts(
                work.caller, work.seconds, source.conversation_ids, self._below
            ):
                self._push(start.newest_at + DISORDER_US, _Scan(start.conversation_id, start.last_seq))
        elif isinstance(source, Lag):
            lags = self._pop_some(Lag, STEP)
            await self._check(
                await work.store.changed(work.query, work.caller, work.seconds, lags, self._below)
            )
        elif isinstance(source, Block):
            await self._read_blocks()
        else:
            await self._scan(self._pop_some(_Scan, STEP))

    def _pop_some(self, kind: type[_S], messages: int) -> list[_S]:
        """The newest sources, with so many messages, as long as they are of this kind and still matter."""
        found: list[_S] = []
        while messages > 0 and self.newest_unread is not None:
            source = self._sources[0][2]
            if not isinstance(source, kind):
                break
            heapq.heappop(self._sources)
            found.append(source)
            messages -= source.messages
        return found

    async def _look_up(self, source: _Blocks) -> None:
        if source.below is None:
            self._looked_up += 1
            is_last = not any(isinstance(other, _Blocks) for _, _, other in self._sources)
            if self._looked_up == MANY and not is_last and await self._look_up_everywhere():
                return
        work = self._work
        blocks, has_more = await work.store.newest_blocks(
            work.query, work.caller, work.seconds, source.conversation_ids, self._below, source.below
        )
        self._push_blocks(blocks)
        if has_more:
            self._push(blocks[-1].newest_at, source._replace(below=blocks[-1]))

    async def _look_up_everywhere(self) -> bool:
        """Finds all blocks by their words alone; returns whether that was possible."""
        work = self._work
        blocks = await work.store.rare_blocks(work.query, work.caller, work.seconds, self._below)
        if blocks is None:
            return False
        self._sources = [source for source in self._sources if not isinstance(source[2], _Blocks)]
        heapq.heapify(self._sources)
        # Blocks of closed conversations stay until the feed has seen it.
        self._push_blocks([block for block in blocks if block.conversation_id in self._own])
        return True

    def _push_blocks(self, blocks: Sequence[Block]) -> None:
        for block in blocks:
            if block not in self._known_blocks:
                self._known_blocks.add(block)
                self._push(block.newest_at, block)

    async def _read_blocks(self) -> None:
        """Reads the newest messages of the newest blocks."""
        looked_at = self._most * LOOKED_AT
        blocks = self._pop_some(Block, looked_at)
        following = None if self.newest_unread is None else self._sources[0][2]
        if isinstance(following, _Blocks) and sum(block.messages for block in blocks) < looked_at:
            # They may have blocks that are as new.
            heapq.heappop(self._sources)
            await self._look_up(following)
        else:
            blocks = await self._read_newest(blocks)
        for block in blocks:
            self._push(block.newest_at, block)

    async def _read_newest(self, blocks: list[Block]) -> list[Block]:
        """Reads the newest messages of these blocks, and returns what is left of them."""
        messages = await self._read(blocks, self._most)
        if len(messages) < self._most:
            return []
        end = min(message.moment[0] for message in messages)
        if end == blocks[0].newest_at:
            # More messages than these have the same time.
            await self._read(blocks)
            return []
        hits = len(self._hits)
        self._most = min(STEP, max(FIRST, self._most * (self._want - hits) // max(1, hits)))
        return [block._replace(newest_at=min(block.newest_at, end)) for block in blocks]

    async def _scan(self, scans: Sequence[_Scan]) -> None:
        await self._read([Block(LATEST_US, id_, max(1, last - SCANNED + 1), last) for id_, last in scans])
        following = [(id_, last - SCANNED) for id_, last in scans if last > SCANNED]
        if following:
            times = await self._work.store.times(self._work.caller, self._work.seconds, following)
            for place, at in times.items():
                self._push(at + DISORDER_US, _Scan(*place))

    async def _read(self, blocks: Sequence[Block], most: int | None = None) -> list[Message]:
        work = self._work
        messages = await work.store.messages(work.query, work.caller, work.seconds, blocks, self._below, most)
        await self._check(messages)
        return messages

    async def _check(self, messages: Sequence[Message]) -> None:
        """Adds the messages that the query finds."""
        self._found.update(await self._work.find(messages, self._is_wanted))
        self._hits = sorted(self._found, reverse=True)

    def _is_wanted(self, moment: Moment) -> bool:
        if moment in self._found:
            return False
        return len(self._hits) < self._want or moment > self._hits[self._want - 1]
