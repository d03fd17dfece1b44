"""Defines the metrics of the feed."""

from __future__ import annotations

from prometheus_client import Counter, Gauge, Histogram

from messenger_shared.observability.metrics import SECONDS

_CONSUMER = ["consumer"]

BEHIND = Gauge(
    "messenger_feed_behind",
    "Conversations with changes that the consumer has yet to handle, as far as this process knows",
    _CONSUMER,
    multiprocess_mode="livemax",
)
LAG = Gauge(
    "messenger_feed_lag_seconds",
    "How long the oldest change that this process knows of has waited for the consumer",
    _CONSUMER,
    multiprocess_mode="livemax",
)
POSITIONS = Counter("messenger_feed_positions", "Positions that the consumer has handled", _CONSUMER)
FAILURES = Counter(
    "messenger_feed_failures",
    "Conversations whose changes the consumer failed to handle, per attempt",
    _CONSUMER,
)
LOST_LEASES = Counter(
    "messenger_feed_lost_leases", "Conversations that another process took over meanwhile", _CONSUMER
)
BATCH_TIME = Histogram(
    "messenger_feed_batch_seconds",
    "Time from claiming conversations to the end of handling their changes",
    _CONSUMER,
    buckets=SECONDS,
)
SWEEP_TIME = Histogram(
    "messenger_feed_sweep_seconds",
    "Time to compare all conversations with the consumer's cursors",
    _CONSUMER,
    buckets=(*SECONDS, 30.0, 60.0),
)
INDEXED_MESSAGES = Counter(
    "messenger_search_indexed_messages", "Messages whose words were written into the search index"
)
BLOCKS = Counter(
    "messenger_search_blocks_written", "Blocks of the search index written: new, changed, merged"
)
