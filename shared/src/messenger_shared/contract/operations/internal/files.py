"""Operations on the rows of files, from gateways, which have the bytes. Clients can't use them."""

from __future__ import annotations

from typing import Final

from marshmallow import fields, validate

from messenger_shared.contract.operations.files import FileRequest, MimeField
from messenger_shared.contract.operations.operation import CHAT_API, Operation
from messenger_shared.contract.schemas.fields import IntegerField, RequestSchema, TextField
from messenger_shared.contract.schemas.files import (
    KINDS,
    READY,
    REJECTED,
    FileNameField,
    FoundSchema,
)
from messenger_shared.contract.schemas.resources import AnySchema

# How long a gateway has a file that it takes to examine it. Then another one may take it, unless the first
# one puts it back for as long again.
LEASE_S: Final = 60


class AddRequest(FileRequest):
    """A new file of the caller's. Who has the secret with this SHA-256 (hexadecimal) may upload it."""

    name = FileNameField(required=True)
    size = IntegerField(low=1, required=True)
    mime = MimeField(required=True)
    digest = TextField(64, 64, required=True)


class FinishRequest(FileRequest):
    """What the content of the caller's file is. With `refused`, the file is to be removed.

    With `pending`, it is to be examined: by the gateway that asks if it is `taken`, otherwise by any.
    """

    mime = MimeField(required=True)
    kind = fields.String(required=True, validate=validate.OneOf(KINDS))
    refused = fields.Boolean(load_default=False)
    pending = fields.Boolean(load_default=False)
    taken = fields.Boolean(load_default=False)


class TakePendingRequest(RequestSchema):
    """How many files a gateway can examine now."""

    limit = IntegerField(low=1, high=100, required=True)


class ProcessedRequest(FileRequest, FoundSchema):
    """How the examination of a file ended, and what it found."""

    state = fields.String(required=True, validate=validate.OneOf((READY, REJECTED)))
    size = IntegerField(low=1, required=True)
    mime = MimeField(required=True)
    kind = fields.String(required=True, validate=validate.OneOf(KINDS))


class PutBackRequest(FileRequest):
    """A file that can't be examined now: any gateway may take it after `after_s`."""

    after_s = IntegerField(required=True)


class RemovedRequest(RequestSchema):
    """Files whose bytes are gone."""

    file_ids = fields.List(fields.String(), required=True)


ADD: Final = Operation("file.add", CHAT_API, AddRequest(), AnySchema(), key="file_id")
FIND: Final = Operation("file.find", CHAT_API, FileRequest(), AnySchema(), key="file_id")
UPLOAD: Final = Operation("file.upload", CHAT_API, FileRequest(), AnySchema(), key="file_id")
FINISH: Final = Operation("file.finish", CHAT_API, FinishRequest(), AnySchema(), key="file_id")
TAKE_PENDING: Final = Operation("file.take_pending", CHAT_API, TakePendingRequest(), AnySchema())
PROCESSED: Final = Operation("file.processed", CHAT_API, ProcessedRequest(), AnySchema(), key="file_id")
PUT_BACK: Final = Operation("file.put_back", CHAT_API, PutBackRequest(), AnySchema(), key="file_id")
TAKE_DUE: Final = Operation("file.take_due", CHAT_API, RequestSchema(), AnySchema())
REMOVED: Final = Operation("file.removed", CHAT_API, RemovedRequest(), AnySchema())

OPERATIONS: Final = (ADD, FIND, UPLOAD, FINISH, TAKE_PENDING, PROCESSED, PUT_BACK, TAKE_DUE, REMOVED)
