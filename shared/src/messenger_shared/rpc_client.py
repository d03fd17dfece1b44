"""Owns asking: picks a live worker, gathers requests, and asks again elsewhere when a worker is gone.

Every operation is idempotent, so asking twice is safe. Requests to a worker that is gone are asked again in
the order in which they were made.
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

from messenger_shared import channels, errors
from messenger_shared.bus import Bus
from messenger_shared.errors import AppError
from messenger_shared.metrics import REQUESTS_FAILED, REQUESTS_WAITING
from messenger_shared.rpc import DEFAULT_DEADLINE_S, Request, pack_requests, unpack_answers
from messenger_shared.workers import Roster

# Gets the JSON of an answer, or why there is none; is called exactly once, and must not block.
Then = Callable[[bytes | AppError], None]

SWEEP_S: Final = 0.1
ATTEMPT_S: Final = 2.0
MAX_PENDING: Final = 20_000
# A worker may begin on so many while the rest of a busy turn is still being read. With all of them in one
# message caller and worker took turns, a core idle: 7,500 durable messages a second, and 10,400 this way.
MAX_GATHERED: Final = 16

log = logging.getLogger(__name__)


@dataclass(slots=True)
class _Pending:
    service: str
    operation: str
    user_id: int
    trace: str
    body: dict[str, Any]
    key: str
    expires_at: float
    then: Then
    worker: str = ""
    asked_at: float = 0.0
    reached: bool = False
    again: bool = False


class RpcClient:
    """Asks the workers of `services` over the bus."""

    def __init__(self, bus: Bus, services: Iterable[str]) -> None:
        self._bus = bus
        self._rosters = {name: Roster(bus, name, partial(self._lose, name)) for name in services}
        self._mourners: dict[str, list[Callable[[], None]]] = defaultdict(list)
        self._pending: dict[int, _Pending] = {}
        self._outbox: dict[tuple[str, str], list[int]] = defaultdict(list)
        self._last_id = 0
        self._sweeper: asyncio.Task[None] | None = None
        self._loop = asyncio.get_running_loop()

    async def start(self) -> None:
        """Listens for answers and for workers."""
        self._bus.on_gap(self._recover)
        await self._bus.subscribe([channels.replies(self._bus.worker)], self._on_answers)
        for roster in self._rosters.values():
            await roster.start()
        self._sweeper = asyncio.create_task(self._sweep(), name="rpc sweeper")

    async def stop(self) -> None:
        """Fails what is still unanswered as unavailable."""
        if self._sweeper is not None:
            self._sweeper.cancel()
            await asyncio.gather(self._sweeper, return_exceptions=True)
        for id_ in list(self._pending):
            self._settle(id_, AppError(errors.UNAVAILABLE))

    def has_worker(self, service: str) -> bool:
        """Whether some worker of `service` is believed to live."""
        return len(self._rosters[service]) > 0

    def on_gone(self, service: str, then: Callable[[], None]) -> None:
        """Has `then` called whenever a worker of `service` is taken for gone."""
        self._mourners[service].append(then)

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
        """The answer to one request, as a future that fails with what `call` would tell; raises like it."""
        answer: asyncio.Future[Any] = self._loop.create_future()

        def then(outcome: bytes | AppError) -> None:
            if answer.done():
                return
            if isinstance(outcome, AppError):
                answer.set_exception(outcome)
            else:
                answer.set_result(orjson.loads(outcome))

        id_ = self.call(
            service, operation, body, then, key=key, user_id=user_id, trace=trace, deadline_s=deadline_s
        )
        # Whoever gives up waits for nothing any more.
        answer.add_done_callback(lambda _: self._pending.pop(id_, None))
        return answer

    def call(
        self,
        service: str,
        operation: str,
        body: dict[str, Any],
        then: Then,
        *,
        key: str,
        user_id: int = 0,
        trace: str = "",
        deadline_s: float = DEFAULT_DEADLINE_S,
    ) -> int:
        """Asks; `key` picks the worker, so that what belongs together meets there. Returns the request's id.

        What is asked in one turn of the event loop with one key arrives together, in order. `then` gets the
        answer, or an AppError: the service's own, or unavailable (no worker was reached), timeout (one was,
        and didn't answer within `deadline_s`). Raises AppError(overloaded) when too many are under way.
        """
        if len(self._pending) >= MAX_PENDING:
            REQUESTS_FAILED.labels(errors.OVERLOADED.code).inc()
            raise AppError(errors.OVERLOADED, retry_after_ms=1000)
        self._last_id = id_ = self._last_id + 1
        trace = trace or f"{self._bus.worker}-{id_}"
        expires_at = self._loop.time() + deadline_s
        pending = _Pending(service, operation, user_id, trace, body, key, expires_at, then)
        self._pending[id_] = pending
        self._choose(id_, pending)
        return id_

    def _settle(self, id_: int, outcome: bytes | AppError) -> None:
        """The one end of a request; what its asker makes of it harms no other."""
        pending = self._pending.pop(id_, None)
        if pending is None:
            return
        try:
            pending.then(outcome)
        except Exception:
            log.exception("the answer to %s was not taken", pending.operation)

    def _choose(self, id_: int, pending: _Pending, avoid: str = "") -> None:
        pending.asked_at = self._loop.time()
        pending.worker = self._rosters[pending.service].pick(pending.key, avoid) or ""
        if not pending.worker:
            return
        if not self._outbox:
            self._loop.call_soon(self._flush)
        gathered = self._outbox[pending.service, pending.worker]
        gathered.append(id_)
        if len(gathered) >= MAX_GATHERED:
            self._flush()

    def _flush(self) -> None:
        outbox, self._outbox = self._outbox, defaultdict(list)
        now = self._loop.time()
        for (service, worker), ids in outbox.items():
            asked = [(id_, self._pending[id_]) for id_ in ids if id_ in self._pending]
            self._send(service, worker, [_request(id_, pending, now) for id_, pending in asked])
            for _, pending in asked:
                pending.again = True

    def _send(self, service: str, worker: str, requests: list[Request]) -> None:
        def receipt(reached: int | None) -> None:
            if reached == 0:
                self._rosters[service].drop(worker)
            for request in requests:
                pending = self._pending.get(request.id)
                if pending is not None and pending.worker == worker:
                    if reached is None:
                        pending.worker = ""
                    pending.reached = pending.reached or bool(reached)

        payload = pack_requests(self._bus.worker, requests)
        self._bus.publish(channels.requests(service, worker), payload, receipt)

    def _on_answers(self, payload: bytes) -> None:
        for id_, ok, body in unpack_answers(payload):
            if id_ in self._pending:
                self._settle(id_, body if ok else AppError.from_wire(orjson.loads(body)))

    def _lose(self, service: str, worker: str) -> None:
        self._ask_elsewhere(worker)
        for then in self._mourners[service]:
            then()

    def _ask_elsewhere(self, worker: str) -> None:
        """Requests that went to a worker that is gone, in their order."""
        for id_, pending in list(self._pending.items()):
            if pending.worker == worker:
                self._choose(id_, pending, avoid=worker)

    def _recover(self) -> None:
        """The bus was away: any request or answer may be lost, so everything is asked again, in order."""
        for roster in self._rosters.values():
            roster.forgive()
        for id_, pending in list(self._pending.items()):
            self._choose(id_, pending)

    async def _sweep(self) -> None:
        while True:
            await asyncio.sleep(SWEEP_S)
            REQUESTS_WAITING.set(len(self._pending))
            for roster in self._rosters.values():
                roster.drop_silent()
            self._sweep_once(self._loop.time())

    def _sweep_once(self, now: float) -> None:
        """Deadlines, second attempts, and a probe of every worker that lets somebody wait."""
        waiting: set[tuple[str, str]] = set()
        for id_, pending in list(self._pending.items()):
            if now >= pending.expires_at:
                error = errors.TIMEOUT if pending.reached else errors.UNAVAILABLE
                REQUESTS_FAILED.labels(error.code).inc()
                self._settle(id_, AppError(error))
            elif not pending.worker:
                self._choose(id_, pending)
            elif now - pending.asked_at >= ATTEMPT_S:
                self._choose(id_, pending, avoid=pending.worker)
            elif now - pending.asked_at >= SWEEP_S:
                waiting.add((pending.service, pending.worker))
        # A worker that was killed has no subscription left, which a probe shows at once.
        for service, worker in waiting:
            self._send(service, worker, [])


def _request(id_: int, pending: _Pending, now: float) -> Request:
    ttl_ms = max(0, int((pending.expires_at - now) * 1000))
    return Request(
        id_, pending.operation, pending.user_id, ttl_ms, pending.trace, pending.body, pending.again
    )
