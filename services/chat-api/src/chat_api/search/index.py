"""Holds the statements by which the search index is written, and the form of their parameters."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import groupby
from operator import itemgetter
from typing import Any, Final, NamedTuple

from chat_api.search.blocks import Block, IndexedMessage, make_block
from chat_api.search.layout import Range, changed_blocks

CONSUMER: Final = "search"
# So many messages are read and made into blocks at once.
MESSAGES_MAX: Final = 2_048
CHANGES: Final = "SELECT * FROM messenger.search_changes(%s::uuid[], %s::bigint[], %s)"
TEXTS: Final = "SELECT * FROM messenger.search_texts(%s::uuid[], %s::bigint[], %s::bigint[]) ORDER BY place"
# A crash of PostgreSQL may take back the last of these, cursor and blocks together.
WRITE: Final = """
SELECT set_config('synchronous_commit', 'off', true);
SELECT id FROM messenger.search_write(%s, %s::uuid[], %s::bigint[], %s::uuid[], %s::uuid[], %s::bigint[],
                                      %s::bigint[], %s::timestamptz[], %s) AS id
"""

Place = tuple[str, Range]


class Changes(NamedTuple):
    """What the index lacks of one conversation: up to which pos, and the blocks to write for it."""

    conversation_id: str
    upto: int
    is_closed: bool
    ranges: list[Range]


def changes_of(row: Sequence[Any]) -> Changes:
    """Converts a row of CHANGES."""
    conversation_id, upto, is_closed, seqs, firsts, lasts = row
    present = map(Range, firsts, lasts)
    return Changes(conversation_id, upto, is_closed, changed_blocks(present, seqs))


def portions(places: Iterable[Place]) -> Iterator[list[Place]]:
    """The places of blocks, in portions of up to MESSAGES_MAX messages."""
    portion: list[Place] = []
    size = 0
    for conversation_id, range_ in places:
        count = range_.last - range_.first + 1
        if size + count > MESSAGES_MAX:
            yield portion
            portion, size = [], 0
        portion.append((conversation_id, range_))
        size += count
    if portion:
        yield portion


def texts_parameters(places: Sequence[Place]) -> tuple[Any, ...]:
    """The parameters of TEXTS."""
    return [id_ for id_, _ in places], [range_.first for _, range_ in places], [r.last for _, r in places]


def blocks_of(places: Sequence[Place], rows: Iterable[Sequence[Any]]) -> Iterator[Block]:
    """Makes blocks of the rows of TEXTS for these places."""
    for place, of_block in groupby(rows, itemgetter(0)):
        conversation_id, range_ = places[place - 1]
        yield make_block(conversation_id, range_, [IndexedMessage(*row[1:]) for row in of_block])


def write_parameters(
    token: str, positions: Mapping[str, int], closed: Sequence[str], blocks: Sequence[Block]
) -> tuple[Any, ...]:
    """The parameters of WRITE."""
    return (
        token,
        list(positions),
        list(positions.values()),
        closed,
        [block.conversation_id for block in blocks],
        [block.range.first for block in blocks],
        [block.range.last for block in blocks],
        [block.newest_at for block in blocks],
        ["{" + ",".join(map(str, block.grams)) + "}" for block in blocks],
    )
