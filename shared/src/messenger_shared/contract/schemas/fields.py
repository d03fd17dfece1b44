"""Field types for requests. They are strict: a client that sends `true` for an id has a bug."""

from __future__ import annotations

import contextlib
import re
from datetime import UTC, datetime
from typing import Any, Final

import orjson
from marshmallow import EXCLUDE, Schema, ValidationError, fields, validate

from messenger_shared.contract.identifiers import MAX_INTEGER, parse_uuid
from messenger_shared.contract.json_codec import holds_forbidden_text
from messenger_shared.contract.text.blank import is_blank
from messenger_shared.contract.text.emoji import qualified
from messenger_shared.contract.text.fold import fold

CONTENT_CHARS: Final = 10_000
TITLE_CHARS: Final = 255
CLIENT_ID_CHARS: Final = 64
MAX_REF_CHARS: Final = 64
PAGE_DEFAULT: Final = 50
PAGE_MAX: Final = 100
CONVERSATION_TYPES: Final = ("direct", "group", "announcement")
MESSAGE_TYPES: Final = ("text", "image", "file")
ROLES: Final = ("admin", "member", "observer")
MAX_PARTICIPANTS: Final = 1_000
USER_NAME_CHARS: Final = 100
EXTERNAL_ID_CHARS: Final = 128
EXTERNAL_KEY_CHARS: Final = 255
URL_CHARS: Final = 2_048
# Users asked for in one request, and stored in one.
USERS_MAX: Final = 200
UPSERT_MAX: Final = 100
CUSTOM_BYTES: Final = 4_096
BLANK: Final = "Must not be blank."
NOT_AN_EMOJI: Final = "Not one emoji of Unicode's list."
TOO_LONG: Final = f"Longer than {CONTENT_CHARS} characters."
QUERY_MIN: Final = 2
QUERY_MAX: Final = 64
TOO_SHORT: Final = f"Fewer than {QUERY_MIN} characters that can be searched for."
_MOMENT: Final = re.compile(r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)", re.ASCII)


class RequestSchema(Schema):
    """A request. Unknown fields are ignored, so that newer clients work with older servers."""

    class Meta:
        unknown = EXCLUDE


class UuidField(fields.Field[str]):
    """A UUID with hyphens. Upper case is accepted and converted to lower case."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> str:
        parsed = parse_uuid(value)
        if parsed is None:
            raise ValidationError("Not a valid UUID.")
        return parsed


class ConversationRequest(RequestSchema):
    """One conversation."""

    conversation_id = UuidField(required=True)


class IntegerField(fields.Field[int]):
    """A JSON integer between `low` and `high`; in a query string, its decimal digits."""

    def __init__(self, low: int = 0, high: int = MAX_INTEGER, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.low, self.high = low, high

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> int:
        if isinstance(value, QueryText) and value.isascii() and value.isdigit() and len(value) < 20:
            value = int(value)
        if isinstance(value, bool) or not isinstance(value, int) or not self.low <= value <= self.high:
            # One text for all cases: a number that is far too large is decoded as a float, not as an integer.
            raise ValidationError(f"Must be an integer between {self.low} and {self.high}.")
        return value


class BooleanField(fields.Field[bool]):
    """true or false. Strings and numbers are refused."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> bool:
        if not isinstance(value, bool):
            raise ValidationError("Not a valid boolean.")
        return value


