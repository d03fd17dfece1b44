"""Owns who may do what: one table of conversation type, action and role."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Final

from messenger_shared import errors
from messenger_shared.errors import AppError

ADMIN: Final = "admin"
MEMBER: Final = "member"
OBSERVER: Final = "observer"
ROLES: Final = (ADMIN, MEMBER, OBSERVER)


class Action(StrEnum):
    """What somebody may want to do in a conversation that he is in."""

    READ = "read"
    WRITE = "write"
    EDIT_OWN = "edit his message"
    EDIT_OTHERS = "edit another's message"
    DELETE_OWN = "delete his message"
    DELETE_OTHERS = "delete another's message"
    SEE_OWN_VERSIONS = "see the earlier texts of his message"
    SEE_OTHERS_VERSIONS = "see the earlier texts of another's message"
    RENAME = "rename"
    ADD = "add somebody"
    REMOVE = "remove somebody"
    SET_ROLE = "change a role"
    LEAVE = "leave"


_ALL: Final = frozenset(ROLES)
_WRITERS: Final = frozenset((ADMIN, MEMBER))
_ADMINS: Final = frozenset((ADMIN,))
_NOBODY: Final[frozenset[str]] = frozenset()

_GROUP: Final[Mapping[Action, frozenset[str]]] = {
    Action.READ: _ALL,
    Action.WRITE: _WRITERS,  # Also in send_messages of the first migration, for a whole batch at once.
    Action.EDIT_OWN: _WRITERS,
    Action.EDIT_OTHERS: _NOBODY,
    Action.DELETE_OWN: _ALL,
    Action.DELETE_OTHERS: _ADMINS,
    Action.SEE_OWN_VERSIONS: _ALL,
    Action.SEE_OTHERS_VERSIONS: _ADMINS,
    Action.RENAME: _ADMINS,
    Action.ADD: _ADMINS,
    Action.REMOVE: _ADMINS,
    Action.SET_ROLE: _ADMINS,
    Action.LEAVE: _ALL,
}
ALLOWED: Final[Mapping[str, Mapping[Action, frozenset[str]]]] = {
    "group": _GROUP,
    "announcement": {**_GROUP, Action.WRITE: _ADMINS, Action.EDIT_OWN: _ADMINS},
    # Two members for good: nobody comes, goes, or is anything else, and there is no title.
    "direct": {
        **_GROUP,
        Action.RENAME: _NOBODY,
        Action.ADD: _NOBODY,
        Action.REMOVE: _NOBODY,
        Action.SET_ROLE: _NOBODY,
        Action.LEAVE: _NOBODY,
    },
}


def require(type_: str, role: str, action: Action) -> None:
    """Raises AppError(forbidden) unless `role` may do `action` in a conversation of this type."""
    if role not in ALLOWED[type_][action]:
        raise AppError(errors.FORBIDDEN)
