"""What may be done with a message: the whole table, and who does not come into it."""

from itertools import product
from typing import get_args

import pytest

from chat_api.model import MessageFacts
from chat_api.rules.messages import ALLOWED, Action, is_repeated_edit, require_allowed
from messenger_shared.errors import AppError

ROLES = ("admin", "member", "observer")
ACTIONS = get_args(Action)
# action -> role -> (with his own message, with another's)
EXPECTED = {
    "edit": {"admin": (True, False), "member": (True, False), "observer": (False, False)},
    "delete": {"admin": (True, True), "member": (True, False), "observer": (True, False)},
    "see_versions": {"admin": (True, True), "member": (True, False), "observer": (True, False)},
}


def facts(
    role: str | None = "member", left: bool = False, version: int = 1, content: str = "a"
) -> MessageFacts:
    return MessageFacts("c", 1, 1, version, content, False, role, left)


@pytest.mark.parametrize(("action", "role", "own"), [*product(ACTIONS, ROLES, (True, False))])
def test_the_table_says_of_each_role_what_it_may_do(action: Action, role: str, own: bool) -> None:
    may = EXPECTED[action][role][0 if own else 1]
    user_id = 1 if own else 2
    if may:
        assert require_allowed(facts(role), user_id, action)
    else:
        with pytest.raises(AppError) as caught:
            require_allowed(facts(role), user_id, action)
        assert caught.value.kind.code == "forbidden"


def test_the_table_has_a_row_for_every_role() -> None:
    assert set(ALLOWED) == set(product(ROLES, (True, False)))


@pytest.mark.parametrize("action", ACTIONS)
@pytest.mark.parametrize(
    ("nobody", "code"),
    [(None, "not_found"), (facts(role=None), "not_found"), (facts(left=True), "not_member")],
)
def test_who_is_no_member_may_nothing(nobody: MessageFacts | None, code: str, action: Action) -> None:
    with pytest.raises(AppError) as caught:
        require_allowed(nobody, 1, action)
    assert caught.value.kind.code == code


@pytest.mark.parametrize(
    ("version", "content", "expected", "repeated"),
    [
        (1, "a", None, False),
        (2, "b", None, False),
        (2, "a", None, True),
        (2, "a", 1, True),
        (2, "a", 2, True),
        (3, "a", 1, False),
    ],
)
def test_the_same_text_again_is_a_repeat_of_the_last_edit(
    version: int, content: str, expected: int | None, repeated: bool
) -> None:
    assert is_repeated_edit(facts(version=version, content=content), "a", expected) is repeated
