"""The operation that lists the caller's mentions."""

from __future__ import annotations

from typing import Final

from messenger_shared.contract import errors
from messenger_shared.contract.operations.operation import CHAT_API, Operation, Route, ok
from messenger_shared.contract.schemas.fields import RequestSchema, cursor, page_limit
from messenger_shared.contract.schemas.resources import MentionPageSchema


class MentionsPageRequest(RequestSchema):
    """A page of the messages that mention the caller."""

    cursor = cursor()
    limit = page_limit()


LIST: Final = Operation(
    name="mention.list",
    summary="List the messages that mention the caller",
    service=CHAT_API,
    request=MentionsPageRequest(),
    answer=MentionPageSchema(),
    route=Route("GET", "/mentions", ok),
    errors=(errors.INVALID_FRAME,),
)

OPERATIONS: Final = (LIST,)
