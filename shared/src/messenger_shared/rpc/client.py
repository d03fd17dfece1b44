"""Sends requests to live workers over the bus, in batches, and retries at another worker when one is gone.

Every operation is idempotent, so a retry is safe. When a worker is gone, its unanswered requests go to other
workers in their original order.

With several Redis servers, a request and its answer take the one that has the conversation of the key. So
while one server is away, only requests about what is on it wait.
"""

from __future__ import annotations

import asyncio
import logging
from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

import orjson

from messenger_shared.bus import channels
from messenger_shared.bus.interface import Bus
from messenger_shared.contract import errors
from messenger_shared.contract.errors import AppError
from messenger_shared.observability.metrics import REQUESTS_FAILED, REQUESTS_WAITING
from messenger_shared.rpc.messages import (
    DEFAULT_DEADLINE_S,
    RETRY_ELSEWHERE_S,
    Request,
    pack_requests,
    unpack_answers,
)
from messenger_shared.rpc.workers import Roster

# Called exactly once, with the JSON of the answer or with an error; must not block.
AnswerCallback = Callable[[bytes | AppError], None]

SWEEP_INTERVAL_S: Final = 0.1
CATCH_UP_S: Final = 0.005
MAX_PENDING: Final = 20_000
# The most requests in one bus message: the worker starts on the first ones while the caller still reads the
# rest of a busy loop turn. With all in one message, caller and worker waited for each other and a core was
# idle: 7,500 durable messages a second, against 10,400 this way.
MAX_BATCH: Final = 16

log = logging.getLogger(__name__)


@dataclass(slots=True)
class _PendingRequest:
    service: str
    operation: str
    user_id: int
    trace: str
    body: dict[str, Any]
    key: str
    expires_at: float
    callback: AnswerCallback
    # Both change when the request is sent again.
    lane: str = ""
    worker: str = ""
    sent_at: float = 0.0
    reached: bool = False
    is_retry: bool = False