class MomentField(fields.Field[str]):
    """An RFC 3339 time with an offset. It becomes text in UTC, because PostgreSQL rejects some offsets."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> str:
        if isinstance(value, str) and _MOMENT.fullmatch(value):
            # The date may not exist, or be outside the years 1 to 9999 in UTC.
            with contextlib.suppress(ValueError, OverflowError):
                return datetime.fromisoformat(value.upper()).astimezone(UTC).isoformat()
        raise ValidationError("Not a valid RFC 3339 time, such as 2025-11-26T10:30:00Z.")


class ShortList(fields.List[Any]):
    """A list of `low` to `high` items, counted before the items are checked.

    Otherwise a body full of bad items would keep the gateway busy and get an answer many times its size.
    """

    def __init__(self, items: fields.Field[Any], low: int, high: int, **kwargs: Any) -> None:
        super().__init__(items, validate=validate.Length(low, high), **kwargs)
        self.high = high

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> list[Any]:
        if isinstance(value, list) and len(value) > self.high:
            raise ValidationError(f"More than {self.high} items.")
        return super()._deserialize(value, attr, data, **kwargs)


class ShortDict(fields.Dict):
    """An object with at most `high` keys, counted before they are checked, as in ShortList."""

    def __init__(self, keys: fields.Field[Any], values: fields.Field[Any], high: int, **kwargs: Any) -> None:
        super().__init__(keys, values, validate=validate.Length(max=high), **kwargs)
        self.high = high

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Any:
        if isinstance(value, dict) and len(value) > self.high:
            raise ValidationError(f"More than {self.high} keys.")
        return super()._deserialize(value, attr, data, **kwargs)  # type: ignore[no-untyped-call]


class QueryText(str):
    """A text from a query string, where numbers come as digits."""

    __slots__ = ()


class IdList(ShortList):
    """A ShortList of user ids; in a query string, `1,2,3`."""

    def __init__(self, low: int, high: int, **kwargs: Any) -> None:
        super().__init__(user_id(), low, high, **kwargs)

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> list[Any]:
        if isinstance(value, QueryText):
            value = [QueryText(part) for part in value.split(",")]
        return super()._deserialize(value, attr, data, **kwargs)


class TextList(ShortList):
    """A ShortList of texts of up to `chars` characters; in a query string, `a,b,c`."""

    def __init__(self, chars: int, high: int, **kwargs: Any) -> None:
        super().__init__(TextField(1, chars), 1, high, **kwargs)

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> list[Any]:
        if isinstance(value, QueryText):
            value = value.split(",")
        return super()._deserialize(value, attr, data, **kwargs)


class CustomField(fields.Field[dict[str, Any]]):
    """An object of the host's own, of at most CUSTOM_BYTES as JSON."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> dict[str, Any]:
        if not isinstance(value, dict):
            raise ValidationError("Not a valid object.")
        if len(orjson.dumps(value)) > CUSTOM_BYTES:
            raise ValidationError(f"Longer than {CUSTOM_BYTES} bytes as JSON.")
        return value


class ContentField(fields.Field[str]):
    """The text of a message: at most CONTENT_CHARS code points, kept unchanged.

    It must not be blank, unless `may_be_blank` is set. Then null counts as the empty text.
    """

    def __init__(self, *, may_be_blank: bool = False, **kwargs: Any) -> None:
        super().__init__(allow_none=may_be_blank, **kwargs)
        self.may_be_blank = may_be_blank

    def deserialize(self, value: Any, *args: Any, **kwargs: Any) -> Any:
        """Like any field, except that null may be the empty text."""
        return "" if value is None and self.may_be_blank else super().deserialize(value, *args, **kwargs)

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> str:
        if not isinstance(value, str):
            raise ValidationError("Not a valid string.")
        if len(value) > CONTENT_CHARS:
            raise ValidationError(TOO_LONG)
        if not self.may_be_blank and is_blank(value):
            raise ValidationError(BLANK)
        return value


class TextField(fields.String):
    """A text of `low` to `high` characters that PostgreSQL can store."""

    def __init__(self, low: int, high: int, **kwargs: Any) -> None:
        super().__init__(validate=validate.Length(low, high), **kwargs)

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> str:
        if not isinstance(value, str) or holds_forbidden_text(value):
            raise ValidationError("Not a valid string.")
        return str(value)


class NameField(TextField):
    """A name or title: not blank, at most `high` characters."""

    def __init__(self, high: int, **kwargs: Any) -> None:
        super().__init__(1, high, **kwargs)

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> str:
        name = super()._deserialize(value, attr, data, **kwargs)
        if is_blank(name):
            raise ValidationError(BLANK)
        return name


class QueryField(TextField):
    """A text to search for, of 2 to 64 characters. Spaces around it and invisible characters don't count."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(0, QUERY_MAX, **kwargs)

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> str:
        query = super()._deserialize(value, attr, data, **kwargs).strip()
        if len(fold(query).strip()) < QUERY_MIN:
            raise ValidationError(TOO_SHORT)
        return query


class EmojiField(fields.Field[str]):
    """One emoji. It becomes fully qualified: with the variation selectors that texts often leave out."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> str:
        emoji = qualified(value) if isinstance(value, str) else None
        if emoji is None:
            raise ValidationError(NOT_AN_EMOJI)
        return emoji


def avatar_url() -> fields.Url:
    """The address of a user's picture; null for none."""
    return fields.Url(
        schemes={"https"}, allow_none=True, require_tld=False, validate=validate.Length(max=URL_CHARS)
    )


def user_id(**kwargs: Any) -> IntegerField:
    """The id of a user of the host application."""
    return IntegerField(low=1, **kwargs)


def page_limit() -> IntegerField:
    """The largest number of items in the page."""
    return IntegerField(low=1, high=PAGE_MAX, load_default=PAGE_DEFAULT)


def cursor() -> TextField:
    """The start of the page: `next_cursor` of the page before."""
    return TextField(1, 200, load_default=None)
