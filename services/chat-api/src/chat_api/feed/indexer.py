"""The consumer that keeps the search index."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from chat_api.feed import metrics
from chat_api.feed.consumer import Claim, Lease
from chat_api.search import index
from chat_api.search.blocks import Block
from messenger_shared.postgres.database import Database

# Changed messages of a batch, and so of one conversation if it is alone.
_CHANGES_MAX: Final = 8_192
# A search reads by itself what isn't indexed yet, so a busy conversation needn't be indexed every second.
GATHER_S: Final = 5.0


class Indexer:
    """Writes blocks and advances cursors in one transaction, and so indexes each change exactly once."""

    name = index.CONSUMER

    def __init__(self, database: Database, gather_s: float = GATHER_S) -> None:
        self._database = database
        self.gather_s = gather_s

    async def handle(self, claims: Sequence[Claim], lease: Lease) -> Mapping[str, int]:
        ids = [claim.conversation_id for claim in claims]
        at_most = _CHANGES_MAX // len(claims)
        rows = await self._database.rows(index.CHANGES, (ids, [claim.pos for claim in claims], at_most))
        changes = [index.changes_of(row) for row in rows]
        blocks = await self._blocks([(c.conversation_id, range_) for c in changes for range_ in c.ranges])
        positions = {change.conversation_id: change.upto for change in changes}
        closed = [change.conversation_id for change in changes if change.is_closed]
        parameters = index.write_parameters(lease.token, positions, closed, blocks)
        held = {row[0] for row in await self._database.rows(index.WRITE, parameters)}
        metrics.BLOCKS.inc(len(blocks))
        metrics.INDEXED_MESSAGES.inc(sum(block.range.last - block.range.first + 1 for block in blocks))
        return {id_: pos for id_, pos in positions.items() if id_ in held}

    async def _blocks(self, places: Sequence[index.Place]) -> list[Block]:
        blocks: list[Block] = []
        for portion in index.portions(places):
            rows = await self._database.rows(index.TEXTS, index.texts_parameters(portion))
            blocks += index.blocks_of(portion, rows)
        return blocks
