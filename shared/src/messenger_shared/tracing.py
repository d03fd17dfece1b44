"""Owns tracing's switch: where nobody collects spans, nothing that makes them is even imported."""

from __future__ import annotations

from typing import TYPE_CHECKING

from messenger_shared.common_settings import OTLP_ENDPOINT
from messenger_shared.settings import Environment, SettingsError

if TYPE_CHECKING:
    from messenger_shared.spans import Spans


def spans_of(env: Environment, service: str) -> Spans | None:
    """What makes the service's spans; None unless the environment wants them. Raises SettingsError."""
    if not OTLP_ENDPOINT.of(env):
        return None
    try:
        from messenger_shared.spans import Spans
    except ModuleNotFoundError:
        raise SettingsError(f"{OTLP_ENDPOINT.name} is set, but the extra `otel` is not installed") from None
    return Spans(service)
