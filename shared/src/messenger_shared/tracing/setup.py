"""Switches tracing on or off. Without a collector, OpenTelemetry is not even imported."""

from __future__ import annotations

from typing import TYPE_CHECKING

from messenger_shared.settings.common import OTLP_ENDPOINT
from messenger_shared.settings.environment import Environment, SettingsError

if TYPE_CHECKING:
    from messenger_shared.tracing.spans import Spans


def make_spans(env: Environment, service: str) -> Spans | None:
    """The service's tracer; None if OTEL_EXPORTER_OTLP_ENDPOINT is not set. Raises SettingsError."""
    if not OTLP_ENDPOINT.of(env):
        return None
    try:
        from messenger_shared.tracing.spans import Spans
    except ModuleNotFoundError:
        raise SettingsError(f"{OTLP_ENDPOINT.name} is set, but the extra `otel` is not installed") from None
    return Spans(service)
