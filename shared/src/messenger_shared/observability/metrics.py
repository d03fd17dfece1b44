"""Defines the metrics that every service has, and joins those of all its worker processes for /metrics.

Under gunicorn each worker writes its metrics to its own files in one folder (the multi-process mode of
prometheus_client). The worker that answers /metrics adds them up.
"""

from __future__ import annotations

import os
from typing import Final

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest, multiprocess

FOLDER: Final = "PROMETHEUS_MULTIPROC_DIR"
# Histogram buckets, from a short turn of the event loop to a stall that users notice.
SECONDS: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)

READY = Gauge(
    "messenger_ready",
    "1 if this check of /readyz passes on every worker, else 0",
    ["check"],
    multiprocess_mode="livemin",
)
LOOP_LAG = Histogram("messenger_loop_lag_seconds", "How late the event loop runs its timers", buckets=SECONDS)
TASKS = Gauge("messenger_tasks", "Tasks on the event loop", multiprocess_mode="livesum")
BUS_ROUND_TRIP = Histogram(
    "messenger_bus_round_trip_seconds",
    "Round-trip time of a message through Redis",
    buckets=SECONDS,
)
BUS_GAPS = Counter("messenger_bus_gaps", "Gaps in which messages of the bus may have been lost")
BUS_DROPPED = Counter(
    "messenger_bus_dropped", "Messages not published because Redis was unavailable or too slow"
)
REQUESTS_WAITING = Gauge(
    "messenger_requests_waiting",
    "Requests to other services that wait for an answer",
    multiprocess_mode="livesum",
)
REQUESTS_RUNNING = Gauge(
    "messenger_requests_running",
    "Requests of other services that are being handled",
    multiprocess_mode="livesum",
)
REQUESTS_FAILED = Counter(
    "messenger_requests_failed", "Requests to other services that failed, by error code", ["code"]
)
POOL_WAIT = Histogram(
    "messenger_pool_wait_seconds",
    "How long a statement waits for a connection to PostgreSQL",
    buckets=SECONDS,
)
POOL_USED = Gauge("messenger_pool_used", "Connections to PostgreSQL in use", multiprocess_mode="livesum")


def render_metrics() -> bytes:
    """The metrics of all worker processes of this service, in Prometheus's text format."""
    if FOLDER not in os.environ:
        return generate_latest()
    registry = CollectorRegistry()
    multiprocess.MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
    return generate_latest(registry)
