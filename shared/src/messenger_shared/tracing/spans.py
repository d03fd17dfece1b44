"""Makes OpenTelemetry spans, from a client's request to its handler, and from a message to its readers.

The trace id of a message is the message's own id, and the span id of its sending is the second half of that
id. So the message leads to its trace, and bus messages need no extra field.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Mapping
from typing import Any, Final
from uuid import UUID

from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.sdk.trace.id_generator import RandomIdGenerator
from opentelemetry.sdk.trace.sampling import TraceIdRatioBased
from opentelemetry.trace import (
    NonRecordingSpan,
    Span,
    SpanContext,
    SpanKind,
    StatusCode,
    TraceFlags,
    set_span_in_context,
)
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from messenger_shared.contract.errors import AppError
from messenger_shared.contract.operations.messages import SEND
from messenger_shared.contract.operations.table import TABLE
from messenger_shared.rpc.client import AnswerCallback, RpcClient
from messenger_shared.rpc.messages import Request
from messenger_shared.rpc.server import RequestHandler

# Short, because the collector may be down when a service shuts down.
EXPORT_S: Final = 2
_HALF: Final = 2**64 - 1
_HEADER: Final = "traceparent"
_PROPAGATOR: Final = TraceContextTextMapPropagator()
# Only operations that clients can ask for. Those between services run every second and are of no interest.
_TRACED: Final = frozenset(name for name, row in TABLE.items() if row.route or row.command)


class _LowBitsSampler(TraceIdRatioBased):
    """Samples by the last 32 bits of the trace id: the other bits of a UUIDv7 are a counter or constant."""

    TRACE_ID_LIMIT = (1 << 32) - 1


class _IdGenerator(RandomIdGenerator):
    """Generates random ids, except while `trace_id` or `span_id` is set: then it returns those."""

    def __init__(self) -> None:
        self.trace_id = self.span_id = 0

    def generate_trace_id(self) -> int:
        return self.trace_id or super().generate_trace_id()

    def generate_span_id(self) -> int:
        return self.span_id or super().generate_span_id()


class Spans:
    """Makes and exports the spans of one worker process. OTEL_ variables set the target and the sampling."""

    def __init__(self, service: str) -> None:
        self._ids = _IdGenerator()
        resource = Resource.create({"service.name": f"messenger-{service}"})
        self._provider = TracerProvider(resource=resource, id_generator=self._ids)
        if isinstance(self._provider.sampler, TraceIdRatioBased):
            self._provider.sampler = _LowBitsSampler(self._provider.sampler.rate)
        self._tracer = self._provider.get_tracer("messenger")

    async def start(self) -> None:
        """Starts the exporting thread."""
        self._provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(timeout=EXPORT_S)))

    async def stop(self) -> None:
        """Exports the remaining spans."""
        await asyncio.to_thread(self._provider.shutdown)

    def begin(self, operation: str, body: Mapping[str, Any]) -> tuple[Span, str]:
        """Starts a request's first span. Returns it and its `traceparent`, which goes with the request."""
        message_id = body.get("message_id")
        self._ids.trace_id = UUID(message_id).int if message_id else 0
        self._ids.span_id = self._ids.trace_id & _HALF if operation == SEND.name else 0
        span = self._tracer.start_span(operation, context=Context(), kind=SpanKind.SERVER)
        self._ids.trace_id = self._ids.span_id = 0
        carrier: dict[str, str] = {}
        _PROPAGATOR.inject(carrier, set_span_in_context(span))
        return span, carrier.get(_HEADER, "")

    def record(
        self, name: str, message_id: str, begun_ns: int, took_ns: int | None = None, **attributes: int
    ) -> None:
        """Adds a span to a sent message's trace: from `begun_ns` (Unix time) until now, or for `took_ns`."""
        trace_id = UUID(message_id).int
        sending = SpanContext(trace_id, trace_id & _HALF, True, TraceFlags(TraceFlags.SAMPLED))
        context = set_span_in_context(NonRecordingSpan(sending))
        span = self._tracer.start_span(name, context=context, start_time=begun_ns, attributes=attributes)
        # `begun_ns` may come from another machine, whose clock may be ahead.
        span.end(max(begun_ns, time.time_ns()) if took_ns is None else begun_ns + took_ns)

    def handlers(self, handlers: Mapping[str, RequestHandler]) -> dict[str, RequestHandler]:
        """The same handlers, each with a span that is a child of its caller's."""
        return {name: self._traced(name, handler) for name, handler in handlers.items()}

    def _traced(self, name: str, handler: RequestHandler) -> RequestHandler:
        if name not in _TRACED:
            return handler

        def handle(request: Request) -> Awaitable[Any]:
            context = _PROPAGATOR.extract({_HEADER: request.trace}, context=Context())
            span, begun_ns = self._tracer.start_span(name, context=context), time.monotonic_ns()
            try:
                work = handler(request)
            except AppError as error:
                end(span, begun_ns, error)
                raise
            if isinstance(work, asyncio.Future):
                work.add_done_callback(lambda done: end(span, begun_ns, _failure(done)))
                return work
            return _end_after(span, begun_ns, work)

        return handle


class TracedClient(RpcClient):
    """An RpcClient that starts a trace for each request that a client made."""

    spans: Spans

    def call(
        self,
        service: str,
        operation: str,
        body: dict[str, Any],
        callback: AnswerCallback,
        *,
        trace: str = "",
        **options: Any,
    ) -> int:
        if operation not in _TRACED:
            return super().call(service, operation, body, callback, trace=trace, **options)
        (span, trace), begun_ns = self.spans.begin(operation, body), time.monotonic_ns()

        def done(outcome: bytes | AppError) -> None:
            end(span, begun_ns, outcome if isinstance(outcome, AppError) else None)
            callback(outcome)

        try:
            return super().call(service, operation, body, done, trace=trace, **options)
        except AppError as error:
            end(span, begun_ns, error)
            raise


def end(span: Span, begun_ns: int, error: BaseException | None) -> None:
    """Ends a span that began at `begun_ns` (monotonic). Records only the code or class of an error."""
    if error is not None:
        code = error.kind.code if isinstance(error, AppError) else type(error).__name__
        span.set_attribute("error.type", code)
        span.set_status(StatusCode.ERROR)
    began = span.start_time if isinstance(span, ReadableSpan) else None
    span.end(None if began is None else began + time.monotonic_ns() - begun_ns)


def _failure(done: asyncio.Future[Any]) -> BaseException | None:
    return None if done.cancelled() else done.exception()


async def _end_after(span: Span, begun_ns: int, work: Awaitable[Any]) -> Any:
    try:
        answer = await work
    except BaseException as error:
        end(span, begun_ns, error)
        raise
    end(span, begun_ns, None)
    return answer
