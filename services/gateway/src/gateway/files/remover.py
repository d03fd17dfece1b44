"""Removes the bytes of files that nobody needs any more: chat-api knows which, this worker has the store."""

from __future__ import annotations

import asyncio
import logging
import random
from typing import Final

from gateway.files.store import ByteStore
from gateway.metrics import FILES_REMOVED
from gateway.sockets.commands import ask
from messenger_shared.contract.errors import AppError
from messenger_shared.contract.identifiers import SERVER
from messenger_shared.contract.operations.internal import files as rows
from messenger_shared.rpc.client import RpcClient

log = logging.getLogger(__name__)

# Within a minute, the bytes are gone. At random, so that workers that started together don't ask together.
PAUSE_S: Final = (10.0, 20.0)


class FileRemover:
    """Asks for files that are due, removes their bytes, and tells so. What isn't told comes again."""

    def __init__(self, rpc: RpcClient, store: ByteStore) -> None:
        self._rpc = rpc
        self._store = store
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Starts to remove."""
        self._task = asyncio.create_task(self._run(), name="file remover")

    async def stop(self) -> None:
        """Ends the removals."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _run(self) -> None:
        while True:
            await asyncio.sleep(random.uniform(*PAUSE_S))
            try:
                while await self.remove_due():
                    pass
            except AppError as error:
                log.info("files are removed later: %s", error.kind.code)

    async def remove_due(self) -> int:
        """Removes some of the files that are due; returns how many. Raises AppError."""
        due: list[str] = (await ask(self._rpc, rows.TAKE_DUE, {}, SERVER))["file_ids"]
        for file_id in due:
            if await self._store.remove(file_id):
                FILES_REMOVED.inc()
        if due:
            await ask(self._rpc, rows.REMOVED, {"file_ids": due}, SERVER)
        return len(due)
