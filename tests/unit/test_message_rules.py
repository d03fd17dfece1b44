"""What may be done to a message, apart from roles, and what is only a repeat."""

from typing import Any

import pytest

from chat_api.model import Edit, MentionsData, MessageFacts
from chat_api.rules.messages import check_content, is_repeated_edit, require_allowed
from messenger_shared.contract.errors import AppError

ACTIONS = ("edit", "delete", "see_versions")


def facts(
    role: str | None = "member",
    left: bool = False,
    version: int = 1,
    content: str = "a",
    has_file: bool = False,
    mentions: MentionsData | None = None,
) -> MessageFacts:
    return MessageFacts("c", 1, 1, version, content, has_file, False, "group", role, left, mentions)


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
    edit = Edit("a", None, expected)
    assert is_repeated_edit(facts(version=version, content=content), edit) is repeated
    mentions = {"mentions": {"user_ids": [5], "all": False}}
    edited = facts(version=version, content=content, mentions=mentions)
    assert is_repeated_edit(edited, edit._replace(mentions=mentions)) is repeated
    assert not is_repeated_edit(edited, edit)


@pytest.mark.parametrize("content", ["", " \t\n"])
def test_a_text_may_be_taken_away_only_where_a_file_is_left_to_see(content: str) -> None:
    check_content(facts(has_file=True), content)
    check_content(None, "a")
    for message in (facts(), None):
        with pytest.raises(AppError) as caught:
            check_content(message, content)
        assert (caught.value.kind.code, list(caught.value.details or ())) == ("invalid_frame", ["content"])
