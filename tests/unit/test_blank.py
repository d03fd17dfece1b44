"""Every place that needs visible text refuses blank text, by the cases that clients share."""

from __future__ import annotations

import json
import unicodedata
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from chat_api.rules.conversations import new_conversation
from chat_api.rules.messages import check_content
from messenger_shared.contract.errors import AppError
from messenger_shared.contract.operations.table import TABLE
from messenger_shared.contract.text.blank import is_blank

VECTORS = Path(__file__).parents[2] / "shared" / "vectors" / "blank.json"
CASES = [pytest.param(row["text"], row["blank"], id=row["what"]) for row in json.loads(VECTORS.read_text())]
ID = str(uuid.uuid4())
# Operation, the field that needs visible text, and the rest of the request.
PLACES: list[tuple[str, str, dict[str, Any]]] = [
    ("message.send", "content", {"conversation_id": ID}),
    ("operator.post", "content", {"conversation_id": ID}),
    ("conversation.create", "title", {"type": "group"}),
    ("conversation.update", "title", {"conversation_id": ID}),
    ("message.send", "file_name", {"conversation_id": ID, "content": "x", "file_url": "https://a.example/b"}),
]


@pytest.mark.parametrize(("text", "blank"), CASES)
def test_the_rule_is_that_of_the_shared_cases(text: str, blank: bool) -> None:
    assert is_blank(text) is blank


def faults(work: Callable[[], Any]) -> list[str]:
    """Returns the fields that are refused as bad; an empty list when all are accepted."""
    try:
        work()
    except AppError as error:
        return [error.kind.code, *(error.details or {})]
    return []


@pytest.mark.parametrize(("name", "field", "others"), PLACES)
@pytest.mark.parametrize(("text", "blank"), CASES)
def test_every_place_keeps_to_the_rule(
    name: str, field: str, others: dict[str, Any], text: str, blank: bool
) -> None:
    found = faults(lambda: TABLE[name].load({**others, field: text}))
    assert found == (["invalid_frame", field] if blank else [])


@pytest.mark.parametrize(("text", "blank"), CASES)
def test_a_group_without_a_title_to_be_seen_is_refused_by_the_rules_too(text: str, blank: bool) -> None:
    found = faults(lambda: new_conversation(ID, "group", text, 1, [2]))
    assert found == (["invalid_frame", "title"] if blank else [])


@pytest.mark.parametrize(("text", "blank"), CASES)
def test_an_edit_leaves_something_to_be_seen(text: str, blank: bool) -> None:
    # Only chat-api knows whether the message has a file.
    body = TABLE["message.edit"].load({"message_id": ID, "content": text})
    assert faults(lambda: check_content(None, body["content"])) == (
        ["invalid_frame", "content"] if blank else []
    )


def test_a_letter_makes_any_blank_text_one_that_is_seen() -> None:
    """The quick look at the first character must agree with the full search."""
    for point in (*range(0x3000), *range(0xD7A0, 0xD800), *range(0xE000, 0x10000), *range(0xE0000, 0xE1000)):
        character = chr(point)
        assert not is_blank(character + "x")
        assert not is_blank("x" + character)
        if unicodedata.category(character) in ("Cc", "Zs", "Zl", "Zp"):
            assert is_blank(character)
        if unicodedata.category(character) in ("Lu", "Ll", "Nd", "Sm", "Sc"):
            assert not is_blank(character)
