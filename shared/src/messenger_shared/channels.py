"""Owns the name of every Redis channel; a literal one elsewhere is a mistake."""

from typing import Final

HEADS: Final = "heads"
ONLINE_STATUS: Final = "online:status"
# presence asks every gateway worker to report now.
REPORTS: Final = "reports"

_CONVERSATION: Final = "conversation:"


def conversation(conversation_id: str) -> str:
    """Durable events and ephemeral frames of one conversation."""
    return _CONVERSATION + conversation_id


def user(user_id: int) -> str:
    """What concerns one user alone: added to a conversation, unread counts, settings."""
    return f"user:{user_id}"


def presence(user_id: int) -> str:
    """Transitions of one user, for the gateways on which somebody watches."""
    return f"presence:{user_id}"


def requests(service: str, worker: str) -> str:
    """Requests to one worker process."""
    return f"rpc:{service}:{worker}"


def replies(worker: str) -> str:
    """Answers to one worker process."""
    return f"reply:{worker}"


def workers(service: str) -> str:
    """A service's workers tell that they live; a caller asks who does."""
    return f"workers:{service}"


def tick(worker: str) -> str:
    """A worker's own echo, by which it notices that its subscription has gone deaf."""
    return f"tick:{worker}"
