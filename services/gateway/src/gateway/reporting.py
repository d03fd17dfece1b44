"""Owns telling presence who is here: changes at once, the whole on demand, a sign of life always."""

from __future__ import annotations

import asyncio
import logging
from typing import Final

from gateway.hub import Hub
from messenger_shared.errors import AppError
from messenger_shared.operations import presence
from messenger_shared.rpc_client import RpcClient

log = logging.getLogger(__name__)

RENEW_S: Final = 5.0
DEADLINE_S: Final = 3.0
LEAVE_DEADLINE_S: Final = 1.0
RETRY_S: Final = 0.5


class Reporting:
    """One report is under way at a time, so that presence gets them in order."""

    def __init__(self, rpc: RpcClient, hub: Hub, worker: str) -> None:
        self._rpc = rpc
        self._hub = hub
        self._worker = worker
        self._changed: set[int] = set()
        self._wake = asyncio.Event()
        self._full = True
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Reports from now on."""
        self._task = asyncio.create_task(self._run(), name="reporting")

    async def stop(self) -> None:
        """Tells presence that this worker ends."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        try:
            await self._rpc.ask(
                presence.LEAVE.service,
                presence.LEAVE.name,
                {"gateway": self._worker},
                key=self._worker,
                deadline_s=LEAVE_DEADLINE_S,
            )
        except AppError:
            log.info("presence doesn't answer; the lease will end by itself")

    def changed(self, user_id: int) -> None:
        """The user's first socket came, or the last one went."""
        self._changed.add(user_id)
        self._wake.set()

    async def _run(self) -> None:
        while True:
            self._wake.clear()
            try:
                await self._report()
            except AppError as error:
                log.warning("presence doesn't answer: %s", error)
                self._full = True
                await asyncio.sleep(RETRY_S)
                continue
            if self._full:
                continue
            try:
                async with asyncio.timeout(RENEW_S):
                    await self._wake.wait()
            except TimeoutError:
                pass

    async def _report(self) -> None:
        changed, self._changed = self._changed, set()
        members = self._hub.members
        full = self._full
        body = {
            "gateway": self._worker,
            # The present state of each that changed: whatever happened in between is no news.
            "opened": list(members) if full else [user for user in changed if user in members],
            "closed": [] if full else [user for user in changed if user not in members],
            "full": full,
        }
        answer = await self._rpc.ask(
            presence.REPORT.service, presence.REPORT.name, body, key=self._worker, deadline_s=DEADLINE_S
        )
        self._full = not answer["known"]
