"""Decides which blocks the index has of a conversation's messages.

A run of 64 messages, between two boundaries, becomes one block when it is complete. Until then, what ends at
a multiple of eight becomes a block. So a conversation that grows by single messages writes each three times.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Final, NamedTuple

RUN: Final = 64
_EIGHT: Final = 8


class Range(NamedTuple):
    """The messages of a block: seqs from `first` to `last`."""

    first: int
    last: int

    @property
    def run(self) -> int:
        """The number of the run that it is in."""
        return (self.first - 1) // RUN


def changed_blocks(present: Iterable[Range], changed: Iterable[int]) -> list[Range]:
    """The blocks to write, given those that there are and the seqs of new and of changed messages.

    Each replaces all blocks in its range. Of runs without a changed message there are none.
    """
    blocks: dict[int, list[Range]] = {}
    for block in sorted(present):
        blocks.setdefault(block.run, []).append(block)
    seqs: dict[int, list[int]] = {}
    for seq in sorted(changed):
        seqs.setdefault((seq - 1) // RUN, []).append(seq)
    return [
        block
        for run, of_run in seqs.items()
        for block in _wanted(run * RUN, blocks.get(run, []), of_run[-1])
        if block not in blocks.get(run, []) or any(block.first <= seq <= block.last for seq in of_run)
    ]


def _wanted(start: int, present: Sequence[Range], newest: int) -> Iterator[Range]:
    """The blocks of the run after `start`, with its messages up to `newest`."""
    covered = max((block.last for block in present), default=start)
    upto = max(covered, newest)
    if upto == start + RUN:
        yield Range(start + 1, upto)
        return
    merged = start
    for block in present:
        if block.last % _EIGHT == 0:
            merged = block.last
            yield block
    eights = upto - upto % _EIGHT
    if eights > merged:
        yield Range(merged + 1, eights)
    yield from (block for block in present if block.first > eights)
    if upto > max(covered, eights):
        yield Range(max(covered, eights) + 1, upto)
