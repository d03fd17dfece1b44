"""Defines the metrics of push."""

from __future__ import annotations

from prometheus_client import Counter, Gauge, Histogram

from chat_api.outgoing.client import FAILURES as NO_ANSWER
from chat_api.push.rules import RULES

EXPIRED = "expired"

SENT = Counter("messenger_push_sent", "Pushes that a push service has taken", ["type"])
SKIPPED = Counter(
    "messenger_push_skipped", "Messages that a user was not pushed, by the first rule that said so", ["rule"]
)
FAILURES = Counter(
    "messenger_push_failures",
    "Pushes that failed, per attempt: the status of the push service, or why there was no answer",
    ["reason"],
)
RETRIES = Counter("messenger_push_retries", "Pushes that are tried again")
GONE = Counter("messenger_push_gone", "Devices that were removed, because their push service said so")
SEND_TIME = Histogram(
    "messenger_push_seconds",
    "Time from a message to the push service's answer that it has the push",
    # No push is earlier than three seconds.
    buckets=(3.05, 3.1, 3.2, 3.3, 3.4, 3.5, 4.0, 5.0, 10.0, 30.0, 60.0, 600.0),
)
WAITING = Gauge(
    "messenger_push_waiting", "Pushes that wait for their turn in this process", multiprocess_mode="livesum"
)
LATE = Gauge(
    "messenger_push_late_seconds",
    "For how long the next push in the queue has been due",
    multiprocess_mode="livemax",
)

# So that they are shown before anything is counted.
for _rule in RULES:
    SKIPPED.labels(_rule.name)
for _type in ("message", "read", "test"):
    SENT.labels(_type)
for _reason in (*NO_ANSWER, EXPIRED):
    FAILURES.labels(_reason)
