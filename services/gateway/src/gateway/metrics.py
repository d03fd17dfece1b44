"""Owns what the gateway counts."""

from prometheus_client import Counter, Gauge, Histogram

from messenger_shared.metrics import SECONDS

CONNECTIONS = Gauge("messenger_connections", "Open sockets", multiprocess_mode="livesum")
DELIVERY_TIME = Histogram(
    "messenger_delivery_seconds",
    "From the commit of an event to its writing to sockets, of the oldest in each turn of the loop",
    buckets=SECONDS,
)
DELIVERIES = Counter("messenger_deliveries", "Durable frames written to sockets")
FRAMES = Counter("messenger_frames", "Frames that clients sent")
UNKNOWN_TYPES = Counter("messenger_unknown_types", "Frames of a type that nobody knows")
EVICTIONS = Counter("messenger_evictions", "Sockets closed because they didn't read")
TURNED_AWAY = Counter("messenger_turned_away", "Sockets that were told to come back later")
HOLES = Counter("messenger_holes_repaired", "Times that missing events were fetched from chat-api")
PRESENCE_FRAMES = Counter("messenger_presence_frames", "Frames that told a socket how people are")
