"""Names every Redis channel. No other module may contain a literal channel name."""

from typing import Final

HIGH_WATER_MARKS: Final = "heads"
ONLINE_STATUS: Final = "online:status"
# On this channel, presence asks every gateway worker for a full report now.
REPORTS: Final = "reports"

# Changed profiles, for every gateway: {user_id, conversation_ids, frame}.
USERS: Final = "users"
# Every transition of presence, for feeds that tell webhooks of them.
PRESENCE_ALL: Final = "presence:all"
# The log of events has grown, for whoever waits for more.
EVENTS: Final = "events"
# Feeds say here that they deliver to webhooks.
FEEDS: Final = "feeds"
# Revoked server keys, for every gateway: the key's id.
SERVER_KEYS: Final = "server-keys"

# Questions to every gateway, who looks at which conversations. `viewers` beside this module has their form.
VIEWERS: Final = "viewers"

_CONVERSATION: Final = "conversation:"


def conversation(conversation_id: str) -> str:
    """Durable events and ephemeral frames of one conversation."""
    return _CONVERSATION + conversation_id


def user(user_id: int) -> str:
    """Events for one user only: added to a conversation, unread counts, settings."""
    return f"user:{user_id}"


def presence(user_id: int) -> str:
    """Transitions of one user, for gateways with a presence subscription to that user."""
    return f"presence:{user_id}"


def viewers_answer(worker: str) -> str:
    """Answers to one worker's questions who looks at conversations."""
    return f"viewers:{worker}"


def requests(service: str, worker: str) -> str:
    """Requests to one worker process."""
    return f"rpc:{service}:{worker}"


def replies(worker: str) -> str:
    """Answers to one worker process."""
    return f"reply:{worker}"


def workers(service: str) -> str:
    """Heartbeats of a service's workers, and requests to announce themselves."""
    return f"workers:{service}"


def tick(worker: str) -> str:
    """A worker's ticks to itself, which show that its subscription still works."""
    return f"tick:{worker}"
