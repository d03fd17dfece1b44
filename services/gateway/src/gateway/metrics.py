"""Defines the gateway's metrics."""

import asyncio

from prometheus_client import Counter, Gauge, Histogram

from messenger_shared.observability.metrics import SECONDS

CONNECTIONS = Gauge("messenger_connections", "Open sockets", multiprocess_mode="livesum")
DELIVERY_TIME = Histogram(
    "messenger_delivery_seconds",
    "Time from commit to the write to sockets, of the oldest event in each turn of the event loop",
    buckets=SECONDS,
)
DELIVERIES = Counter("messenger_deliveries", "Durable frames written to sockets")
UNKNOWN_TYPES = Counter("messenger_unknown_types", "Frames of an unknown type")
EVICTIONS = Counter("messenger_evictions", "Sockets closed because the client read too slowly")
REFUSED = Counter("messenger_turned_away", "New sockets refused with 503 because too many were opening")
HOLES = Counter("messenger_holes_repaired", "Fetches of missing events from chat-api")
PRESENCE_FRAMES = Counter("messenger_presence_frames", "Presence frames written to sockets")
USER_UPDATES = Counter("messenger_user_updates", "user.updated frames written to sockets")
UPLOADED_BYTES = Counter("messenger_uploaded_bytes", "Bytes of files that clients sent")
FILES_REMOVED = Counter("messenger_files_removed", "Files whose bytes were removed")
FILES_EXAMINED = Counter(
    "messenger_files_examined",
    "Examinations of files by outcome: ready, unreadable (ready without a preview), rejected, given_up (too "
    "many attempts), removed (meanwhile), emptied (a rejected one), later (no time or no scanner), failed",
    ["outcome"],
)
for _outcome in ("ready", "unreadable", "rejected", "given_up", "removed", "emptied", "later", "failed"):
    FILES_EXAMINED.labels(_outcome)
EXAMINATION_TIME = Histogram(
    "messenger_file_examination_seconds",
    "Time from taking a file to the end of its examination",
    buckets=(0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 180),
)
FILES_IN_EXAMINATION = Gauge(
    "messenger_files_in_examination", "Files taken to be examined", multiprocess_mode="livesum"
)
FILE_STORE_TIME = Histogram(
    "messenger_file_store_seconds",
    "Time that requests to the S3 store take, repetitions included, by operation",
    ["operation"],
    buckets=SECONDS,
)
FILE_STORE_FAILURES = Counter(
    "messenger_file_store_failures",
    "Requests to the store of files that failed, by operation; `disk` is the folder",
    ["operation"],
)
# From the start at 0, as below.
FILE_STORE_FAILURES.labels("disk")
SERVER_REQUESTS = Counter(
    "messenger_server_requests",
    "Requests at the routes below /server, by operation and outcome: ok, or the error's code",
    ["operation", "outcome"],
)
SERVER_KEY_CHECKS = Counter(
    "messenger_server_key_checks",
    "Server keys checked: accepted from memory (cached) or by chat-api (asked), wrong or revoked (refused), "
    "not looked at after too many wrong ones (limited), or without an answer of chat-api (failed)",
    ["outcome"],
)
# From the start at 0, so that Prometheus sees the first one as a rise.
for _outcome in ("cached", "asked", "refused", "limited", "failed"):
    SERVER_KEY_CHECKS.labels(_outcome)


class BatchedCounter:
    """Counts frequent events; adds them to a counter once per turn of the loop: an `inc` costs 1.3 µs."""

    __slots__ = ("_counter", "_pending")

    def __init__(self, counter: Counter) -> None:
        self._counter = counter
        self._pending = 0

    def count(self) -> None:
        """Counts one event."""
        if not self._pending:
            asyncio.get_running_loop().call_soon(self._flush)
        self._pending += 1

    def _flush(self) -> None:
        self._counter.inc(self._pending)
        self._pending = 0


FRAMES = BatchedCounter(Counter("messenger_frames", "Frames that clients sent"))
