"""The presence client: sends requests to the presence service, each with a deadline."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from typing import Any, Final, NamedTuple

from messenger_shared.contract import errors
from messenger_shared.contract.errors import AppError
from messenger_shared.contract.operations.internal import reports
from messenger_shared.contract.operations.operation import PRESENCE, Operation
from messenger_shared.rpc.client import RpcClient

log = logging.getLogger(__name__)

# The longest wait of a `subscribe` command.
BUDGET_S: Final = 0.25
# For requests that nobody waits for, or only the user who asked.
DEADLINE_S: Final = 3.0
LEAVE_DEADLINE_S: Final = 1.0
MAX_FAILURES: Final = 3
# Several failures at one moment count as one. Presence counts as away after failing for this long.
MIN_FAILING_S: Final = 1.0

Row = dict[str, Any]


class VisibleState(NamedTuple):
    """How others see a user. `seen_ms` (since 1970) if it was asked for and the user shows it, else None."""

    user_id: int
    status: str
    hides: bool
    seen_ms: int | None


class Answer(NamedTuple):
    """How others see users, as of `version`. Unless `settled`, a user who looks offline may be online."""

    version: int
    settled: bool
    users: list[VisibleState]


class PresenceClient:
    """A circuit breaker: after some failures in a row it sends only reports, until one is answered fast."""

    def __init__(self, rpc: RpcClient, worker: str) -> None:
        self._rpc = rpc
        self._worker = worker
        self._failures = 0
        self._failing_since = 0.0
        self._is_tripped = False

    @property
    def is_degraded(self) -> bool:
        """Whether presence is away or too slow to be asked."""
        return self._is_tripped or not self._rpc.has_worker(PRESENCE)

    def on_gone(self, then: Callable[[], None]) -> None:
        """Calls `then` whenever a worker of presence is considered gone."""
        self._rpc.on_gone(PRESENCE, then)

    async def states(
        self, user_ids: Sequence[int], *, with_seen: bool = False, deadline_s: float = BUDGET_S
    ) -> Answer:
        """How others see these users. Doesn't check who may see them. Raises AppError."""
        body = {"user_ids": list(user_ids), "with_seen": with_seen}
        self._require_available()
        try:
            found = await self._ask(reports.STATES, body, key=str(user_ids[0]), deadline_s=deadline_s)
        except AppError as error:
            self._record_failure(error)
            raise
        self._record_success()
        users = [VisibleState(user_id, *row) for user_id, row in zip(user_ids, found["states"], strict=True)]
        return Answer(found["version"], found["settled"], users)

    async def visible_rows(self, caller: int, user_ids: Sequence[int]) -> list[Row]:
        """A row, as clients get it, for each of these users that the caller may see. Raises AppError."""
        self._require_available()
        rows: list[Row] = await self._ask(reports.LOOK, {"user_ids": list(user_ids)}, user_id=caller)
        return rows

    async def choose(self, user_id: int, status: str | None, visibility: str | None) -> None:
        """Stores a user's choice; None leaves a value as it is. Raises AppError."""
        self._require_available()
        body = {"status": status, "last_seen_visibility": visibility}
        await self._ask(reports.CHOOSE, {k: v for k, v in body.items() if v is not None}, user_id=user_id)

    async def report(self, body: dict[str, Any]) -> bool:
        """Reports this worker's users. Returns False if presence needs a full report. Raises AppError."""
        begun = asyncio.get_running_loop().time()
        try:
            answer = await self._ask(reports.REPORT, {"gateway": self._worker, **body}, key=self._worker)
        except AppError as error:
            self._record_failure(error)
            raise
        if asyncio.get_running_loop().time() - begun <= BUDGET_S:
            self._record_success()
        return bool(answer["known"])

    async def leave(self) -> None:
        """Reports that this worker ends. Raises AppError."""
        body = {"gateway": self._worker}
        await self._ask(reports.LEAVE, body, key=self._worker, deadline_s=LEAVE_DEADLINE_S)

    def _ask(
        self,
        operation: Operation,
        body: dict[str, Any],
        *,
        key: str = "",
        user_id: int = 0,
        deadline_s: float = DEADLINE_S,
    ) -> asyncio.Future[Any]:
        key = key or str(user_id)
        return self._rpc.ask(
            operation.service, operation.name, body, key=key, user_id=user_id, deadline_s=deadline_s
        )

    def _require_available(self) -> None:
        if self.is_degraded:
            raise AppError(errors.UNAVAILABLE)

    def _record_failure(self, error: AppError) -> None:
        now = asyncio.get_running_loop().time()
        if self._failures == 0:
            self._failing_since = now
        self._failures += 1
        has_lasted = now - self._failing_since >= MIN_FAILING_S
        if self._failures >= MAX_FAILURES and has_lasted and not self._is_tripped:
            self._is_tripped = True
            log.warning("presence is unavailable or slow, continuing without it: %s", error)

    def _record_success(self) -> None:
        if self._is_tripped:
            log.info("presence is available again")
        self._failures = 0
        self._is_tripped = False
