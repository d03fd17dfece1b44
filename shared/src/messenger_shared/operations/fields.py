"""Owns the types of the wire: strict, since a client that sends true for an id has a bug to hear of."""

from __future__ import annotations

import contextlib
import re
from datetime import UTC, datetime
from typing import Any, Final

from marshmallow import EXCLUDE, Schema, ValidationError, fields, validate

from messenger_shared.identifiers import parse_uuid
from messenger_shared.json_codec import holds_forbidden_text

CONTENT_CHARS: Final = 10_000
TITLE_CHARS: Final = 255
CLIENT_ID_CHARS: Final = 64
MAX_REF_CHARS: Final = 64
PAGE_DEFAULT: Final = 50
PAGE_MAX: Final = 100
CONVERSATION_TYPES: Final = ("direct", "group", "announcement")
MESSAGE_TYPES: Final = ("text", "image", "file")
ROLES: Final = ("admin", "member", "observer")
MAX_INTEGER: Final = 2**63 - 1
MAX_PARTICIPANTS: Final = 1_000
TOO_LONG: Final = f"Longer than {CONTENT_CHARS} characters."
_MOMENT: Final = re.compile(r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)", re.ASCII)


class RequestSchema(Schema):
    """A request: unknown fields are ignored, so that newer clients may talk to older servers."""

    class Meta:
        unknown = EXCLUDE


class UuidField(fields.Field[str]):
    """A UUID in its hyphenated form; upper case is accepted and lowered."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> str:
        parsed = parse_uuid(value)
        if parsed is None:
            raise ValidationError("Not a valid UUID.")
        return parsed


class ConversationRequest(RequestSchema):
    """One conversation."""

    conversation_id = UuidField(required=True)


class IntegerField(fields.Field[int]):
    """A JSON integer between `low` and `high`; from a query string its decimal text."""

    def __init__(self, low: int = 0, high: int = MAX_INTEGER, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.low, self.high = low, high

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> int:
        if isinstance(value, QueryText) and value.isascii() and value.isdigit() and len(value) < 20:
            value = int(value)
        if isinstance(value, bool) or not isinstance(value, int):
            raise ValidationError("Not a valid integer.")
        if not self.low <= value <= self.high:
            raise ValidationError(f"Must be between {self.low} and {self.high}.")
        return value


class BooleanField(fields.Field[bool]):
    """true or false, and nothing that merely looks like it."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> bool:
        if not isinstance(value, bool):
            raise ValidationError("Not a valid boolean.")
        return value


class MomentField(fields.Field[str]):
    """A moment as RFC 3339 with its offset, kept as text in UTC: PostgreSQL doesn't know every offset."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> str:
        if isinstance(value, str) and _MOMENT.fullmatch(value):
            # It may be no day of the calendar, or not in UTC's years 1 to 9999.
            with contextlib.suppress(ValueError, OverflowError):
                return datetime.fromisoformat(value.upper()).astimezone(UTC).isoformat()
        raise ValidationError("Not a moment as in 2025-11-26T10:30:00Z.")


class ShortList(fields.List[Any]):
    """A list of `low` to `high` items that is counted before they are looked at.

    Else a body full of bad items keeps the gateway busy, and gets an answer many times its own size.
    """

    def __init__(self, items: fields.Field[Any], low: int, high: int, **kwargs: Any) -> None:
        super().__init__(items, validate=validate.Length(low, high), **kwargs)
        self.high = high

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> list[Any]:
        if isinstance(value, list) and len(value) > self.high:
            raise ValidationError(f"More than {self.high} items.")
        return super()._deserialize(value, attr, data, **kwargs)


class ShortDict(fields.Dict):
    """An object of at most `high` keys, counted like the items of a ShortList."""

    def __init__(self, keys: fields.Field[Any], values: fields.Field[Any], high: int, **kwargs: Any) -> None:
        super().__init__(keys, values, validate=validate.Length(max=high), **kwargs)
        self.high = high

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Any:
        if isinstance(value, dict) and len(value) > self.high:
            raise ValidationError(f"More than {self.high} keys.")
        return super()._deserialize(value, attr, data, **kwargs)  # type: ignore[no-untyped-call]


class QueryText(str):
    """A text that came in a URL, where a number can't be told from its digits."""

    __slots__ = ()


class IdList(ShortList):
    """A ShortList of users; in a URL, `1,2,3`."""

    def __init__(self, low: int, high: int, **kwargs: Any) -> None:
        super().__init__(user_id(), low, high, **kwargs)

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> list[Any]:
        if isinstance(value, QueryText):
            value = [QueryText(part) for part in value.split(",")]
        return super()._deserialize(value, attr, data, **kwargs)


class ContentField(fields.Field[str]):
    """What people write: not blank, at most CONTENT_CHARS code points, kept verbatim."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> str:
        if not isinstance(value, str):
            raise ValidationError("Not a valid string.")
        if len(value) > CONTENT_CHARS:
            raise ValidationError(TOO_LONG)
        if not value.strip():
            raise ValidationError("Must not be blank.")
        return value


class TextField(fields.String):
    """A text of `low` to `high` characters that PostgreSQL can store."""

    def __init__(self, low: int, high: int, **kwargs: Any) -> None:
        super().__init__(validate=validate.Length(low, high), **kwargs)

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> str:
        if not isinstance(value, str) or holds_forbidden_text(value):
            raise ValidationError("Not a valid string.")
        return str(value)


class TitleField(TextField):
    """The title of a conversation: not blank."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(1, TITLE_CHARS, **kwargs)

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> str:
        title = super()._deserialize(value, attr, data, **kwargs)
        if not title.strip():
            raise ValidationError("Must not be blank.")
        return title


def user_id(**kwargs: Any) -> IntegerField:
    """A user of the host application."""
    return IntegerField(low=1, **kwargs)


def page_limit() -> IntegerField:
    """How many items a page has."""
    return IntegerField(low=1, high=PAGE_MAX, load_default=PAGE_DEFAULT)


def cursor() -> TextField:
    """Where a page starts, as `next_cursor` of the page before gave it."""
    return TextField(1, 200, load_default=None)
