"""Takes requests from the bus, runs their handlers with limits and deadlines, and sends the answers."""

from __future__ import annotations

import asyncio
import logging
from collections import defaultdict
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final

import orjson

from messenger_shared.bus import channels
from messenger_shared.bus.interface import Bus
from messenger_shared.contract import errors
from messenger_shared.contract.errors import AppError
from messenger_shared.observability.metrics import REQUESTS_FAILED, REQUESTS_RUNNING
from messenger_shared.rpc.messages import (
    RETRY_ELSEWHERE_S,
    Answer,
    Request,
    pack_answers,
    pack_requests,
    unpack_requests,
)
from messenger_shared.rpc.workers import Announcer

log = logging.getLogger(__name__)

RequestHandler = Callable[[Request], Awaitable[Any]]

MAX_IN_FLIGHT: Final = 10_000
OVERLOAD_RETRY_MS: Final = 500
STOP_TIMEOUT_S: Final = 5.0
WATCH_INTERVAL_S: Final = 0.25
# The longest time that reading what arrived during a stall may take.
BACKLOG_S: Final = 1.0


class RpcServer:
    """Answers the operations in `handlers` as one worker of `service`.

    A handler is a coroutine function, cancelled at the request's deadline, or returns a future with its own
    deadline, which saves a task on the hot path. It answers with a value for JSON, or with bytes that are
    JSON already. While `is_healthy` is false, this worker reports itself as degraded, and callers prefer
    others.

    If the process was stalled for longer than callers wait, requests that arrived meanwhile have gone to
    another worker too. They are dropped: carried out now, they could undo what the user asked for since.
    """

    def __init__(
        self,
        bus: Bus,
        service: str,
        handlers: Mapping[str, RequestHandler],
        is_healthy: Callable[[], bool] = lambda: True,
    ) -> None:
        self._bus = bus
        self._service = service
        self._handlers = handlers
        self._announcer = Announcer(bus, service, is_healthy)
        self._running: set[asyncio.Future[Any]] = set()
        self._outbox: dict[str, list[Answer]] = defaultdict(list)
        self._channels = [channels.requests(service, bus.worker) + lane for lane in bus.lanes]
        self._loop = asyncio.get_running_loop()
        self._active_at = self._loop.time()
        # Until then, first attempts may be those of a stall.
        self._backlog_until = 0.0
        # Its own messages that haven't come back since the last stall.
        self._probes = 0
        self._watcher: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Subscribes to requests, then announces this worker."""
        await self._bus.subscribe(self._channels, self._on_requests)
        self._watcher = asyncio.create_task(self._watch(), name="rpc stall watcher")
        await self._announcer.start()

    async def stop(self) -> None:
        """Announces the end, lets running requests finish, and cancels them after STOP_TIMEOUT_S."""
        await self._announcer.stop()
        if self._running:
            await asyncio.wait(self._running, timeout=STOP_TIMEOUT_S)
        self._bus.unsubscribe(self._channels)
        if self._watcher is not None:
            self._watcher.cancel()
            await asyncio.gather(self._watcher, return_exceptions=True)
        for future in self._running:
            future.cancel()
        self._flush()

    def _on_requests(self, payload: bytes) -> None:
        self._notice_stall()
        sender, requests = unpack_requests(payload)
        if sender == self._bus.worker:
            self._probes -= 1
            if self._probes <= 0:
                self._backlog_until = 0.0
        is_backlog = self._active_at < self._backlog_until
        for request in requests:
            if request.is_retry or not is_backlog:
                self._start(sender, request)

    async def _watch(self) -> None:
        while True:
            await asyncio.sleep(WATCH_INTERVAL_S)
            self._notice_stall()

    def _notice_stall(self) -> None:
        now = self._loop.time()
        if now - self._active_at > RETRY_ELSEWHERE_S:
            self._backlog_until = now + BACKLOG_S
            # Each comes back when all that waited on its server has been read.
            self._probes = len(self._channels)
            for channel in self._channels:
                self._bus.publish(channel, pack_requests(self._bus.worker, []))
        self._active_at = now

    def _start(self, sender: str, request: Request) -> None:
        handler = self._handlers.get(request.operation)
        if handler is None:
            self._answer_error(sender, request, AppError(errors.UNKNOWN_TYPE))
            return
        if len(self._running) >= MAX_IN_FLIGHT:
            REQUESTS_FAILED.labels(errors.OVERLOADED.code).inc()
            self._answer_error(sender, request, AppError(errors.OVERLOADED, retry_after_ms=OVERLOAD_RETRY_MS))
            return
        try:
            future = _start_handler(handler, request)
        except AppError as error:
            self._answer_error(sender, request, error)
            return
        self._running.add(future)
        future.add_done_callback(lambda done: self._finish(sender, request, done))

    def _finish(self, sender: str, request: Request, done: asyncio.Future[Any]) -> None:
        self._running.discard(done)
        if done.cancelled():
            return  # No answer, so the caller retries at another worker.
        error = done.exception()
        if isinstance(error, TimeoutError):
            return  # No answer: the caller has given up by now.
        if error is None:
            self._queue_answer(sender, Answer(request.id, True, _encode(done.result())))
        elif isinstance(error, AppError):
            self._answer_error(sender, request, error)
        else:
            log.error("%s failed", request.operation, exc_info=error, extra={"trace": request.trace})
            self._answer_error(sender, request, AppError(errors.INTERNAL))

    def _answer_error(self, sender: str, request: Request, error: AppError) -> None:
        self._queue_answer(sender, Answer(request.id, False, orjson.dumps(error.to_wire())))

    def _queue_answer(self, sender: str, answer: Answer) -> None:
        if not self._outbox:
            asyncio.get_running_loop().call_soon(self._flush)
        self._outbox[sender].append(answer)

    def _flush(self) -> None:
        REQUESTS_RUNNING.set(len(self._running))
        outbox, self._outbox = self._outbox, defaultdict(list)
        for sender, answers in outbox.items():
            self._bus.publish(channels.replies(sender), pack_answers(answers))


def _encode(answer: Any) -> bytes:
    """The answer as JSON; handlers on the hot path return JSON bytes already."""
    return answer if isinstance(answer, bytes) else orjson.dumps(answer)


def _start_handler(handler: RequestHandler, request: Request) -> asyncio.Future[Any]:
    work = handler(request)
    if isinstance(work, asyncio.Future):
        return work
    return asyncio.create_task(_with_deadline(request.ttl_ms / 1000, work), name=request.operation)


async def _with_deadline(ttl_s: float, work: Awaitable[Any]) -> Any:
    async with asyncio.timeout(ttl_s):
        return await work
