"""Waits until the search index has all changes."""

from __future__ import annotations

import asyncio

from tests.faults.record.database import TableReader
from tests.faults.record.history import ARCHIVE
from tests.faults.record.run import Violation

_PAUSE_S = 0.2


async def index_settled(tables: TableReader, timeout_s: float) -> list[Violation]:
    """Returns when the feed has handled everything; after `timeout_s`, the conversations that it has not."""
    behind: list[str] = []
    try:
        async with asyncio.timeout(timeout_s):
            while behind := await tables.unindexed():  # noqa: ASYNC110  (the feed tells nobody)
                await asyncio.sleep(_PAUSE_S)
    except TimeoutError:
        return [Violation("stale", ARCHIVE, room, "the search index is behind") for room in behind]
    return []
