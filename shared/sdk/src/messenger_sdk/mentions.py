"""Texts that mention users."""

from __future__ import annotations

from typing import NamedTuple, TypedDict

from messenger_sdk.models import Entity


class Mention(NamedTuple):
    """A part of a text that stands for a user, such as their name."""

    user_id: int
    text: str


class ComposedText(TypedDict):
    """The fields of a message that `compose` makes."""

    content: str
    entities: list[Entity]


def compose(*parts: str | Mention) -> ComposedText:
    """Returns the `content` and `entities` of a message whose text is all parts one after the other.

    Each Mention becomes an entity, with its place in UTF-16 code units.
    """
    entities: list[Entity] = []
    content, offset = "", 0
    for part in parts:
        text = part if isinstance(part, str) else part.text
        length = len(text.encode("utf-16-le", "surrogatepass")) // 2
        if isinstance(part, Mention):
            entities.append({"type": "mention", "user_id": part.user_id, "offset": offset, "length": length})
        content += text
        offset += length
    return {"content": content, "entities": entities}
