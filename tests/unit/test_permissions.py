"""Permissions: every type × action × role against a separate table, written from PROTOCOL 5."""

from __future__ import annotations

import re

import pytest

from chat_api.rules.permissions import ALLOWED, HOST, ROLES, Action, require
from messenger_shared.contract.errors import AppError
from messenger_shared.contract.schemas import fields

# Groups and announcements; a direct conversation has only members. "host" is the
# host application with a server key. "y" is allowed, "-" is not.
EXPECTED = """
                                            group               announcement        direct
                                            adm  mem  obs  host adm  mem  obs  host mem  host
read                                        y    y    y    -    y    y    y    -    y    -
write                                       y    y    -    -    y    -    -    -    y    -
edit their message                          y    y    -    -    y    -    -    -    y    -
edit another's message                      -    -    -    -    -    -    -    -    -    -
delete their message                        y    y    y    -    y    y    y    -    y    -
delete another's message                    y    -    -    y    y    -    -    y    -    y
see the earlier texts of their message      y    y    y    -    y    y    y    -    y    -
see the earlier texts of another's message  y    -    -    -    y    -    -    -    -    -
react                                       y    y    y    -    y    y    y    -    y    -
pin                                         y    -    -    -    y    -    -    -    y    -
mention all members                         y    -    -    -    y    -    -    -    y    -
rename                                      y    -    -    y    y    -    -    y    -    -
add a member                                y    -    -    y    y    -    -    y    -    -
remove a member                             y    -    -    y    y    -    -    y    -    -
change a role                               y    -    -    y    y    -    -    y    -    -
leave                                       y    y    y    -    y    y    y    -    -    -
"""
COLUMNS = [(type_, role) for type_ in ("group", "announcement") for role in (*ROLES, HOST)]
COLUMNS += [("direct", "member"), ("direct", HOST)]


def expected() -> dict[str, dict[tuple[str, str], bool]]:
    rows = [re.split(r"\s{2,}", line.rstrip()) for line in EXPECTED.strip("\n").splitlines()[2:]]
    return {action: dict(zip(COLUMNS, (c == "y" for c in cells), strict=True)) for action, *cells in rows}


def test_every_action_has_a_row_for_every_type_and_no_role_is_unheard_of() -> None:
    actions = {str(action) for action in Action}
    assert set(expected()) == actions
    assert set(ALLOWED) == set(fields.CONVERSATION_TYPES)
    assert set(ROLES) == set(fields.ROLES)
    for rules in ALLOWED.values():
        assert {str(action) for action in rules} == actions
        assert all(roles <= {*ROLES, HOST} for roles in rules.values())


@pytest.mark.parametrize("action", Action)
@pytest.mark.parametrize(("type_", "role"), COLUMNS)
def test_who_may_do_what(type_: str, role: str, action: Action) -> None:
    if expected()[action][type_, role]:
        require(type_, role, action)
        return
    with pytest.raises(AppError) as refused:
        require(type_, role, action)
    assert refused.value.kind.code == "forbidden"


def test_an_unknown_role_may_nothing() -> None:
    for type_, rules in ALLOWED.items():
        for action in rules:
            with pytest.raises(AppError):
                require(type_, "", action)
