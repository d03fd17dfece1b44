"""Operations on files. The gateway answers them: it has the bytes, and asks chat-api about the rest."""

from __future__ import annotations

import re
from typing import Any, Final

from marshmallow import ValidationError, validate

from messenger_shared.contract import errors
from messenger_shared.contract.operations.operation import GATEWAY, Operation, Route, ok, responds
from messenger_shared.contract.schemas.fields import IntegerField, RequestSchema, TextField, UuidField
from messenger_shared.contract.schemas.files import (
    THUMBS,
    BytesSchema,
    FileNameField,
    FileSchema,
    NewFileSchema,
)

MIME_CHARS: Final = 127
_MIME: Final = re.compile(r"([\w!#$&^.+-]+/[\w!#$&^.+-]+) *(;.*)?", re.ASCII)


class MimeField(TextField):
    """A media type (RFC 6838). It becomes lower case without parameters."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(1, MIME_CHARS, **kwargs)

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> str:
        found = _MIME.fullmatch(super()._deserialize(value, attr, data, **kwargs))
        if found is None:
            raise ValidationError("Not a valid media type, such as image/png.")
        return found[1].lower()


class FileRequest(RequestSchema):
    """One file."""

    file_id = UuidField(required=True)


class ThumbRequest(FileRequest):
    """A preview of a picture, by its longest side in pixels."""

    side = IntegerField(validate=validate.OneOf(THUMBS), required=True)


class CreateRequest(RequestSchema):
    """A file to upload: its name, its size in bytes, and its media type, which its content may contradict."""

    name = FileNameField(required=True)
    size = IntegerField(low=1, required=True)
    mime = MimeField(required=True)


@responds(201)
def _created(answer: Any) -> tuple[int, Any]:
    return 201, answer


@responds(200, 206, 302)
def _bytes(answer: Any) -> tuple[int, Any]:
    """The response is the answer itself."""
    return 200, answer


CREATE: Final = Operation(
    name="file.create",
    summary="Begin the upload of a file",
    service=GATEWAY,
    request=CreateRequest(),
    answer=NewFileSchema(),
    route=Route("POST", "/files", _created),
    errors=(
        errors.FILE_TOO_LARGE,
        errors.FILE_TYPE_REFUSED,
        errors.QUOTA_EXCEEDED,
        errors.RATE_LIMITED,
    ),
)
COMPLETE: Final = Operation(
    name="file.complete",
    summary="Complete the upload of a file",
    service=GATEWAY,
    request=FileRequest(),
    answer=FileSchema(),
    route=Route("POST", "/files/{file_id}/complete", ok),
    errors=(errors.INVALID_FRAME, errors.NOT_FOUND, errors.FILE_NOT_READY, errors.FILE_TYPE_REFUSED),
)
GET: Final = Operation(
    name="file.get",
    summary="Get the bytes of a file",
    service=GATEWAY,
    request=FileRequest(),
    answer=BytesSchema(),
    route=Route("GET", "/files/{file_id}", _bytes),
    errors=(errors.INVALID_FRAME, errors.NOT_FOUND, errors.FILE_NOT_READY),
)

THUMB: Final = Operation(
    name="file.thumb",
    summary="Get a preview of a picture",
    service=GATEWAY,
    request=ThumbRequest(),
    answer=BytesSchema(),
    route=Route("GET", "/files/{file_id}/thumb/{side}", _bytes),
    errors=(errors.INVALID_FRAME, errors.NOT_FOUND, errors.FILE_NOT_READY),
)

OPERATIONS: Final = (CREATE, COMPLETE, GET, THUMB)
