"""What may be done with a message: who does not come into it, and what is only a repeat."""

from typing import Any

import pytest

from chat_api.model import MessageFacts
from chat_api.rules.messages import is_repeated_edit, require_allowed
from messenger_shared.errors import AppError

ACTIONS = ("edit", "delete", "see_versions")


def facts(
    role: str | None = "member", left: bool = False, version: int = 1, content: str = "a"
) -> MessageFacts:
    return MessageFacts("c", 1, 1, version, content, False, "group", role, left)


@pytest.mark.parametrize("action", ACTIONS)
@pytest.mark.parametrize(
    ("nobody", "code"),
    [(None, "not_found"), (facts(role=None), "not_found"), (facts(left=True), "not_member")],
)
def test_who_is_no_member_may_nothing(nobody: MessageFacts | None, code: str, action: Any) -> None:
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
