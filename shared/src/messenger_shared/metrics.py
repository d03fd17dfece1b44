"""Owns what every service counts, and how the counts of all worker processes of a service become one answer.

Under gunicorn each worker writes its figures to files of its own in one folder (the multi-process mode of
prometheus_client), and whichever worker is asked for /metrics adds them up.
"""

from __future__ import annotations

import os
from typing import Final

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest, multiprocess

FOLDER: Final = "PROMETHEUS_MULTIPROC_DIR"
# From a quiet turn of the event loop to a stall that everybody notices.
SECONDS: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)

READY = Gauge(
    "messenger_ready",
    "1 while what /readyz asks about is there for every worker",
    ["check"],
    multiprocess_mode="livemin",
)
LOOP_LAG = Histogram(
    "messenger_loop_lag_seconds", "How late the event loop wakes who sleeps", buckets=SECONDS
)
TASKS = Gauge(
    "messenger_tasks", "Tasks of the event loop, looked at now and then", multiprocess_mode="livesum"
)
BUS_ROUND_TRIP = Histogram(
    "messenger_bus_round_trip_seconds", "A message of one's own, through Redis and back", buckets=SECONDS
)
BUS_GAPS = Counter("messenger_bus_gaps", "Times that messages of the bus may have been lost")
BUS_DROPPED = Counter("messenger_bus_dropped", "Messages not published: Redis away, or its buffer full")
REQUESTS_WAITING = Gauge(
    "messenger_requests_waiting", "Requests to other services without an answer", multiprocess_mode="livesum"
)
REQUESTS_RUNNING = Gauge(
    "messenger_requests_running", "Requests of other services under way here", multiprocess_mode="livesum"
)
REQUESTS_FAILED = Counter(
    "messenger_requests_failed", "Requests that nobody answered, or nobody took", ["code"]
)
POOL_WAIT = Histogram(
    "messenger_pool_wait_seconds",
    "How long a statement waits for a connection to PostgreSQL",
    buckets=SECONDS,
)
POOL_USED = Gauge("messenger_pool_used", "Connections to PostgreSQL in use", multiprocess_mode="livesum")


def latest() -> bytes:
    """The figures of all worker processes, in Prometheus's text form."""
    if FOLDER not in os.environ:
        return generate_latest()
    registry = CollectorRegistry()
    multiprocess.MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
    return generate_latest(registry)
