"""Schemas of files: in requests, in messages, and how to upload one."""

from __future__ import annotations

from typing import Any, Final

from marshmallow import Schema, fields, validate

from messenger_shared.contract.schemas.fields import IntegerField, NameField, ShortList, TextField, UuidField
from messenger_shared.contract.text.file_names import clean_file_name

FILE_NAME_CHARS: Final = 255
ATTACHMENTS_MAX: Final = 10
KINDS: Final = ("image", "audio", "video", "file")
OPEN: Final = "open"
READY: Final = "ready"
PENDING: Final = "pending"
REJECTED: Final = "rejected"
# Those that clients see.
STATES: Final = (READY, PENDING, REJECTED)
# The longest sides of previews, in pixels. A smaller picture has fewer.
THUMBS: Final = (320, 840)
BLURHASH_CHARS: Final = 100


class FileNameField(NameField):
    """The name of a file. Controls and characters that change the direction of text are left out."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(FILE_NAME_CHARS, **kwargs)

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> str:
        return clean_file_name(super()._deserialize(value, attr, data, **kwargs))


class FileIdList(ShortList):
    """Up to ATTACHMENTS_MAX files. One that is named twice counts once."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(UuidField(), 0, ATTACHMENTS_MAX, load_default=None, allow_none=True, **kwargs)

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Any:
        return list(dict.fromkeys(super()._deserialize(value, attr, data, **kwargs)))


class FoundSchema(Schema):
    """What the examination of a file found: how large a picture is (in pixels) and how long it plays (in ms).

    `blurhash` stands for a picture until it is loaded. `thumbs` has the longest sides of its previews.
    """

    width = IntegerField(low=1)
    height = IntegerField(low=1)
    blurhash = TextField(1, BLURHASH_CHARS)
    duration_ms = IntegerField()
    thumbs = fields.List(IntegerField(validate=validate.OneOf(THUMBS)))


class FileSchema(FoundSchema):
    """A file. `mime` and `kind` are what its content is, whatever the uploader said.

    It is `pending` while it is examined, and can be sent already. A `rejected` one can't be read. If they
    could be found, what plays has `duration_ms`, and a picture has `width`, `height`, `blurhash` (it stands
    for the picture until that is loaded) and `thumbs` (the longest sides of its previews).
    """

    file_id = UuidField(required=True)
    name = fields.String(required=True)
    size = IntegerField(low=1, required=True)
    mime = fields.String(required=True)
    kind = fields.String(required=True, validate=validate.OneOf(KINDS))
    state = fields.String(required=True, validate=validate.OneOf(STATES))


class UploadSchema(Schema):
    """Where the bytes go: a request with this method and these headers. `url` may be a path here."""

    method = fields.String(required=True)
    url = fields.String(required=True)
    headers = fields.Dict(keys=fields.String(), values=fields.String(), required=True)
    part_bytes = IntegerField(low=1)


class NewFileSchema(Schema):
    """A file that is to be uploaded."""

    file_id = UuidField(required=True)
    upload = fields.Nested(UploadSchema, required=True)


class BytesSchema(Schema):
    """The bytes of a file."""
