"""Owns spans of OpenTelemetry: a request is followed from its door to its handler, a message to its readers.

What is done to a message has the message's own id as its trace id, so that whoever has the message finds the
trace, and no bus message grows by it. The span of its sending is known by the second half of that id.
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
from opentelemetry.sdk.trace import TracerProvider
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

from messenger_shared.errors import AppError
from messenger_shared.operations.messages import SEND
from messenger_shared.operations.table import TABLE
from messenger_shared.rpc import Request
from messenger_shared.rpc_client import RpcClient, Then
from messenger_shared.rpc_server import RequestHandler

# Whoever collects may be away: a service that ends doesn't wait for long.
EXPORT_S: Final = 2
_HALF: Final = 2**64 - 1
_HEADER: Final = "traceparent"
_PROPAGATOR: Final = TraceContextTextMapPropagator()
# Between services alone, every second: nobody looks for them.
_FOLLOWED: Final = frozenset(name for name, row in TABLE.items() if row.route or row.command)


class _Share(TraceIdRatioBased):
    """Decides by the last bits of a message's id: those before them count, or are the same in every UUID."""

    TRACE_ID_LIMIT = (1 << 32) - 1


class _Ids(RandomIdGenerator):
    """Random ids, but for a trace and a span whose ids are to be those that are set here."""

    def __init__(self) -> None:
        self.trace_id = self.span_id = 0

    def generate_trace_id(self) -> int:
        return self.trace_id or super().generate_trace_id()

    def generate_span_id(self) -> int:
        return self.span_id or super().generate_span_id()


class Spans:
    """Makes the spans of one worker process, and sends them; OTEL_ variables say where, and how many."""

    def __init__(self, service: str) -> None:
        self._ids = _Ids()
        resource = Resource.create({"service.name": f"messenger-{service}"})
        self._provider = TracerProvider(resource=resource, id_generator=self._ids)
        if isinstance(self._provider.sampler, TraceIdRatioBased):
            self._provider.sampler = _Share(self._provider.sampler.rate)
        self._tracer = self._provider.get_tracer("messenger")

    async def start(self) -> None:
        """Begins to send what was made, by a thread of its own."""
        self._provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(timeout=EXPORT_S)))

    async def stop(self) -> None:
        """Sends the rest."""
        await asyncio.to_thread(self._provider.shutdown)

    def begin(self, operation: str, body: Mapping[str, Any]) -> tuple[Span, str]:
        """A request's first span, and what goes with the request for the next ones."""
        message_id = body.get("message_id")
        self._ids.trace_id = UUID(message_id).int if message_id else 0
        self._ids.span_id = self._ids.trace_id & _HALF if operation == SEND.name else 0
        span = self._tracer.start_span(operation, context=Context(), kind=SpanKind.SERVER)
        self._ids.trace_id = self._ids.span_id = 0
        carrier: dict[str, str] = {}
        _PROPAGATOR.inject(carrier, set_span_in_context(span))
        return span, carrier.get(_HEADER, "")

    def record(self, name: str, message_id: str, begun_ns: int, **attributes: int) -> None:
        """Something that was done to a sent message from `begun_ns` until now."""
        trace_id = UUID(message_id).int
        sending = SpanContext(trace_id, trace_id & _HALF, True, TraceFlags(TraceFlags.SAMPLED))
        context = set_span_in_context(NonRecordingSpan(sending))
        span = self._tracer.start_span(name, context=context, start_time=begun_ns, attributes=attributes)
        # Clocks of two machines may differ.
        span.end(max(begun_ns, time.time_ns()))

    def handlers(self, handlers: Mapping[str, RequestHandler]) -> dict[str, RequestHandler]:
        """The same, each followed where its caller is."""
        return {name: self._following(name, handler) for name, handler in handlers.items()}

    def _following(self, name: str, handler: RequestHandler) -> RequestHandler:
        if name not in _FOLLOWED:
            return handler

        def handle(request: Request) -> Awaitable[Any]:
            context = _PROPAGATOR.extract({_HEADER: request.trace}, context=Context())
            span = self._tracer.start_span(name, context=context)
            try:
                work = handler(request)
            except AppError as error:
                end(span, error)
                raise
            if isinstance(work, asyncio.Future):
                work.add_done_callback(lambda done: end(span, None if done.cancelled() else done.exception()))
                return work
            return _ending(span, work)

        return handle


class FollowedClient(RpcClient):
    """An RpcClient whose requests for clients each begin a trace."""

    spans: Spans

    def call(
        self, service: str, operation: str, body: dict[str, Any], then: Then, *, trace: str = "", **asked: Any
    ) -> int:
        if operation not in _FOLLOWED:
            return super().call(service, operation, body, then, trace=trace, **asked)
        span, trace = self.spans.begin(operation, body)

        def done(outcome: bytes | AppError) -> None:
            end(span, outcome if isinstance(outcome, AppError) else None)
            then(outcome)

        try:
            return super().call(service, operation, body, done, trace=trace, **asked)
        except AppError as error:
            end(span, error)
            raise


def end(span: Span, error: BaseException | None) -> None:
    """Ends it; of a failure no more is told than its code, or its class."""
    if error is not None:
        told = error.kind.code if isinstance(error, AppError) else type(error).__name__
        span.set_attribute("error.type", told)
        span.set_status(StatusCode.ERROR)
    span.end()


async def _ending(span: Span, work: Awaitable[Any]) -> Any:
    try:
        answer = await work
    except BaseException as error:
        end(span, error)
        raise
    end(span, None)
    return answer
