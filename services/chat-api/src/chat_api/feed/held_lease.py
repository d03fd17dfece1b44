"""Holds the lease of one batch, and renews it while the batch is handled."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Mapping, Sequence

from chat_api.feed.cursors import LEASE_S, PgCursors
from messenger_shared.contract.errors import AppError


class HeldLease:
    """The lease of one batch."""

    def __init__(self, cursors: PgCursors, token: str) -> None:
        self._cursors = cursors
        self.token = token

    async def advance(self, positions: Mapping[str, int]) -> set[str]:
        """Moves the cursors of these conversations, and returns which were still held."""
        return await self._cursors.advance(self.token, positions)

    @contextlib.asynccontextmanager
    async def renewed(self, conversation_ids: Sequence[str]) -> AsyncIterator[None]:
        """Renews the lease three times in its length while the block runs."""
        task = asyncio.create_task(self._renew(conversation_ids), name="lease")
        try:
            yield
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    async def _renew(self, conversation_ids: Sequence[str]) -> None:
        while True:
            await asyncio.sleep(LEASE_S / 3)
            with contextlib.suppress(AppError):
                await self._cursors.renew(self.token, conversation_ids)
