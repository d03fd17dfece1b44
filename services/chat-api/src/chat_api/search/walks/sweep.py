"""Looks at all conversations once, in the order of their ids, over as many requests as that takes.

It keeps the newest messages that it finds. None of them can be shown before its end, since the next
conversation may have newer ones.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Final, TypeVar

from chat_api.search.cursor import KEPT_MAX, Round
from chat_api.search.query import LATEST_US, Message, Moment
from chat_api.search.store import Block, Lag, Scope
from chat_api.search.walks.work import MAX_LAG, SCANNED, STEP, Work
from messenger_shared.contract import errors
from messenger_shared.contract.errors import AppError

# If the time ends while it reads what the index lacks, it looks at fewer conversations the next time.
SHRINK: Final = 4
_P = TypeVar("_P", Block, Lag)


class Sweep:
    """One request's part of a round, for messages below `below`."""

    def __init__(self, work: Work, below: Moment, kept: Sequence[Moment], *, full: bool) -> None:
        self._work = work
        self._below = below
        self.kept = sorted(kept, reverse=True)
        # Whether older messages may have been left out.
        self.full = full

    async def run(self, round_: Round) -> Round | None:
        """Goes on until the time is over, and does something at least. None at the end of the round."""
        following: Round | None = round_
        while following is not None:
            following = await self._go_on(following)
            if self._work.is_over:
                break
        return following

    async def _go_on(self, round_: Round) -> Round | None:
        work = self._work
        try:
            scope = await work.store.scope(work.query, work.caller, work.seconds, round_.after, round_.size)
            if not scope.groups:
                return None
            if round_.within is None and not await self._read_lags(scope, may_stop=round_.size > 1):
                return replace(round_, size=max(1, round_.size // SHRINK))
            return await self._read_blocks(scope, round_)
        except AppError as error:
            # A statement that had no more time was ended.
            if error.kind is not errors.UNAVAILABLE or not work.is_over or round_.size == 1:
                raise
            return replace(round_, size=max(1, round_.size // SHRINK), within=None)

    async def _read_lags(self, scope: Scope, *, may_stop: bool) -> bool:
        """Reads what the index lacks. Returns false if the time ended before."""
        work, scanned = self._work, scope.scanned(MAX_LAG)
        for lags in _portions([lag for _, lag in scope.lags if lag.conversation_id not in scanned]):
            if work.query.words.grams:
                changed = work.store.changed(work.query, work.caller, work.seconds, lags, self._below)
                await self._check(await changed)
                if may_stop and work.is_over:
                    return False
        return True

    async def _read_blocks(self, scope: Scope, round_: Round) -> Round:
        ids = sorted(id_ for group in scope.groups for id_ in group.conversation_ids)
        within, is_last = round_.within, False
        while not is_last:
            blocks, last = await self._blocks(scope, ids, within)
            for some in _portions(blocks):
                work = self._work
                await self._check(
                    await work.store.messages(work.query, work.caller, work.seconds, some, self._below)
                )
                within = some[-1].conversation_id, some[-1].first_seq
                if work.is_over:
                    return replace(round_, within=within)
            within, is_last = last, last is None
        return replace(round_, after=ids[-1], within=None)

    async def _blocks(
        self, scope: Scope, ids: Sequence[str], within: tuple[str, int] | None
    ) -> tuple[list[Block], tuple[str, int] | None]:
        """What is to be read next of these conversations, in order, and its end if more follows."""
        work = self._work
        scanned = scope.scanned(MAX_LAG) if work.query.words.grams else set(ids)
        indexed = [id_ for id_ in ids if id_ not in scanned]
        blocks: list[Block] = []
        has_more = False
        if indexed:
            blocks, has_more = await work.store.next_blocks(
                work.query, work.caller, work.seconds, indexed, self._below, within
            )
        last = (blocks[-1].conversation_id, blocks[-1].first_seq) if has_more else None
        if scanned:
            starts = await work.store.starts(work.caller, work.seconds, sorted(scanned), self._below)
            blocks += [
                block
                for start in starts
                for block in _runs(start)
                if (within is None or _place(block) > within) and (last is None or _place(block) <= last)
            ]
            blocks.sort(key=_place)
        return [block for block in blocks if self._matters(block.newest_at)], last

    def _matters(self, at: int) -> bool:
        return len(self.kept) < KEPT_MAX or at >= self.kept[-1][0]

    async def _check(self, messages: Sequence[Message]) -> None:
        found = await self._work.find(messages, lambda moment: self._matters(moment[0]))
        kept = sorted({*self.kept, *found}, reverse=True)
        self.full |= len(kept) >= KEPT_MAX
        self.kept = kept[:KEPT_MAX]


def _place(block: Block) -> tuple[str, int]:
    return block.conversation_id, block.first_seq


def _runs(start: Block) -> Iterator[Block]:
    """The messages of a conversation up to one, without the index."""
    for first in range(1, start.last_seq + 1, SCANNED):
        last = min(first + SCANNED - 1, start.last_seq)
        yield Block(LATEST_US, start.conversation_id, first, last)


def _portions(parts: Sequence[_P]) -> Iterator[list[_P]]:
    portion: list[_P] = []
    for part in parts:
        portion.append(part)
        if sum(part.messages for part in portion) >= STEP:
            yield portion
            portion = []
    if portion:
        yield portion
