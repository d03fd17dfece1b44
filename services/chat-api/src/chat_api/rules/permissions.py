"""Decides which role may do what: one table by conversation type and action."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Final

from messenger_shared.contract import errors
from messenger_shared.contract.errors import AppError

ADMIN: Final = "admin"
MEMBER: Final = "member"
OBSERVER: Final = "observer"
ROLES: Final = (ADMIN, MEMBER, OBSERVER)
# The actor of a request with a server key: the host application, which is no member of any conversation.
HOST: Final = "host"


class Action(StrEnum):
    """What a member may want to do in a conversation."""

    READ = "read"
    WRITE = "write"
    EDIT_OWN = "edit their message"
    EDIT_OTHERS = "edit another's message"
    DELETE_OWN = "delete their message"
    DELETE_OTHERS = "delete another's message"
    SEE_OWN_VERSIONS = "see the earlier texts of their message"
    SEE_OTHERS_VERSIONS = "see the earlier texts of another's message"
    REACT = "react"
    PIN = "pin"
    MENTION_ALL = "mention all members"
    RENAME = "rename"
    ADD = "add a member"
    REMOVE = "remove a member"
    SET_ROLE = "change a role"
    LEAVE = "leave"


_ALL: Final = frozenset(ROLES)
_WRITERS: Final = frozenset((ADMIN, MEMBER))
_ADMINS: Final = frozenset((ADMIN,))
# Who manages a conversation: its admins, and the host application.
_MANAGERS: Final = frozenset((ADMIN, HOST))
_NOBODY: Final[frozenset[str]] = frozenset()

_GROUP: Final[Mapping[Action, frozenset[str]]] = {
    Action.READ: _ALL,
    Action.WRITE: _WRITERS,  # send_messages (SQL) has the same rule and checks whole batches.
    Action.EDIT_OWN: _WRITERS,
    Action.EDIT_OTHERS: _NOBODY,
    Action.DELETE_OWN: _ALL,
    Action.DELETE_OTHERS: _MANAGERS,
    Action.SEE_OWN_VERSIONS: _ALL,
    Action.SEE_OTHERS_VERSIONS: _ADMINS,
    Action.REACT: _ALL,  # set_reactions (SQL) gets the roles and checks whole batches.
    Action.PIN: _ADMINS,
    Action.MENTION_ALL: _ADMINS,  # As with WRITE, in send_messages too.
    Action.RENAME: _MANAGERS,
    Action.ADD: _MANAGERS,
    Action.REMOVE: _MANAGERS,
    Action.SET_ROLE: _MANAGERS,
    Action.LEAVE: _ALL,
}
ALLOWED: Final[Mapping[str, Mapping[Action, frozenset[str]]]] = {
    "group": _GROUP,
    "announcement": {**_GROUP, Action.WRITE: _ADMINS, Action.EDIT_OWN: _ADMINS},
    # Its members (two users, or one alone) never change. All have the role `member`, so nobody may do what
    # only admins may. It has no title.
    "direct": {
        **_GROUP,
        Action.PIN: _WRITERS,
        Action.MENTION_ALL: _WRITERS,
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


def reacting_roles(*, observers_react: bool) -> frozenset[str]:
    """The roles that may react, in conversations of every type."""
    return _ALL if observers_react else _WRITERS
