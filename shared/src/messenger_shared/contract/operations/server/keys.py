"""Operations on server keys, from gateways and admin commands to chat-api. Clients can't reach them."""

from __future__ import annotations

from typing import Final

from marshmallow import fields, validate

from messenger_shared.contract.operations.operation import CHAT_API, Operation
from messenger_shared.contract.schemas.fields import NameField, RequestSchema, TextField
from messenger_shared.contract.schemas.resources import AnySchema
from messenger_shared.contract.server_keys import KEY_NAME_CHARS, SCOPES


class KeyRequest(RequestSchema):
    """One key, by the id in it."""

    key_id = TextField(1, 64, required=True)


class CreateRequest(KeyRequest):
    """A new key. `digest` is the SHA-256 of its secret, in hexadecimal."""

    name = NameField(KEY_NAME_CHARS, required=True)
    digest = TextField(64, 64, required=True)
    scopes = fields.List(fields.String(validate=validate.OneOf(SCOPES)), required=True)


class VerifyRequest(KeyRequest):
    """A key to check, by the digest of its secret."""

    digest = TextField(64, 64, required=True)


CREATE: Final = Operation("server_key.create", CHAT_API, CreateRequest(), AnySchema())
LIST: Final = Operation("server_key.list", CHAT_API, RequestSchema(), AnySchema())
REVOKE: Final = Operation("server_key.revoke", CHAT_API, KeyRequest(), AnySchema())
VERIFY: Final = Operation("server_key.verify", CHAT_API, VerifyRequest(), AnySchema(), key="key_id")

OPERATIONS: Final = (CREATE, LIST, REVOKE, VERIFY)
