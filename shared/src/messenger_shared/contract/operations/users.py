"""Operations on users: what clients may know of each other."""

from __future__ import annotations

from typing import Any, Final

from marshmallow import ValidationError, fields, validates_schema

from messenger_shared.contract import errors
from messenger_shared.contract.operations.operation import CHAT_API, Operation, Route, ok
from messenger_shared.contract.schemas.fields import (
    USER_NAME_CHARS,
    USERS_MAX,
    IdList,
    NameField,
    RequestSchema,
    cursor,
    page_limit,
)
from messenger_shared.contract.schemas.resources import AnySchema
from messenger_shared.contract.schemas.users import OwnUserSchema, UserPageSchema


class UsersRequest(RequestSchema):
    """Users by id, or a search. `q` finds users by the beginning of any word of their name."""

    ids = IdList(1, USERS_MAX, load_default=None)
    q = NameField(USER_NAME_CHARS, load_default=None)
    cursor = cursor()
    limit = page_limit()

    @validates_schema
    def _one_of_them(self, data: dict[str, Any], **kwargs: Any) -> None:
        if (data["ids"] is None) == (data["q"] is None):
            raise ValidationError("Give one of ids and q.", "q")


class AdmittedRequest(RequestSchema):
    """Users whose tokens a gateway has verified. Each: {id or external_id, issued_at, name, avatar_url}."""

    users = fields.List(fields.Dict(), required=True)


LIST: Final = Operation(
    name="user.list",
    summary="Get users by id, or find them by name",
    service=CHAT_API,
    request=UsersRequest(),
    answer=UserPageSchema(),
    route=Route("GET", "/users", ok),
    errors=(errors.INVALID_FRAME, errors.FORBIDDEN),
)
ME: Final = Operation(
    name="user.me",
    summary="Get the caller's own profile",
    service=CHAT_API,
    request=RequestSchema(),
    answer=OwnUserSchema(),
    route=Route("GET", "/users/me", ok),
)

# Between the gateway and chat-api; clients can't ask for it.
ADMIT: Final = Operation("user.admit", CHAT_API, AdmittedRequest(), AnySchema())

OPERATIONS: Final = (LIST, ME, ADMIT)
