"""Owns who may do what with a message that is there, as one table of role and relation."""

from __future__ import annotations

from typing import Final, Literal

from chat_api.model import MessageFacts
from messenger_shared import errors
from messenger_shared.errors import AppError

Action = Literal["edit", "delete", "see_versions"]

# (role, whether the message is his own) -> what he may do with it.
ALLOWED: Final[dict[tuple[str, bool], frozenset[Action]]] = {
    ("admin", True): frozenset({"edit", "delete", "see_versions"}),
    ("admin", False): frozenset({"delete", "see_versions"}),
    ("member", True): frozenset({"edit", "delete", "see_versions"}),
    ("member", False): frozenset(),
    ("observer", True): frozenset({"delete", "see_versions"}),
    ("observer", False): frozenset(),
}


def require_seen(facts: MessageFacts | None) -> MessageFacts:
    """The facts of a message in a conversation of the caller's.

    Raises AppError: not_found for a stranger, as for a message that doesn't exist; not_member for one who
    has left.
    """
    if facts is None or facts.role is None:
        raise AppError(errors.NOT_FOUND)
    if facts.left:
        raise AppError(errors.NOT_MEMBER)
    return facts


def require_allowed(facts: MessageFacts | None, user_id: int, action: Action) -> MessageFacts:
    """The facts, if the caller may do `action`; raises AppError like require_seen, or forbidden."""
    seen = require_seen(facts)
    if action not in ALLOWED[seen.role or "", seen.sender_id == user_id]:
        raise AppError(errors.FORBIDDEN)
    return seen


def is_repeated_edit(facts: MessageFacts, content: str, expected_version: int | None) -> bool:
    """Whether this edit was made before: the caller asks again since he got no answer."""
    if facts.version == 1 or facts.content != content:
        return False
    return expected_version in (None, facts.version, facts.version - 1)


def check_version(facts: MessageFacts, expected_version: int | None) -> None:
    """Raises AppError(version_conflict) when somebody else's edit came first."""
    if expected_version is not None and expected_version != facts.version:
        raise AppError(errors.VERSION_CONFLICT)
