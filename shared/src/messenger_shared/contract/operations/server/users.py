"""Operations on users for a host application with a server key."""

from __future__ import annotations

from typing import Any, Final

from marshmallow import ValidationError, fields, validates_schema

from messenger_shared.contract import errors
from messenger_shared.contract.operations.operation import (
    CHAT_API,
    GATEWAY,
    Operation,
    ServerRoute,
    no_content,
    ok,
    responds,
)
from messenger_shared.contract.schemas.fields import (
    EXTERNAL_ID_CHARS,
    UPSERT_MAX,
    USER_NAME_CHARS,
    CustomField,
    IntegerField,
    NameField,
    RequestSchema,
    ShortList,
    TextField,
    TextList,
    avatar_url,
    cursor,
    page_limit,
    user_id,
)
from messenger_shared.contract.schemas.resources import AnySchema, EmptySchema
from messenger_shared.contract.schemas.users import (
    ServerUserPageSchema,
    ServerUserSchema,
    ServerUsersSchema,
    UserTokenSchema,
)

SCOPE: Final = "users"
TOKEN_MAX_S: Final = 86_400
TOKEN_S: Final = 3_600


class ProfileSchema(RequestSchema):
    """One user to store, named by `id`, `external_id` or both. Fields left out stay; null removes."""

    id = user_id(load_default=None)
    external_id = TextField(1, EXTERNAL_ID_CHARS, load_default=None)
    name = NameField(USER_NAME_CHARS, allow_none=True)
    avatar_url = avatar_url()
    locale = TextField(1, 35, allow_none=True)
    timezone = TextField(1, 64, allow_none=True)
    custom = CustomField()

    @validates_schema
    def _named(self, data: dict[str, Any], **kwargs: Any) -> None:
        if data["id"] is None and data["external_id"] is None:
            raise ValidationError("Give id or external_id.", "id")


class UpsertRequest(RequestSchema):
    """Users to make or change."""

    users = ShortList(fields.Nested(ProfileSchema), 1, UPSERT_MAX, required=True)


class ServerUserRequest(RequestSchema):
    """One user."""

    user_id = user_id(required=True)


class ServerUserListRequest(RequestSchema):
    """A page of all users, or users by the host's own ids."""

    external_ids = TextList(EXTERNAL_ID_CHARS, UPSERT_MAX, load_default=None)
    cursor = cursor()
    limit = page_limit()


class TokenRequest(ServerUserRequest):
    """For how many seconds the token is valid."""

    ttl_s = IntegerField(low=1, high=TOKEN_MAX_S, load_default=TOKEN_S)


@responds(201)
def _made(answer: Any) -> tuple[int, Any]:
    return 201, answer


_USER: Final = "/users/{user_id}"
_ERRORS: Final = (errors.INVALID_FRAME, errors.NOT_FOUND)

UPSERT: Final = Operation(
    name="server.user.upsert",
    summary="Make or change users",
    service=CHAT_API,
    request=UpsertRequest(),
    answer=ServerUsersSchema(),
    server=ServerRoute("PUT", "/users", ok, (SCOPE,)),
    errors=(errors.INVALID_FRAME, errors.KEY_CONFLICT),
)
GET: Final = Operation(
    name="server.user.get",
    summary="Get a user",
    service=CHAT_API,
    request=ServerUserRequest(),
    answer=ServerUserSchema(),
    server=ServerRoute("GET", _USER, ok, (SCOPE,)),
    errors=_ERRORS,
)
LIST: Final = Operation(
    name="server.user.list",
    summary="List users, or get them by the host's own ids",
    service=CHAT_API,
    request=ServerUserListRequest(),
    answer=ServerUserPageSchema(),
    server=ServerRoute("GET", "/users", ok, (SCOPE,)),
    errors=(errors.INVALID_FRAME,),
)
DEACTIVATE: Final = Operation(
    name="server.user.deactivate",
    summary="Deactivate a user: close their sockets and refuse their tokens",
    service=GATEWAY,
    request=ServerUserRequest(),
    answer=EmptySchema(),
    server=ServerRoute("POST", _USER + "/deactivate", no_content, (SCOPE,)),
    errors=_ERRORS,
)
REACTIVATE: Final = Operation(
    name="server.user.reactivate",
    summary="Reactivate a user",
    service=CHAT_API,
    request=ServerUserRequest(),
    answer=EmptySchema(),
    server=ServerRoute("POST", _USER + "/reactivate", no_content, (SCOPE,)),
    errors=_ERRORS,
)
REVOKE_SESSIONS: Final = Operation(
    name="server.user.sessions.revoke",
    summary="Close a user's sockets and revoke the tokens issued to them until now",
    service=GATEWAY,
    request=ServerUserRequest(),
    answer=EmptySchema(),
    server=ServerRoute("POST", _USER + "/sessions/revoke", no_content, (SCOPE,)),
    errors=_ERRORS,
)
TOKEN: Final = Operation(
    name="server.user.token",
    summary="Make a token for a user",
    service=GATEWAY,
    request=TokenRequest(),
    answer=UserTokenSchema(),
    server=ServerRoute("POST", _USER + "/token", _made, (SCOPE,)),
    errors=(*_ERRORS, errors.USER_DEACTIVATED),
)

# Between the gateway and chat-api: the part of DEACTIVATE that is stored.
SET_DEACTIVATED: Final = Operation("server.user.set_deactivated", CHAT_API, ServerUserRequest(), AnySchema())

OPERATIONS: Final = (UPSERT, GET, LIST, DEACTIVATE, REACTIVATE, REVOKE_SESSIONS, TOKEN, SET_DEACTIVATED)
