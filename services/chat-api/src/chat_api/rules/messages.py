"""Owns what may be done with a message that is there."""

from __future__ import annotations

from typing import Final, Literal

from chat_api.model import MessageFacts
from chat_api.rules.permissions import Action, require
from messenger_shared import errors
from messenger_shared.errors import AppError

# What is done -> the action, on his own message and on another's.
_ACTIONS: Final = {
    "edit": (Action.EDIT_OWN, Action.EDIT_OTHERS),
    "delete": (Action.DELETE_OWN, Action.DELETE_OTHERS),
    "see_versions": (Action.SEE_OWN_VERSIONS, Action.SEE_OTHERS_VERSIONS),
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


def require_allowed(
    facts: MessageFacts | None, user_id: int, what: Literal["edit", "delete", "see_versions"]
) -> MessageFacts:
    """The facts, if the caller may do that; raises AppError like require_seen, or forbidden."""
    seen = require_seen(facts)
    own, others = _ACTIONS[what]
    require(seen.type, seen.role or "", own if seen.sender_id == user_id else others)
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
