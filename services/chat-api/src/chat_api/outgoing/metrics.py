"""Defines the metrics of requests to the outside."""

from __future__ import annotations

from prometheus_client import Counter, Gauge, Histogram

from messenger_shared.observability.metrics import SECONDS

_PURPOSE = ["purpose"]

# Outcomes: 2xx, 3xx, 4xx, 5xx, and the failures.
REQUESTS = Counter(
    "messenger_outgoing_requests", "Requests to the outside, by outcome", [*_PURPOSE, "outcome"]
)
REQUEST_TIME = Histogram(
    "messenger_outgoing_seconds",
    "Time of requests to the outside, the wait for a slot included",
    _PURPOSE,
    buckets=(*SECONDS, 30.0),
)
RUNNING = Gauge(
    "messenger_outgoing_running",
    "Requests to the outside under way or waiting for a slot",
    _PURPOSE,
    multiprocess_mode="livesum",
)
