"""Defines the metrics of webhooks."""

from __future__ import annotations

from prometheus_client import Counter, Gauge, Histogram

from messenger_shared.observability.metrics import SECONDS

_WEBHOOK = ["webhook"]

ATTEMPTS = Counter(
    "messenger_webhook_attempts",
    "Requests to receivers: `delivered`, the status of another answer, or why there was none",
    ["webhook", "outcome"],
)
ATTEMPT_TIME = Histogram(
    "messenger_webhook_attempt_seconds", "Time that receivers took", _WEBHOOK, buckets=(*SECONDS, 15.0)
)
PARKED_TOTAL = Counter(
    "messenger_webhook_parkings", "Conversations that were parked, because the last attempt failed", _WEBHOOK
)
DISABLED = Counter("messenger_webhook_disabled", "Times that a receiver answered 410", _WEBHOOK)
FORGOTTEN = Counter(
    "messenger_webhook_forgotten", "Rows of the log that were deleted before they were delivered", _WEBHOOK
)
PRESENCE_DROPPED = Counter(
    "messenger_webhook_presence_dropped",
    "Transitions of users that were not delivered: too many waited (`full`), or it took too long (`failed`)",
    ["webhook", "reason"],
)
WAITING = Gauge(
    "messenger_webhook_waiting",
    "Conversations whose next change is tried again later",
    _WEBHOOK,
    multiprocess_mode="livemax",
)
PARKED = Gauge(
    "messenger_webhook_parked",
    "Conversations whose next change isn't tried any more",
    _WEBHOOK,
    multiprocess_mode="livemax",
)
BACKLOG_AGE = Gauge(
    "messenger_webhook_backlog_age_seconds",
    "How long the oldest change that is still tried has waited",
    _WEBHOOK,
    multiprocess_mode="livemax",
)
