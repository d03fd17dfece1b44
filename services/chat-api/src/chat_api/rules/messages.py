"""Decides who may read, edit and delete an existing message."""

from __future__ import annotations

from typing import Final, Literal

from chat_api.model import Edit, MessageFacts
from chat_api.rules.permissions import Action, require
from messenger_shared.contract import errors
from messenger_shared.contract.errors import AppError
from messenger_shared.contract.schemas.fields import BLANK
from messenger_shared.contract.text.blank import is_blank

# What the caller does -> the action on an own message, and on another user's.
_ACTIONS: Final = {
    "edit": (Action.EDIT_OWN, Action.EDIT_OTHERS),
    "delete": (Action.DELETE_OWN, Action.DELETE_OTHERS),
    "see_versions": (Action.SEE_OWN_VERSIONS, Action.SEE_OTHERS_VERSIONS),
    "pin": (Action.PIN, Action.PIN),
}


def require_visible(facts: MessageFacts | None) -> MessageFacts:
    """Returns the facts if the caller is a member of the message's conversation.

    Raises AppError(not_found) for a stranger, as for a message that doesn't exist, and AppError(not_member)
    for a user who has left.
    """
    if facts is None or facts.role is None:
        raise AppError(errors.NOT_FOUND)
    if facts.has_left:
        raise AppError(errors.NOT_MEMBER)
    return facts


def require_allowed(
    facts: MessageFacts | None, user_id: int, what: Literal["edit", "delete", "see_versions", "pin"]
) -> MessageFacts:
    """Returns the facts if the caller may do `what`. Raises like require_visible, and AppError(forbidden)."""
    visible = require_visible(facts)
    own, others = _ACTIONS[what]
    require(visible.type, visible.role or "", own if visible.sender_id == user_id else others)
    return visible


def check_content(facts: MessageFacts | None, content: str) -> None:
    """Raises AppError(invalid_frame) when the text is blank, unless the message has a file.

    Call it before any other check: a blank text is refused in the same way whether or not the message exists.
    The gateway can't check this, since it doesn't know about the file.
    """
    if is_blank(content) and not (facts is not None and facts.has_file):
        raise AppError(errors.INVALID_FRAME, details={"content": [BLANK]})


def is_repeated_edit(facts: MessageFacts, edit: Edit) -> bool:
    """Whether this edit was made before, so that the caller only repeats an unanswered request."""
    if facts.version == 1 or (facts.content, facts.mentions) != (edit.content, edit.mentions):
        return False
    return edit.expected_version in (None, facts.version, facts.version - 1)


def check_version(facts: MessageFacts, expected_version: int | None) -> None:
    """Raises AppError(version_conflict) when another edit came first."""
    if expected_version is not None and expected_version != facts.version:
        raise AppError(errors.VERSION_CONFLICT)
