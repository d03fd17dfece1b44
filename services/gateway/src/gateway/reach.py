"""Owns asking presence: each question within a budget, and none while presence is away or slow."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from typing import Any, Final, NamedTuple

from messenger_shared import errors
from messenger_shared.errors import AppError
from messenger_shared.operations import reports
from messenger_shared.operations.operation import PRESENCE, Operation
from messenger_shared.rpc_client import RpcClient

log = logging.getLogger(__name__)

# What somebody who subscribes waits at most.
BUDGET_S: Final = 0.25
# What nobody waits for, or the asker alone.
PATIENCE_S: Final = 3.0
LEAVE_DEADLINE_S: Final = 1.0
FAILURES: Final = 3

Row = dict[str, Any]


class Seen(NamedTuple):
    """How others see a user, as presence says; `seen_ms` if it was asked for, and he tells."""

    user_id: int
    status: str
    hides: bool
    seen_ms: int | None


class Answer(NamedTuple):
    """How users are seen, as of `version`; unless `settled`, who looks offline may be there."""

    version: int
    settled: bool
    users: list[Seen]


class Reach:
    """After some failures in a row, nothing is asked until a report, which is always tried, goes well."""

    def __init__(self, rpc: RpcClient, worker: str) -> None:
        self._rpc = rpc
        self._worker = worker
        self._failures = 0

    @property
    def degraded(self) -> bool:
        """Whether presence is not to be reckoned with."""
        return self._failures >= FAILURES or not self._rpc.has_worker(PRESENCE)

    def on_gone(self, then: Callable[[], None]) -> None:
        """Has `then` called whenever a worker of presence is taken for gone."""
        self._rpc.on_gone(PRESENCE, then)

    async def states(
        self, user_ids: Sequence[int], *, with_seen: bool = False, deadline_s: float = BUDGET_S
    ) -> Answer:
        """How users are seen by those who may see them. Raises AppError."""
        body = {"user_ids": list(user_ids), "with_seen": with_seen}
        self._require()
        try:
            found = await self._ask(reports.STATES, body, key=str(user_ids[0]), deadline_s=deadline_s)
        except AppError as error:
            self._fail(error)
            raise
        self._failures = 0
        users = [Seen(user_id, *row) for user_id, row in zip(user_ids, found["states"], strict=True)]
        return Answer(found["version"], found["settled"], users)

    async def look(self, caller: int, user_ids: Sequence[int]) -> list[Row]:
        """How those are whom the caller may see, as clients get it. Raises AppError."""
        self._require()
        rows: list[Row] = await self._ask(reports.LOOK, {"user_ids": list(user_ids)}, user_id=caller)
        return rows

    async def choose(self, user_id: int, status: str | None, visibility: str | None) -> None:
        """What a user chose to show. Raises AppError."""
        self._require()
        body = {"status": status, "last_seen_visibility": visibility}
        await self._ask(reports.CHOOSE, {k: v for k, v in body.items() if v is not None}, user_id=user_id)

    async def report(self, body: dict[str, Any]) -> bool:
        """Tells who is here; False when only a full report helps. Raises AppError."""
        begun = asyncio.get_running_loop().time()
        try:
            answer = await self._ask(reports.REPORT, {"gateway": self._worker, **body}, key=self._worker)
        except AppError as error:
            self._fail(error)
            raise
        if asyncio.get_running_loop().time() - begun <= BUDGET_S:
            self._recover()
        return bool(answer["known"])

    async def leave(self) -> None:
        """Tells that this worker ends. Raises AppError."""
        body = {"gateway": self._worker}
        await self._ask(reports.LEAVE, body, key=self._worker, deadline_s=LEAVE_DEADLINE_S)

    def _ask(
        self,
        operation: Operation,
        body: dict[str, Any],
        *,
        key: str = "",
        user_id: int = 0,
        deadline_s: float = PATIENCE_S,
    ) -> asyncio.Future[Any]:
        key = key or str(user_id)
        return self._rpc.ask(
            operation.service, operation.name, body, key=key, user_id=user_id, deadline_s=deadline_s
        )

    def _require(self) -> None:
        if self.degraded:
            raise AppError(errors.UNAVAILABLE)

    def _fail(self, error: AppError) -> None:
        self._failures += 1
        if self._failures == FAILURES:
            log.warning("presence is away or slow, going on without it: %s", error)

    def _recover(self) -> None:
        if self._failures >= FAILURES:
            log.info("presence answers again")
        self._failures = 0
