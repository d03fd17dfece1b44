"""Schemas of mentions, and the rules that concern a message's text and its mentions together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from marshmallow import Schema, ValidationError, fields, validate

from messenger_shared.contract.schemas.fields import (
    BooleanField,
    IntegerField,
    RequestSchema,
    ShortList,
    user_id,
)

MENTION: Final = "mention"
# Users mentioned in one message, and entities in one.
MENTIONS_MAX: Final = 50
# With more members than this, nobody may mention all of them.
MENTION_ALL_MEMBERS: Final = 1_000
NOTIFY: Final = ("all", "mentions", "none")
_TOO_MANY: Final = f"More than {MENTIONS_MAX} users."
_OUTSIDE: Final = "{index}: Outside the text."
_CUTS: Final = "{index}: Begins or ends inside a character."
_OVERLAPS: Final = "{index}: Overlaps another entity."


class EntitySchema(RequestSchema):
    """A mention in the text: the user, and its place in UTF-16 code units of `content`."""

    type = fields.String(required=True, validate=validate.OneOf((MENTION,)))
    user_id = user_id(required=True)
    offset = IntegerField(required=True)
    length = IntegerField(low=1, required=True)


class MentionsRequest(RequestSchema):
    """The users to mention, or all members. Users who aren't members are left out."""

    user_ids = ShortList(user_id(), 0, MENTIONS_MAX)
    all = BooleanField()


class MentionsSchema(Schema):
    """The members whom a message mentions. With `all`, it mentions every member."""

    user_ids = fields.List(user_id(), required=True, validate=validate.Length(max=MENTIONS_MAX))
    all = fields.Boolean(required=True)


def wanted_mentions() -> fields.Nested:
    """Whom the message shall mention. Null and left out are the same: only the users of `entities`."""
    return fields.Nested(MentionsRequest, allow_none=True)


def wanted_entities() -> ShortList:
    """The mentions in the text. Null and left out are the same: none."""
    return ShortList(fields.Nested(EntitySchema), 0, MENTIONS_MAX, allow_none=True)


def mentioned_users(body: Mapping[str, Any]) -> list[int]:
    """The users whom a request mentions, each once: those of `mentions`, then those of `entities`."""
    named = (body.get("mentions") or {}).get("user_ids") or []
    return list(dict.fromkeys([*named, *(entity["user_id"] for entity in body.get("entities") or ())]))


def check_mentions(body: Mapping[str, Any]) -> None:
    """Raises ValidationError if entities don't fit the text, or if too many users are mentioned."""
    entities = body.get("entities")
    if entities:
        _check_places(body["content"], entities)
    if len(mentioned_users(body)) > MENTIONS_MAX:
        raise ValidationError(_TOO_MANY, "mentions")


def _check_places(content: str, entities: Sequence[Mapping[str, Any]]) -> None:
    text, end = content.encode("utf-16-le", "surrogatepass"), 0
    for index, entity in sorted(enumerate(entities), key=lambda item: item[1]["offset"]):
        start, previous_end = entity["offset"], end
        end = start + entity["length"]
        if 2 * end > len(text):
            problem = _OUTSIDE
        elif _cuts(text, start) or _cuts(text, end):
            problem = _CUTS
        elif start < previous_end:
            problem = _OVERLAPS
        else:
            continue
        raise ValidationError(problem.format(index=index), "entities")


def _cuts(text: bytes, offset: int) -> bool:
    """Whether `offset`, in code units of the UTF-16 `text`, is between the two units of one character."""
    return 2 * offset < len(text) and 0xDC <= text[2 * offset + 1] <= 0xDF
