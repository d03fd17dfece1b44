"""Operations that find messages in all of the caller's conversations."""

from __future__ import annotations

from typing import ClassVar, Final

from marshmallow import fields, validate

from messenger_shared.contract import errors
from messenger_shared.contract.operations.operation import CHAT_API, Operation, Route, ok
from messenger_shared.contract.schemas.fields import (
    MomentField,
    QueryField,
    RequestSchema,
    TextField,
    UuidField,
    cursor,
    page_limit,
    user_id,
)
from messenger_shared.contract.schemas.resources import MentionPageSchema
from messenger_shared.contract.schemas.search import SearchPageSchema

FILE: Final = "file"
LINK: Final = "link"
CURSOR_CHARS: Final = 400


class MentionsPageRequest(RequestSchema):
    """A page of the messages that mention the caller."""

    cursor = cursor()
    limit = page_limit()


class SearchRequest(RequestSchema):
    """A page of the messages that have all words of `q`, among those that history shows the caller.

    `from` is the sender, `before` and `after` are times, each excluded; `has` a file or a link.
    """

    q = QueryField(required=True)
    conversation_id = UuidField(load_default=None)
    before = MomentField(load_default=None)
    after = MomentField(load_default=None)
    has = fields.String(load_default=None, validate=validate.OneOf((FILE, LINK)))
    cursor = TextField(1, CURSOR_CHARS, load_default=None)
    limit = page_limit()

    class Meta(RequestSchema.Meta):
        # A field whose name is a keyword of Python.
        include: ClassVar = {"from": user_id(load_default=None)}


MENTIONS: Final = Operation(
    name="mention.list",
    summary="List the messages that mention the caller",
    service=CHAT_API,
    request=MentionsPageRequest(),
    answer=MentionPageSchema(),
    route=Route("GET", "/mentions", ok),
    errors=(errors.INVALID_FRAME,),
)
MESSAGES: Final = Operation(
    name="search.messages",
    summary="Search the caller's messages",
    service=CHAT_API,
    request=SearchRequest(),
    answer=SearchPageSchema(),
    route=Route("GET", "/search/messages", ok),
    errors=(
        errors.INVALID_CONVERSATION_ID,
        errors.INVALID_FRAME,
        errors.QUERY_TOO_SHORT,
        errors.NOT_MEMBER,
        errors.NOT_FOUND,
        errors.RATE_LIMITED,
    ),
)

OPERATIONS: Final = (MENTIONS, MESSAGES)