class RpcClient:
    """Sends requests to the workers of `services`."""

    def __init__(self, bus: Bus, services: Iterable[str]) -> None:
        self._bus = bus
        self._rosters = {name: Roster(bus, name, partial(self._on_worker_gone, name)) for name in services}
        self._gone_listeners: dict[str, list[Callable[[], None]]] = defaultdict(list)
        self._pending: dict[int, _PendingRequest] = {}
        self._outbox: dict[tuple[str, str, str], list[int]] = defaultdict(list)
        self._last_id = 0
        self._sweeper: asyncio.Task[None] | None = None
        self._loop = asyncio.get_running_loop()

    async def start(self) -> None:
        """Subscribes to answers and heartbeats, and starts the sweeper."""
        self._bus.on_gap(self._resend_all)
        replies = channels.replies(self._bus.worker)
        await self._bus.subscribe([replies + lane for lane in self._bus.lanes], self._on_answers)
        for roster in self._rosters.values():
            await roster.start()
        self._sweeper = asyncio.create_task(self._sweep(), name="rpc sweeper")

    async def stop(self) -> None:
        """Fails all unanswered requests as unavailable."""
        if self._sweeper is not None:
            self._sweeper.cancel()
            await asyncio.gather(self._sweeper, return_exceptions=True)
        for id_ in list(self._pending):
            self._settle(id_, AppError(errors.UNAVAILABLE))

    def has_worker(self, service: str) -> bool:
        """Whether a worker of `service` is believed to be alive."""
        return len(self._rosters[service]) > 0

    def has_healthy_worker(self, service: str) -> bool:
        """Whether a worker of `service` is believed to be alive and doesn't report itself as degraded."""
        return self._rosters[service].has_healthy

    def on_gone(self, service: str, callback: Callable[[], None]) -> None:
        """Calls `callback` each time a worker of `service` is considered gone."""
        self._gone_listeners[service].append(callback)

    def ask(
        self,
        service: str,
        operation: str,
        body: dict[str, Any],
        *,
        key: str,
        user_id: int = 0,
        trace: str = "",
        deadline_s: float = DEFAULT_DEADLINE_S,
    ) -> asyncio.Future[Any]:
        """Sends a request like `call`. The future gets the decoded answer, or fails with its AppError."""
        answer: asyncio.Future[Any] = self._loop.create_future()

        def callback(outcome: bytes | AppError) -> None:
            if answer.done():
                return
            if isinstance(outcome, AppError):
                answer.set_exception(outcome)
            else:
                answer.set_result(orjson.loads(outcome))

        id_ = self.call(
            service, operation, body, callback, key=key, user_id=user_id, trace=trace, deadline_s=deadline_s
        )
        # If the caller cancels the future, the request is forgotten.
        answer.add_done_callback(lambda _: self._pending.pop(id_, None))
        return answer

    def call(
        self,
        service: str,
        operation: str,
        body: dict[str, Any],
        callback: AnswerCallback,
        *,
        key: str,
        user_id: int = 0,
        trace: str = "",
        deadline_s: float = DEFAULT_DEADLINE_S,
    ) -> int:
        """Sends a request; returns its id. Requests with the same `key` go to the same worker.

        Those of one turn of the event loop arrive in order. `callback` gets the answer, or an AppError: the
        service's own, unavailable (no worker was reached), or timeout (a worker was reached and didn't answer
        within `deadline_s`). Raises AppError(overloaded) when MAX_PENDING requests are unanswered.
        """
        if len(self._pending) >= MAX_PENDING:
            REQUESTS_FAILED.labels(errors.OVERLOADED.code).inc()
            raise AppError(errors.OVERLOADED, retry_after_ms=1000)
        self._last_id = id_ = self._last_id + 1
        trace = trace or f"{self._bus.worker}-{id_}"
        expires_at = self._loop.time() + deadline_s
        pending = _PendingRequest(service, operation, user_id, trace, body, key, expires_at, callback)
        self._pending[id_] = pending
        self._assign_worker(id_, pending)
        return id_

    def _settle(self, id_: int, outcome: bytes | AppError) -> None:
        """Ends a request. An exception in its callback is logged, so that it can't affect other requests."""
        pending = self._pending.pop(id_, None)
        if pending is None:
            return
        try:
            pending.callback(outcome)
        except Exception:
            log.exception("handling the answer to %s failed", pending.operation)

    def _assign_worker(self, id_: int, pending: _PendingRequest, avoid: str = "") -> None:
        pending.sent_at = self._loop.time()
        pending.worker = self._rosters[pending.service].pick(pending.key, avoid) or ""
        if not pending.worker:
            return
        # Anew each time: its server may have gone away meanwhile.
        pending.lane = self._bus.lane(channels.conversation(pending.key))
        if not self._outbox:
            self._loop.call_soon(self._flush)
        batch = self._outbox[pending.service, pending.worker, pending.lane]
        batch.append(id_)
        if len(batch) >= MAX_BATCH:
            self._flush()

    def _flush(self) -> None:
        outbox, self._outbox = self._outbox, defaultdict(list)
        now = self._loop.time()
        for (service, worker, lane), ids in outbox.items():
            sent = [(id_, self._pending[id_]) for id_ in ids if id_ in self._pending]
            self._send(service, worker, lane, [_request(id_, pending, now) for id_, pending in sent])
            for _, pending in sent:
                pending.is_retry = True

    def _send(self, service: str, worker: str, lane: str, requests: list[Request]) -> None:
        def receipt(reached: int | None) -> None:
            if reached == 0:
                self._rosters[service].drop(worker)
            for request in requests:
                pending = self._pending.get(request.id)
                if pending is not None and pending.worker == worker:
                    if reached is None:
                        pending.worker = ""
                    pending.reached = pending.reached or bool(reached)

        # The answer takes the same server.
        payload = pack_requests(self._bus.worker + lane, requests)
        self._bus.publish(channels.requests(service, worker) + lane, payload, receipt)

    def _on_answers(self, payload: bytes) -> None:
        for id_, ok, body in unpack_answers(payload):
            if id_ in self._pending:
                self._settle(id_, body if ok else AppError.from_wire(orjson.loads(body)))

    def _on_worker_gone(self, service: str, worker: str) -> None:
        self._resend_elsewhere(worker)
        for callback in self._gone_listeners[service]:
            callback()

    def _resend_elsewhere(self, worker: str) -> None:
        """Sends the requests of a worker that is gone to other workers, in order."""
        for id_, pending in list(self._pending.items()):
            if pending.worker == worker:
                self._assign_worker(id_, pending, avoid=worker)

    def _resend_all(self) -> None:
        """After a gap, sends all requests again, in order: any request or answer may have been lost."""
        for roster in self._rosters.values():
            roster.restart_timeouts()
        for id_, pending in list(self._pending.items()):
            self._assign_worker(id_, pending)

    async def _sweep(self) -> None:
        while True:
            due = self._loop.time() + SWEEP_INTERVAL_S
            await asyncio.sleep(SWEEP_INTERVAL_S)
            if self._loop.time() - due > SWEEP_INTERVAL_S:
                # This process itself was stalled: read what arrived meanwhile before judging any worker.
                await asyncio.sleep(CATCH_UP_S)
            REQUESTS_WAITING.set(len(self._pending))
            for roster in self._rosters.values():
                roster.drop_silent()
            self._sweep_once(self._loop.time())

    def _sweep_once(self, now: float) -> None:
        """Fails expired requests, retries slow ones elsewhere, and probes every worker that is slow."""
        waiting: set[tuple[str, str, str]] = set()
        for id_, pending in list(self._pending.items()):
            if now >= pending.expires_at:
                error = errors.TIMEOUT if pending.reached else errors.UNAVAILABLE
                REQUESTS_FAILED.labels(error.code).inc()
                self._settle(id_, AppError(error))
            elif not pending.worker:
                self._assign_worker(id_, pending)
            elif now - pending.sent_at >= RETRY_ELSEWHERE_S:
                self._assign_worker(id_, pending, avoid=pending.worker)
            elif now - pending.sent_at >= SWEEP_INTERVAL_S:
                waiting.add((pending.service, pending.worker, pending.lane))
        # A killed worker has no subscription left, so the receipt of a probe shows at once that it is gone.
        for service, worker, lane in waiting:
            self._send(service, worker, lane, [])


def _request(id_: int, pending: _PendingRequest, now: float) -> Request:
    ttl_ms = max(0, int((pending.expires_at - now) * 1000))
    return Request(
        id_, pending.operation, pending.user_id, ttl_ms, pending.trace, pending.body, pending.is_retry
    )
